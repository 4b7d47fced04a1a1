"""Alerts as their notification shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone

from products.models import Alert, Category, CategoryResult, CrawlRun

MAX_CATEGORIES = 20
MAX_MESSAGE = 2_000  # characters


def category_names(alerts: Sequence[Alert]) -> dict[str, str]:
    """Names, by code, of all categories that the alerts are about."""
    codes = {code for alert in alerts for code in alert.category_codes}
    return dict(Category.objects.filter(code__in=codes).values_list("code", "name"))


def alert_variables(alert: Alert, names: Mapping[str, str]) -> dict[str, Any]:
    """Variables of the template `crawl_suspect`; `names` are those of the categories by their codes."""
    codes = alert.category_codes[:MAX_CATEGORIES]
    return {
        "run_id": alert.run_id,
        "kind": alert.get_kind_display(),
        "message": alert.message[:MAX_MESSAGE],
        "categories": [{"name": names.get(code, code), "code": code} for code in codes],
        "url": f"{settings.PUBLIC_URL}/admin/products/crawlrun/{alert.run_id}/change/",
    }


def reminder_variables(alert: Alert, names: Mapping[str, str]) -> dict[str, Any]:
    """The same of an alert that is still open: since when, and how its categories are now."""
    opened = timezone.localtime(alert.created_at)
    text = f"提醒（第 {alert.reminders} 次）：{opened:%m-%d %H:%M} 的警示還沒有解除。"
    now = _reasons_now(alert.category_codes[:MAX_CATEGORIES])
    variables = alert_variables(alert, names)
    return variables | {"message": f"{text}{now or alert.message}"[:MAX_MESSAGE]}


def _reasons_now(codes: Sequence[str]) -> str:
    """Name and reason of each category that the last run over it found suspect."""
    results = CategoryResult.objects.filter(run__status=CrawlRun.Status.APPLIED, category__code__in=codes)
    last = results.select_related("category").order_by("category__code", "-run_id").distinct("category__code")
    suspects = [result for result in last if result.suspect]
    return "；".join(
        f"{result.category.name}（{result.message or result.get_outcome_display()}）" for result in suspects
    )


def recent_alerts(limit: int) -> Sequence[Mapping[str, Any]]:
    """The last `limit` alerts, the newest first, for previews of the template; in two queries."""
    alerts = list(Alert.objects.order_by("-pk")[:limit])
    names = category_names(alerts)
    return [
        {"label": f"{alert.get_kind_display()} #{alert.run_id}", "variables": alert_variables(alert, names)}
        for alert in alerts
    ]

"""Alerts of suspect categories: raised once, open until every category is good again or a person has decided."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from products.models import Alert, Category, CategoryResult, CrawlRun
from products.services.guard import WALKED

CONFIRM = "。若商品確實已下架，可以在「分類」選取這些分類，執行「確認已關閉」。"


def raise_alert(
    run: CrawlRun, suspects: Sequence[CategoryResult], good: Sequence[CategoryResult], now: datetime
) -> None:
    """One alert for categories that became suspect.

    A category leaves an open alert when it is good again or no longer crawled; the alert ends with its last one.
    """
    alerted = end_alerts({result.category.code for result in good}, now)
    fresh = [result for result in suspects if result.category.code not in alerted]
    if fresh:
        hint = CONFIRM if any(result.waits and result.outcome in WALKED for result in fresh) else ""
        Alert.objects.create(
            kind=Alert.Kind.SUSPECT,
            run=run,
            category_codes=[result.category.code for result in fresh],
            message=f"價格更新 #{run.pk}：{run.message}{hint}",
            created_at=now,
        )


def end_alerts(good: Collection[str], now: datetime) -> set[str]:
    """Take the codes of good categories out of open alerts. Returns the codes that are still alerted."""
    alerted: set[str] = set()
    crawled = set(Category.objects.filter(enabled=True).values_list("code", flat=True))
    for alert in Alert.objects.select_for_update().filter(resolved_at=None):
        waiting = [code for code in alert.category_codes if code in crawled - set(good)]
        if waiting:
            alert.category_codes = waiting
            alerted |= set(waiting)
        elif good or alert.category_codes:
            alert.resolved_at = now
        alert.save(update_fields=["category_codes", "resolved_at"])
    return alerted

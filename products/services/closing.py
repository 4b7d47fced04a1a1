"""A person's word that goods which a category no longer lists are gone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from momo.core.errors import Conflict
from products.models import Category, CategoryResult, CrawlRun, PriceEvent
from products.selectors.counts import forget_counts
from products.services.alerts import end_alerts
from products.services.guard import DELIST, WALKED
from products.services.notify import DECIDING, notify_soon
from products.services.runs import count_decided

MISSING_OF_CATEGORY = """
FROM products_unlisted u
WHERE u.product_id = p.id AND u.missing AND p.status <> 'delisted' AND p.category_id = %(category)s
"""


class NothingToConfirm(Conflict):
    """The category lists its goods, or was not walked to its end: there is nothing that only a person can decide."""


def confirm_gone(*, category: Category, now: datetime | None = None) -> int:
    """Delist at once what the category no longer lists and no page explains, and believe its list as it is.

    Goods whose own page is alive stay. Returns how many were delisted. Raises NothingToConfirm.
    """
    now = now or timezone.now()
    with transaction.atomic():
        # A run that is being applied judges the same goods, and keeps this lock to its end.
        list(CrawlRun.objects.select_for_update().filter(status=CrawlRun.Status.RUNNING).values_list("pk"))
        last = _waiting_result(category)
        if last is None:
            raise NothingToConfirm(f"「{category.name}」沒有等待確認的商品")
        with connection.cursor() as cursor:
            values: dict[str, Any] = {"run": last.run_id, "now": now, "category": category.pk}
            cursor.execute(DELIST.format(condition=MISSING_OF_CATEGORY), values)
            delisted: int = cursor.rowcount
        category.gone_confirmed_at = now
        category.save(update_fields=["gone_confirmed_at"])
        end_alerts({category.code}, now)
        transaction.on_commit(forget_counts)
        if delisted:
            count_decided(run_id=last.run_id, kind=PriceEvent.Kind.DELISTED)
            notify_soon(seconds=DECIDING)
    return delisted


def _waiting_result(category: Category) -> CategoryResult | None:
    """The last result of a category if it waits and nobody has confirmed it yet."""
    results = CategoryResult.objects.filter(category=category, run__status=CrawlRun.Status.APPLIED)
    last = results.select_related("run").order_by("-run_id").first()
    if last is None or not last.waits or last.outcome not in WALKED:
        return None
    confirmed, applied = category.gone_confirmed_at, last.run.finished_at
    return None if confirmed is not None and applied is not None and confirmed >= applied else last

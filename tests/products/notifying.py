"""Runs of the last hours whose events were not notified yet, and subscriptions to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from notifications.models import Channel, OutboxMessage, Subscription
from products.models import Category, CrawlRun, PriceEvent, Product
from products.services.notify import Notified
from tests.products.factories import Runs, item

NOTHING = Notified(0, 0, 1)


def subscribe(event: str = "price_digest", address: str = "wang@example.com", **filters: Any) -> Subscription:
    return Subscription.objects.create(
        name=address, event=event, channel=Channel.EMAIL, address=address, filters=filters
    )


def now_runs() -> Runs:
    """Runs of the last hours."""
    runs = Runs()
    runs.at = timezone.now().replace(microsecond=0) - timedelta(hours=14)
    return runs


def changed(runs: Runs, home: Category, count: int = 5, *, first: int = 1_000_000) -> CrawlRun:
    """A run after which each of `count` products is cheaper than before: another price each time."""
    goods = [(f"{first + n}", 1000 + n) for n in range(count)]
    known = set(Product.objects.values_list("product_id", flat=True))
    if not known.issuperset(code for code, _ in goods):
        runs.run({home: [item(code, price) for code, price in goods]})
    step = PriceEvent.objects.filter(kind="decrease").values("run").distinct().count() + 1
    return runs.run({home: [item(code, price - 10 * step) for code, price in goods]})


def untold() -> int:
    return PriceEvent.objects.filter(told_at=None).count()


def messages() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.order_by("pk"))

"""What the events of some days amount to: the price changes of reports."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from momo.core.days import between
from products.models import PriceEvent
from products.selectors.digest import EVENT_FIELDS, event_news
from products.selectors.news import News, all_news

EVENTS = 20_000  # that are read, the newest of the days


def news_between(
    *, first: date, last: date, brands: Collection[str] = (), categories: Collection[str] = ()
) -> tuple[list[News], bool]:
    """News of the days from `first` to `last`, ordered as by `all_news`, and whether older events are left out.

    `brands` and `categories` (names) keep only products of these; empty is all.
    """
    found = PriceEvent.objects.filter(kind__in=PriceEvent.Kind.values, **between("created_at", first, last))
    if brands:
        found = found.filter(product__brand__in=list(brands))
    if categories:
        found = found.filter(product__category__name__in=list(categories))
    rows = list(found.order_by("-created_at", "-pk").values_list(*EVENT_FIELDS)[: EVENTS + 1])
    return all_news(event_news(*row) for row in reversed(rows[:EVENTS])), len(rows) > EVENTS

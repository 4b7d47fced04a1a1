"""Figures of the start page. None reads history beyond its window; counts of big tables are cached."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from momo.core.days import start_of_day
from products.models import Alert, Category, CrawlRun, PriceEvent, Product, QuarantinedPrice
from products.selectors.counts import count_rows
from products.selectors.crawls import last_run, progress_of, running_run
from products.selectors.products import change_window_start, changed_products

CHART_DAYS = 14
CHART_SECONDS = 60
TOP = 8
RECENT_HOURS = 24  # of the cards, whatever the API takes as recent: their lists have this span too


def has_categories() -> bool:
    """Whether there is any category."""
    return Category.objects.exists()


def has_runs() -> bool:
    """Whether any crawl has begun."""
    return CrawlRun.objects.exists()


def has_products() -> bool:
    """Whether any crawl has brought products."""
    return Product.objects.exists()


def product_counts(products: QuerySet[Product] | None = None) -> dict[str, int]:
    """Of `products` (all by default): those on sale and delisted, and those whose price moved within 24 hours."""
    products = Product.objects.all() if products is None else products
    total = count_rows(products)
    delisted = count_rows(products.filter(status=Product.Status.DELISTED))
    changed = changed_products(products, hours=RECENT_HOURS)
    return {
        "on_sale": total - delisted,
        "delisted": delisted,
        "increased": count_rows(changed.filter(change__gt=0)),
        "decreased": count_rows(changed.filter(change__lt=0)),
    }


def event_counts(events: QuerySet[PriceEvent] | None = None, *, hours: int = RECENT_HOURS) -> dict[str, int]:
    """Of `events` (all by default) those of the last `hours` hours by kind, 0 where there are none."""
    events = PriceEvent.objects.all() if events is None else events
    recent = events.filter(created_at__gte=change_window_start(hours))
    rows = recent.order_by().values("kind").annotate(n=Count("id"))
    counted = dict(rows.values_list("kind", "n"))
    return {kind: counted.get(kind, 0) for kind in PriceEvent.Kind.values}


def held_prices() -> QuerySet[QuarantinedPrice]:
    """Prices that are held."""
    return QuarantinedPrice.objects.filter(status=QuarantinedPrice.Status.HELD)


def open_alerts() -> QuerySet[Alert]:
    """Alerts that are not resolved."""
    return Alert.objects.filter(resolved_at=None)


def events_per_day(*, days: int = CHART_DAYS) -> dict[str, Any]:
    """Events of the last `days` days in Taipei: `labels`, and one series of numbers for each kind that occurred.

    Cached for CHART_SECONDS.
    """
    today = timezone.localdate()
    key = f"products:events_per_day:{today}:{days}"
    known: dict[str, Any] | None = cache.get(key)
    if known is not None:
        return known
    dates = [today - timedelta(days=days - 1 - number) for number in range(days)]
    since = start_of_day(dates[0])
    rows = (
        # All kinds by name: the index over kind and time then answers the query alone.
        PriceEvent.objects.filter(kind__in=PriceEvent.Kind.values, created_at__gte=since)
        .order_by()
        .annotate(day=TruncDate("created_at", tzinfo=timezone.get_default_timezone()))
        .values("day", "kind")
        .annotate(n=Count("*"))
        .values_list("day", "kind", "n")
    )
    counted = {(day, kind): number for day, kind, number in rows}
    found = {kind for _, kind in counted}
    chart = {
        "labels": [f"{day.month}/{day.day}" for day in dates],
        "series": [
            {"kind": kind.value, "label": str(kind.label), "data": [counted.get((day, kind.value), 0) for day in dates]}
            for kind in PriceEvent.Kind
            if kind.value in found
        ],
    }
    cache.set(key, chart, CHART_SECONDS)
    return chart


def biggest_changes(products: QuerySet[Product] | None = None, *, up: bool, limit: int = TOP) -> QuerySet[Product]:
    """Of `products` (all by default) those with the largest rise or fall in percent within 24 hours."""
    changed = changed_products(Product.objects.all() if products is None else products, hours=RECENT_HOURS).only(
        "id", "product_id", "name", "price", "previous_price", "change", "change_percent", "price_changed_at"
    )
    # As a sum it matches no index: the index of all percentages would visit every older, larger change first.
    ranked = changed.annotate(rank=F("change_percent") + 0)
    return (
        ranked.filter(change__gt=0).order_by("-rank")[:limit]
        if up
        else ranked.filter(change__lt=0).order_by("rank")[:limit]
    )


def crawl_state() -> dict[str, Any]:
    """The running run, its progress, and the run that ended last."""
    running: CrawlRun | None = running_run()
    return {"running": running, "progress": progress_of(running) if running else None, "last": last_run()}

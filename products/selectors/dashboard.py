"""The figures of the start page. None of them reads history beyond its window, and big tables are counted rarely."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from products.models import Alert, CrawlRun, PriceEvent, Product, QuarantinedPrice
from products.selectors.counts import count_rows
from products.selectors.crawls import last_run, progress_of, running_run
from products.selectors.products import changed_products

CHART_DAYS = 14
CHART_SECONDS = 60
TOP = 8


def _minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)


def product_counts() -> dict[str, int]:
    """Products on sale and gone, and those whose price went up or down within the change window (24 h)."""
    total = count_rows(Product.objects.all())
    delisted = count_rows(Product.objects.filter(status=Product.Status.DELISTED))
    changed = changed_products(Product.objects.all())
    return {
        "on_sale": total - delisted,
        "delisted": delisted,
        "increased": count_rows(changed.filter(change__gt=0)),
        "decreased": count_rows(changed.filter(change__lt=0)),
    }


def event_counts(*, hours: int = 24) -> dict[str, int]:
    """Events of the last `hours` hours by kind, 0 where there are none."""
    since = _minute() - timedelta(hours=hours)
    rows = PriceEvent.objects.filter(created_at__gte=since).order_by().values("kind").annotate(n=Count("id"))
    counted = dict(rows.values_list("kind", "n"))
    return {kind: counted.get(kind, 0) for kind in PriceEvent.Kind.values}


def held_count() -> int:
    """Prices that wait for a person."""
    return count_rows(QuarantinedPrice.objects.filter(status=QuarantinedPrice.Status.HELD))


def open_alert_count() -> int:
    return count_rows(Alert.objects.filter(resolved_at=None))


def events_per_day(*, days: int = CHART_DAYS) -> dict[str, Any]:
    """Events of the last `days` days in Taipei: `labels`, and one series of numbers for each kind that occurred.

    Remembered for CHART_SECONDS.
    """
    today = timezone.localdate()
    key = f"products:events_per_day:{today}:{days}"
    known: dict[str, Any] | None = cache.get(key)
    if known is not None:
        return known
    dates = [today - timedelta(days=days - 1 - number) for number in range(days)]
    since = datetime.combine(dates[0], time.min, timezone.get_default_timezone())
    rows = (
        # All kinds by name: the index over kind and time then holds everything that is asked for.
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


def biggest_changes(*, up: bool, limit: int = TOP) -> QuerySet[Product]:
    """Products with the largest rise or fall in percent within the change window."""
    changed = changed_products(Product.objects.all()).only(
        "id", "product_id", "name", "price", "previous_price", "change", "change_percent", "price_changed_at"
    )
    # As a sum it matches no index: walking that of all percentages ever would pass over every old, larger change.
    ranked = changed.annotate(rank=F("change_percent") + 0)
    return (
        ranked.filter(change__gt=0).order_by("-rank")[:limit]
        if up
        else ranked.filter(change__lt=0).order_by("rank")[:limit]
    )


def crawl_state() -> dict[str, Any]:
    """The run that goes on, its progress, and the one that ended last."""
    running: CrawlRun | None = running_run()
    return {"running": running, "progress": progress_of(running) if running else None, "last": last_run()}

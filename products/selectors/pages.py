"""Contents of the admin pages of one product and of one run, each in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet

from products.models import (
    Alert,
    CategoryResult,
    CrawlError,
    CrawlRun,
    PriceEvent,
    PriceSpan,
    Product,
    QuarantinedPrice,
)
from products.selectors.products import SPAN_END

CHART_SPANS = 500
TABLE_SPANS = 50
LAST_EVENTS = 20
RUN_ROWS = 200
# The line of the chart breaks where the product was not seen for longer than this: a crawl a day, a little late, does
# not break it.
GAP = timedelta(hours=36)


@dataclass(frozen=True)
class Span:
    """A period at one price, in New Taiwan dollars."""

    begun: datetime
    until: datetime
    price: int
    open: bool

    @property
    def length(self) -> timedelta:
        return self.until - self.begun


def last_spans(product: Product, *, limit: int = CHART_SPANS) -> list[Span]:
    """The last `limit` spans of a product, newest first."""
    spans = PriceSpan.objects.filter(product=product).annotate(until=SPAN_END)
    rows = spans.order_by("-observed_at")[:limit].values_list("observed_at", "until", "price", "last_seen_at")
    return [Span(begun, until, price, closed is None) for begun, until, price, closed in rows]


def chart_points(spans: Sequence[Span]) -> list[dict[str, int | None]]:
    """Spans (newest first) as points of a step line: x in milliseconds since 1970, y the price, null for a gap.

    A price that was seen once is two points at one time, which the chart shows as a dot.
    """
    points: list[dict[str, int | None]] = []
    before: Span | None = None
    for span in reversed(spans):
        if before is not None and span.begun - before.until > GAP:
            points.append({"x": _milliseconds(before.until) + 1, "y": None})
        points.append({"x": _milliseconds(span.begun), "y": span.price})
        points.append({"x": _milliseconds(span.until), "y": span.price})
        before = span
    return points


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def last_events(product: Product, *, limit: int = LAST_EVENTS) -> QuerySet[PriceEvent]:
    """The last events of a product, newest first."""
    return PriceEvent.objects.filter(product=product).order_by("-created_at", "-id")[:limit]


def held_price_of(product: Product) -> QuarantinedPrice | None:
    """The price of a product that waits for a second sight or a decision."""
    return QuarantinedPrice.objects.filter(code=product.product_id, status=QuarantinedPrice.Status.HELD).first()


def results_of(run: CrawlRun, *, limit: int = RUN_ROWS) -> QuerySet[CategoryResult]:
    """The result of each category: the suspect ones first, then the incomplete ones."""
    results = CategoryResult.objects.filter(run=run).select_related("category")
    return results.order_by("-suspect", "-missing", F("outcome").desc(), "category__code")[:limit]


def errors_of(run: CrawlRun, *, limit: int = RUN_ROWS) -> QuerySet[CrawlError]:
    """The first errors of a run."""
    return CrawlError.objects.filter(run=run).order_by("id")[:limit]


def alerts_of(run: CrawlRun) -> QuerySet[Alert]:
    """The alerts that a run raised."""
    return Alert.objects.filter(run=run)


def counts_of(run: CrawlRun) -> list[tuple[str, str, int]]:
    """What a run found, as (kind of event, label, number)."""
    kinds = PriceEvent.Kind
    counts: list[tuple[Any, int]] = [
        (kinds.NEW, run.new),
        (kinds.INCREASE, run.increased),
        (kinds.DECREASE, run.decreased),
        (kinds.OUT_OF_STOCK, run.sold_out),
        (kinds.BACK_IN_STOCK, run.restocked),
        (kinds.DELISTED, run.delisted),
        (kinds.RELISTED, run.relisted),
    ]
    return [(kind.value, str(kind.label), number) for kind, number in counts]

"""What one product sold by day, and around each change of its price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise

from django.db import connection
from django.utils import timezone

from momo.core.days import each_day, start_of_day
from products.models import Product
from products.selectors.pages import CHART_SPANS, Span, chart_points, last_spans
from sales.models import ProductMonth
from sales.selectors.summed import CLAIMS

AROUND = 7  # days before and after a change
MAX_DAYS = 365
MAX_CHANGES = 100

FILED = f"""
SELECT days.dates, coalesce(days.claims = s.claims, false)
FROM (
    SELECT date_trunc('month', date)::date AS month, array_agg(DISTINCT date) AS dates, {CLAIMS} AS claims
    FROM sales_dayowner
    WHERE date >= %(first)s AND date < %(after)s
    GROUP BY 1
) AS days
LEFT JOIN sales_summedmonth s USING (month)
"""  # noqa: S608 - constants only


class Day(Enum):
    """What is known of a day."""

    KNOWN = "known"
    WAITS = "waits"  # its report is imported, but not yet summed by product
    NO_FILE = "no file"


@dataclass(frozen=True)
class Sold:
    """Units and New Taiwan dollars."""

    quantity: int = 0
    amount: Decimal = Decimal(0)

    def __add__(self, other: Sold) -> Sold:
        return Sold(self.quantity + other.quantity, self.amount + other.amount)


@dataclass
class ProductDays:
    """What a product sold from `first` to `last`, by day; days without a report are no zeros."""

    first: date
    last: date
    sold: dict[date, Sold] = field(default_factory=dict)
    states: dict[date, Day] = field(default_factory=dict)

    def state(self, day: date) -> Day:
        """What is known of a day."""
        return self.states.get(day, Day.NO_FILE)

    def on(self, day: date) -> Sold | None:
        """What was sold on a day; None if that is not known."""
        return self.sold.get(day, Sold()) if self.state(day) is Day.KNOWN else None

    def days(self) -> list[date]:
        """All days, the oldest first."""
        return each_day(self.first, self.last)

    def window(self, first: date, last: date) -> Window:
        """The sum of the days from `first` to `last` that are known."""
        days = each_day(first, last)
        known = [sold for day in days if (sold := self.on(day)) is not None]
        return Window(first, last, len(known), sum(known, start=Sold()))


@dataclass(frozen=True)
class Window:
    """The days from `first` to `last`: how many of them are known, and what these sold."""

    first: date
    last: date
    known: int
    sold: Sold

    @property
    def a_day(self) -> Decimal | None:
        """Units a day; None without a known day."""
        return Decimal(self.sold.quantity) / self.known if self.known else None


@dataclass(frozen=True)
class Change:
    """A change of price at `day`, with what was sold on the AROUND days before and after; the day itself has both."""

    day: date
    old: int
    new: int
    before: Window
    after: Window


def product_days(*, code: str, first: date, last: date) -> ProductDays:
    """What the product with this code sold from `first` to `last`, in two queries whatever there is."""
    found = ProductDays(first, last)
    month = first.replace(day=1)
    rows = ProductMonth.objects.filter(product_code=code, month__gte=month, month__lte=last)
    for begin, days, quantities, amounts in rows.values_list("month", "days", "quantities", "amounts"):
        for day, quantity, amount in zip(days, quantities, amounts, strict=True):
            found.sold[begin.replace(day=day)] = Sold(quantity, amount)
    after = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
    with connection.cursor() as cursor:
        # Whole months, or the digest would be another.
        cursor.execute(FILED, {"first": month, "after": after})
        for dates, is_summed in cursor.fetchall():
            found.states.update(dict.fromkeys(dates, Day.KNOWN if is_summed else Day.WAITS))
    return found


def changes_of(spans: Sequence[Span], sales: ProductDays) -> list[Change]:
    """Each change of price since `sales.first + AROUND`, the newest first; `spans` are the newest first."""
    found = []
    since = sales.first + timedelta(days=AROUND)
    for newer, older in pairwise(spans):
        day = timezone.localdate(newer.begun)
        if newer.price == older.price or day < since:
            continue
        before = sales.window(day - timedelta(days=AROUND), day - timedelta(days=1))
        after = sales.window(day + timedelta(days=1), day + timedelta(days=AROUND))
        found.append(Change(day, older.price, newer.price, before, after))
    return found[:MAX_CHANGES]


@dataclass(frozen=True)
class PricesAndSales:
    """A year of a product: points of its price, what it sold by day, the price of each day, and the changes."""

    points: list[dict[str, int | None]]
    sales: ProductDays
    prices: dict[date, int]
    changes: list[Change]


def prices_and_sales(product: Product) -> PricesAndSales:
    """The last MAX_DAYS days of a product, from when it was first seen; in three queries."""
    today = timezone.localdate()
    spans = last_spans(product, limit=CHART_SPANS)
    begin = today - timedelta(days=MAX_DAYS - 1)
    seen = timezone.localdate(spans[-1].begun) if spans else today
    first = min(max(begin, seen), today)
    sales = product_days(code=product.product_id, first=first - timedelta(days=AROUND), last=today)
    start = start_of_day(first)
    shown = [replace(span, begun=max(span.begun, start)) for span in spans if span.until >= start]
    return PricesAndSales(chart_points(shown), sales, _prices(shown, sales.days()), changes_of(spans, sales))


def _prices(spans: Sequence[Span], days: Sequence[date]) -> dict[date, int]:
    """The last price that was seen on each day; days on which none was are left out."""
    prices: dict[date, int] = {}
    if not days:
        return prices
    for span in reversed(spans):
        begin, end = max(timezone.localdate(span.begun), days[0]), min(timezone.localdate(span.until), days[-1])
        for number in range((end - begin).days + 1):
            prices[begin + timedelta(days=number)] = span.price
    return prices

"""Prices of a period: how many events, the largest moves, new lows, and what went or came back.

Read from the events of the period and from spans, each within a bound; none reads the whole history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from momo.core.days import between, start_of_day
from momo.core.scope import Scope
from products.models import PriceEvent, PriceSpan, Product
from products.selectors.counts import cached

Kind = PriceEvent.Kind
SUPPLY = (Kind.DELISTED, Kind.OUT_OF_STOCK, Kind.RELISTED, Kind.BACK_IN_STOCK)
MOVES = 20  # up, and as many down
MAX_DAYS = 31  # of a period: its price changes are all read
LOWS = 50
FALLS_LOOKED_AT = 2_000  # the newest ones, of which those that are the lowest are shown
SUPPLY_SHOWN = 100
BRANDS_OFFERED = 200
BY = {"percent": "percent", "amount": "change"}  # what ranks moves → its column

# A product's first price of the period against its last: one that returned has not moved. Events of one kind and time
# are found by an index; their numbers are in the order in which prices were believed.
MOVED = """
WITH moved AS (
    SELECT e.product_id, (array_agg(e.old_price ORDER BY e.id))[1] AS old,
           (array_agg(e.new_price ORDER BY e.id DESC))[1] AS new, count(*) AS times, max(e.created_at) AS at
    FROM products_priceevent e {join}
    WHERE e.kind IN ('increase', 'decrease') AND e.created_at >= %(since)s AND e.created_at < %(until)s {condition}
    GROUP BY e.product_id
), sized AS (
    SELECT *, new - old AS change, round((new - old) * 100.0 / nullif(old, 0), 2) AS percent FROM moved WHERE new <> old
)
SELECT s.product_id, p.product_id, p.name, p.brand, c.name, s.old, s.new, s.change, s.percent, s.times, s.at
FROM (
    (SELECT * FROM sized WHERE change > 0 ORDER BY {rank} DESC NULLS LAST, product_id LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM sized WHERE change < 0 ORDER BY {rank}, product_id LIMIT %(limit)s)
) s
JOIN products_product p ON p.id = s.product_id
JOIN products_category c ON c.id = p.category_id
"""


@dataclass(frozen=True)
class Goods:
    """Which products: of a category (by its key) and a brand, and of those that a user looks after."""

    category: int | None = None
    brand: str = ""
    scope: Scope | None = None

    def condition(self, prefix: str = "") -> Q:
        """These products; `prefix` leads to the product."""
        found = Q()
        if self.category is not None:
            found &= Q(**{f"{prefix}category": self.category})
        if self.brand:
            found &= Q(**{f"{prefix}brand": self.brand})
        if self.scope is not None:
            found &= Q(**{f"{prefix}brand__in": sorted(self.scope.brands)})
        return found

    def sql(self) -> tuple[str, dict[str, Any]]:
        """The same as a condition on `p`, and its values."""
        parts = {
            "p.category_id = %(category)s": self.category,
            "p.brand = %(brand)s": self.brand or None,
            "p.brand = ANY(%(brands)s)": None if self.scope is None else sorted(self.scope.brands),
        }
        used = [part for part, value in parts.items() if value is not None]
        values = dict(zip(("category", "brand", "brands"), parts.values(), strict=True))
        return "".join(f" AND {part}" for part in used), values


@dataclass(frozen=True)
class Move:
    """How a price moved in a period: from its first to its last, over `times` changes."""

    pk: int
    code: str
    name: str
    brand: str
    category: str
    old: int
    new: int
    change: int
    percent: Any
    times: int
    at: datetime


@dataclass
class Counted:
    """Events of one category by kind; `pk` is its key."""

    pk: int
    name: str
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Kind.values, 0))

    @property
    def total(self) -> int:
        return sum(self.kinds.values())


def events_of(*, first: date, last: date, goods: Goods) -> QuerySet[PriceEvent]:
    """Events from `first` to `last`, both days included."""
    # All kinds by name: the index over kind and time then finds them.
    events = PriceEvent.objects.filter(kind__in=Kind.values, **between("created_at", first, last))
    return events.filter(goods.condition("product__"))


def counts_by_category(*, first: date, last: date, goods: Goods) -> list[Counted]:
    """How many events each category has by kind, those with the most first. Their sum is all events of the period."""

    def read() -> list[tuple[Any, ...]]:
        events = events_of(first=first, last=last, goods=goods).order_by()
        rows = events.values_list("product__category", "product__category__name", "product__category__code", "kind")
        return list(rows.annotate(Count("pk")))

    found: dict[int, Counted] = {}
    for pk, name, code, kind, number in cached(("counts_by_category", first, last, goods), read):
        found.setdefault(pk, Counted(pk, name or code)).kinds[kind] = number
    return sorted(found.values(), key=lambda one: (-one.total, one.name, one.pk))


def biggest_moves(
    *, first: date, last: date, goods: Goods, by: str = "percent", limit: int = MOVES
) -> tuple[list[Move], list[Move]]:
    """The largest rises and the largest falls of prices in the period, by one of BY."""
    condition, values = goods.sql()
    join = "JOIN products_product p ON p.id = e.product_id" if condition else ""
    sql = MOVED.format(join=join, condition=condition, rank=BY[by])
    values |= {"since": start_of_day(first), "until": start_of_day(last + timedelta(days=1)), "limit": limit}

    def read() -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    moves = [Move(*row) for row in cached(("biggest_moves", first, last, goods, by, limit), read)]
    column = BY[by]
    rises, falls = (
        sorted((move for move in moves if (move.change > 0) == up), key=lambda move: -abs(getattr(move, column) or 0))
        for up in (True, False)
    )
    return rises, falls


def lowest_now(*, days: int, goods: Goods, limit: int = LOWS, now: datetime | None = None) -> list[Product]:
    """Products on sale whose present price is below every other price seen in the last `days` days.

    The newest falls first, and only of the newest FALLS_LOOKED_AT.
    """
    since = (now or timezone.now()).replace(second=0, microsecond=0) - timedelta(days=days)
    fallen = Product.objects.filter(goods.condition(), change__lt=0, price_changed_at__gte=since, price_shown=True)
    newest = fallen.exclude(status=Product.Status.DELISTED).order_by(F("price_changed_at").desc(nulls_last=True), "-id")
    # An aggregate, not NOT EXISTS: PostgreSQL would join that with all spans.
    others = PriceSpan.objects.filter(
        product=OuterRef("pk"), observed_at__lt=OuterRef("price_changed_at"), last_seen_at__gte=since
    )
    floor = Subquery(others.order_by().values("product").annotate(lowest=Min("price")).values("lowest"))
    lows = Product.objects.filter(pk__in=newest.values("pk")[:FALLS_LOOKED_AT]).annotate(floor=floor)
    found = lows.filter(floor__gt=F("price")).select_related("category").order_by("-price_changed_at", "-id")
    return list(found[:limit])


def supply_events(*, first: date, last: date, goods: Goods, limit: int = SUPPLY_SHOWN) -> list[PriceEvent]:
    """What went and what came back in the period, the newest first."""
    events = events_of(first=first, last=last, goods=goods).filter(kind__in=SUPPLY)
    return list(events.select_related("product__category").order_by("-created_at", "-pk")[:limit])


def brands_with_moves(*, first: date, last: date) -> list[str]:
    """Brands by the number of their events in the period, at most BRANDS_OFFERED."""

    def read() -> list[str]:
        rows = events_of(first=first, last=last, goods=Goods()).exclude(product__brand="").order_by()
        counted = rows.values_list("product__brand").annotate(number=Count("pk")).order_by("-number", "product__brand")
        return [brand for brand, _ in counted[:BRANDS_OFFERED]]

    return sorted(cached(("brands_with_moves", first, last), read))

"""Targets of a month against its sales. Reads totals only, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from statistics import median

from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from momo.core.errors import NotFound
from momo.core.formats import percent_of
from momo.core.scope import Scope
from sales.figures import NAMELESS, Figures, exact_dollars, total
from sales.models import DayTotal, MonthTotal, Target
from sales.selectors.days import totals_of
from sales.selectors.lines import figures_by_day, sums_by_key
from sales.selectors.monthly import days_of

ALL = DayTotal.Dimension.ALL.value
MEASURES = {"amount": "業績", "gross_profit": "毛利"}
# How a target is spread over the days of its month.
LAST_YEAR, EQUAL = "last_year", "equal"
SHAPES = {
    LAST_YEAR: "依去年同月各星期幾的業績（中位數）分配到每一天",
    EQUAL: "去年同月沒有完整的銷售資料，平均分配到每一天",
}


@dataclass(frozen=True)
class Progress:
    """A target and how far it is; New Taiwan dollars, None if unknown or without a target."""

    target: Decimal | None
    actual: Decimal | None
    expected: Decimal | None  # the target's share of the days so far
    projected: Decimal | None  # at the end of the month, if the days left bring what the days so far did
    needed: Decimal | None  # what each day left must bring; None if no day is left

    @property
    def attainment(self) -> float | None:
        """Percent of the target."""
        return None if self.actual is None or not self.target else percent_of(self.actual, self.target)

    @property
    def ahead(self) -> Decimal | None:
        """How much more than expected it is; negative if behind."""
        return None if self.actual is None or self.expected is None else self.actual - self.expected


@dataclass(frozen=True)
class Attained:
    """One key against its targets."""

    key: str
    label: str
    amount: Progress
    gross_profit: Progress


@dataclass(frozen=True)
class TargetDay:
    """A day of the month: its part of the whole's target, and its sales; None after the last day with data."""

    date: date
    target: Decimal | None
    actual: Decimal | None


@dataclass(frozen=True)
class Attainment:
    """The targets of a month in one dimension.

    `until` is the last day that counts, `days_left` the days after it. `together` is the sum of `rows`. `difference` is
    by how much the targets of all keys of the dimension exceed that of the whole; None if one of them is missing.
    """

    month: date
    dimension: str
    until: date | None
    days_left: int
    shape: str
    whole: Attained
    rows: tuple[Attained, ...]
    together: Attained
    difference: dict[str, Decimal | None]
    days: tuple[TargetDay, ...]

    @property
    def has_targets(self) -> bool:
        """Whether the whole or a row has a target."""
        found = (self.whole, *self.rows)
        return any(one.target is not None for row in found for one in (row.amount, row.gross_profit))


def spread(cents: int, weights: Sequence[int]) -> list[int]:
    """`cents` over days in proportion to `weights`, which are not negative and not all 0; the sum is exact."""
    whole = sum(weights)
    upto = [cents * part // whole for part in accumulate(weights)]
    return [now - before for now, before in zip(upto, [0, *upto], strict=False)]


def shape_of(month: date) -> tuple[str, list[int]]:
    """LAST_YEAR or EQUAL, and a weight for each day of `month`.

    The weight of a day of the week is the median of these days in the same month a year ago, so that one campaign does
    not raise all days like it. Days are equal unless each day of the week had sales then.
    """
    days = days_of(month)
    before = days_of(month.replace(year=month.year - 1))
    amounts: dict[int, list[int]] = defaultdict(list)
    then = totals_of(dimension=ALL, keys=[""], first=before[0], last=before[-1])
    for day, amount in then.values_list("date", "amount"):
        amounts[day.weekday()].append(int(amount * 100))
    # Twice the median is a whole number of cents.
    weights = {weekday: int(2 * median(found)) for weekday, found in amounts.items()}
    if len(weights) < 7 or min(weights.values()) <= 0:
        return EQUAL, [1] * len(days)
    return LAST_YEAR, [weights[day.weekday()] for day in days]


def attainment(
    month: date,
    dimension: str = ALL,
    keys: Collection[str] | None = None,
    today: date | None = None,
    scope: Scope | None = None,
) -> Attainment:
    """The targets of `month` (any day of it) against the sales until `today`, by default the present day.

    `rows` are the keys with a target or sales, those with the largest target first: of `keys`, and of the user's
    `scope` where the dimension is PM or brand. Of the dimension ALL the only row is the whole. Days count until the
    last one with sales, of a past month all. At most four queries.
    """
    today, month = today or timezone.localdate(), month.replace(day=1)
    days = days_of(month)
    last = min(today, days[-1])
    shape, weights = shape_of(month)
    sold = figures_by_day(totals_of(dimension=ALL, keys=[""], first=month, last=last)) if last >= month else {}
    until = days[-1] if today > days[-1] else max(sold, default=None)
    passed = until.day if until else 0
    meter = _Meter(weights, passed)
    sums = sums_by_key(first=month, last=last, dimensions={ALL, dimension})
    targets = {
        (one.dimension, one.key): one for one in Target.objects.filter(month=month, dimension__in={ALL, dimension})
    }
    whole = meter.read("", "合計", targets.get((ALL, "")), sums.get(ALL, {}).get("", Figures()))
    children = {key: target for (of, key), target in targets.items() if of == dimension and of != ALL}
    found = sums.get(dimension, {}) if dimension != ALL else {}
    names = [key for key in {*children, *found} if _is_chosen(key, dimension, keys, scope)]
    rows = [meter.read(key, key or NAMELESS, children.get(key), found.get(key, Figures())) for key in names]
    rows.sort(key=lambda row: (-(row.amount.target or 0), -(row.amount.actual or 0), row.key))
    spreads = None if whole.amount.target is None else spread(_cents(whole.amount.target), weights)
    return Attainment(
        month=month,
        dimension=dimension,
        until=until,
        days_left=len(days) - passed,
        shape=shape,
        whole=whole,
        rows=tuple(rows) if dimension != ALL else (whole,),
        together=meter.read(
            "",
            "小計",
            _sum_of(children[key] for key in names if key in children),
            total(found.get(key, Figures()) for key in names),
        )
        if dimension != ALL
        else whole,
        difference={name: _difference(name, children.values(), targets.get((ALL, ""))) for name in MEASURES},
        days=tuple(
            TargetDay(
                day,
                None if spreads is None else exact_dollars(spreads[place]),
                exact_dollars(sold.get(day, Figures()).amount) if place < passed else None,
            )
            for place, day in enumerate(days)
        ),
    )


def targets() -> QuerySet[Target]:
    """All targets, the latest month first."""
    return Target.objects.order_by("-month", "dimension", "key")


def target_by_id(target_id: int) -> Target:
    """The target. Raises NotFound."""
    target = Target.objects.filter(pk=target_id).first()
    if target is None:
        raise NotFound("找不到這個目標")
    return target


def has_targets() -> bool:
    """Whether anybody has set a target."""
    return Target.objects.exists()


def keys_with_targets(*, year: int, dimension: str, keys: Collection[str]) -> set[str]:
    """Those of `keys` that have a target in a month of `year`."""
    found = Target.objects.filter(month__year=year, dimension=dimension, key__in=keys)
    return set(found.order_by().values_list("key", flat=True))


@dataclass(frozen=True)
class Grid:
    """A year of targets of one measure. `keys` are those of the page, of `total` keys.

    `together` is by month the sum over all keys of the dimension, `whole` the target of all sales.
    """

    keys: list[str]
    total: int
    cells: dict[tuple[str, date], Decimal | None]
    together: dict[date, Decimal | None]
    whole: dict[date, Decimal | None]


def target_grid(*, year: int, dimension: str, measure: str, start: int = 0, size: int = 50, q: str = "") -> Grid:
    """Keys with a target in `year`, then those that sold since the year before, the largest first.

    `q` keeps keys that contain it. A target without this measure is an empty cell. At most five queries.
    """
    of_year = Target.objects.filter(month__year=year).order_by()
    whole = dict(of_year.filter(dimension=ALL).values_list("month", measure))
    if dimension == ALL:
        return Grid([""], 1, {("", month): value for month, value in whole.items()}, {}, whole)
    planned = of_year.filter(dimension=dimension)
    sums = planned.values("month").annotate(value=Sum(measure)).values_list("month", "value")
    by_key = planned.values("key").annotate(money=Sum(measure)).order_by(F("money").desc(nulls_last=True), "key")
    sold = MonthTotal.objects.filter(dimension=dimension, month__year__range=(year - 1, year)).exclude(key="")
    sellers = sold.order_by().values("key").annotate(money=Sum("amount")).order_by("-money", "key")
    found = [*by_key.values_list("key", flat=True), *sellers.values_list("key", flat=True)]
    names = [key for key in dict.fromkeys(found) if q.lower() in key.lower()]
    page = names[start : start + size]
    rows = planned.filter(key__in=page).values_list("key", "month", measure)
    return Grid(page, len(names), {(key, month): value for key, month, value in rows}, dict(sums), whole)


class _Meter:
    """Reads keys of one month, whose days have `weights` and of which the first `passed` are over."""

    def __init__(self, weights: Sequence[int], passed: int) -> None:
        self.weights, self.passed, self.left = weights, passed, len(weights) - passed
        self.whole, self.so_far = sum(weights), sum(weights[:passed])

    def read(self, key: str, label: str, target: Target | None, sold: Figures) -> Attained:
        profit = sold.gross_profit if sold.lines else 0
        return Attained(
            key,
            label,
            self._progress(None if target is None else target.amount, sold.amount),
            self._progress(None if target is None else target.gross_profit, profit),
        )

    def _progress(self, target: Decimal | None, actual: int | None) -> Progress:
        aim = None if target is None else _cents(target)
        projected = needed = None
        if actual is not None and self.so_far:
            projected = _rounded(actual * self.whole, self.so_far)
        if aim is not None and actual is not None and self.left:
            needed = max(0, -(-(aim - actual) // self.left))  # rounded up, so that it suffices
        expected = None if aim is None else sum(spread(aim, self.weights)[: self.passed])
        return Progress(target, *map(exact_dollars, (actual, expected, projected, needed)))


def _is_chosen(key: str, dimension: str, keys: Collection[str] | None, scope: Scope | None) -> bool:
    if keys is not None and key not in keys:
        return False
    of_scope = {"pm": scope.pms, "brand": scope.brands} if scope else {}
    names = of_scope.get(dimension)
    return names is None or key in names


def _sum_of(targets: Iterable[Target]) -> Target:
    """The sum of targets, each measure None if no target has it."""
    found = list(targets)
    return Target(**{name: _sum(getattr(one, name) for one in found) for name in MEASURES})


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _difference(measure: str, children: Iterable[Target], parent: Target | None) -> Decimal | None:
    together, aim = _sum(getattr(one, measure) for one in children), getattr(parent, measure, None)
    return None if together is None or aim is None else together - aim


def _rounded(part: int, whole: int) -> int:
    """The quotient; halves away from zero."""
    size = (2 * abs(part) + whole) // (2 * whole)
    return size if part >= 0 else -size


def _cents(amount: Decimal) -> int:
    return int(amount * 100)

"""What boards show of a day, of a month and over time: the figures of `daily_sales`, `monthly_summary` and `trend`.

With a scope they are those of a user's PMs and brands. Totals have one dimension each, so they serve a scope of PMs
alone or brands alone; a scope of both, and the groups of a scope, need the sums of combinations.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from momo.core.scope import Scope
from sales.figures import Figures, total
from sales.models import DayTotal
from sales.selectors.daily import COMPARED
from sales.selectors.days import totals_of
from sales.selectors.from_lines import sums_from_lines
from sales.selectors.groups import GROUPS
from sales.selectors.lines import figures_by_day, latest_or_today, sums_by_key
from sales.selectors.monthly import days_of, last_of, to_date
from sales.selectors.trend import labels_of, trend

ALL = DayTotal.Dimension.ALL
MINE = "我的"  # the series of all keys of a scope
BY_KEY = tuple(dimension.value for dimension in GROUPS.values())
NONE = Figures()


@dataclass(frozen=True)
class Compared:
    """Figures of a key on a day, and on those days that it is compared with, by the names of COMPARED."""

    key: str
    now: Figures
    before: Mapping[str, Figures]

    def __add__(self, other: Compared) -> Compared:
        return Compared(
            self.key, self.now + other.now, {name: one + other.before[name] for name, one in self.before.items()}
        )


@dataclass(frozen=True)
class DayBoard:
    """A day: the whole, and by dimension (PM, brand, category) its keys, the largest amount first."""

    day: date
    whole: Compared
    groups: Mapping[str, list[Compared]]


def day_board(*, day: date | None = None, scope: Scope | None = None) -> DayBoard:
    """A day, by default the latest with data, with the days of COMPARED. Four queries."""
    day = day or latest_or_today()
    days = [day, *(day - back for back in COMPARED.values())]
    if scope is None:
        sums: list[dict[str, dict[str, Figures]]] = [sums_by_key(first=one, last=one) for one in days]
    else:
        found = sums_from_lines([(one, one) for one in days], BY_KEY, scope=scope)
        sums = [_grouped(found[place]) for place in range(len(days))]
    groups = {dimension: _compared(dimension, sums) for dimension in BY_KEY}
    whole = _compared(ALL, sums) or [Compared("", NONE, dict.fromkeys(COMPARED, NONE))]
    return DayBoard(day, whole[0], groups)


def _grouped(found: Mapping[tuple[Any, ...], Figures]) -> dict[str, dict[str, Figures]]:
    """Sums by dimension and key of sums by all of BY_KEY."""
    sums: dict[str, dict[str, Figures]] = defaultdict(dict)
    for keys, figures in found.items():
        for dimension, key in (*zip(BY_KEY, keys, strict=True), (ALL.value, "")):
            sums[dimension][key] = sums[dimension].get(key, NONE) + figures
    return sums


def _compared(dimension: str, sums: list[dict[str, dict[str, Figures]]]) -> list[Compared]:
    now, *before = (one.get(dimension, {}) for one in sums)
    keys = {key for one in (now, *before) for key in one}
    found = [
        Compared(
            key,
            now.get(key, NONE),
            {name: one.get(key, NONE) for name, one in zip(COMPARED, before, strict=True)},
        )
        for key in keys
    ]
    return sorted(found, key=lambda one: (-one.now.amount, one.key))


@dataclass(frozen=True)
class MonthDay:
    """A day of a calendar; None where there is no data."""

    day: date
    figures: Figures | None
    day_before: Figures | None
    week_before: Figures | None


@dataclass(frozen=True)
class MonthBoard:
    """A month: its days, their sum, and `to_date` as `month_to_date` of `monthly_summary`."""

    first: date
    days: list[MonthDay]
    whole: Figures
    to_date: dict[str, Any]


def month_board(*, month: date | None = None, scope: Scope | None = None) -> MonthBoard:
    """The month that begins on `month`, by default that of the latest day with data. At most five queries.

    Raises ValidationFailed for a scope of both PMs and brands with too many lines.
    """
    first = month or latest_or_today().replace(day=1)
    previous, last_year = (first - timedelta(days=1)).replace(day=1), first.replace(year=first.year - 1)
    days = days_of(first)
    found = figures_of_days([(previous, days[-1]), (last_year, days_of(last_year)[-1])], scope=scope)
    board = [
        MonthDay(day, found.get(day), found.get(day - timedelta(days=1)), found.get(day - timedelta(days=7)))
        for day in days
    ]
    whole = total(found.get(day, NONE) for day in days)
    return MonthBoard(first, board, whole, to_date(first, previous, last_year, found, last=last_of(first, found)))


def figures_of_days(periods: list[tuple[date, date]], *, scope: Scope | None = None) -> dict[date, Figures]:
    """Figures of each day with data in the periods, which do not overlap. Raises ValidationFailed as `read_lines`."""
    if scope is not None and scope.pms and scope.brands:
        found = sums_from_lines(periods, ("date",), scope=scope)
        return {day: figures for one in found.values() for (day,), figures in one.items()}
    dimension, keys = totals_of_scope(scope)
    days: dict[date, Figures] = {}
    for first, last in periods:
        days |= figures_by_day(totals_of(dimension=dimension, keys=keys, first=first, last=last))
    return days


def totals_of_scope(scope: Scope | None) -> tuple[str, list[str]]:
    """The dimension and keys whose totals are those of a scope; of one with both its PMs.

    Not both, since a line may be of one of the PMs and of one of the brands, and the sum would count it twice.
    """
    if not scope:
        return ALL.value, [""]
    if scope.pms:
        return DayTotal.Dimension.PM.value, sorted(scope.pms)
    return DayTotal.Dimension.BRAND.value, sorted(scope.brands)


def trend_board(
    *, start: date, end: date, dimension: str, interval: str, scope: Scope | None = None
) -> tuple[dict[str, Any], bool]:
    """`trend`, and whether it is of `scope` alone: no totals are of a user's part of a category.

    Raises ValidationFailed as `figures_of_days`.
    """
    asked: dict[str, Any] = {"start": start, "end": end, "interval": interval}
    if scope is not None and dimension == "none":
        return _trend_of_scope(**asked, scope=scope), True
    keys = {"pm": scope.pms, "brand": scope.brands}.get(dimension) if scope else None
    return trend(**asked, dimension=dimension, keys=sorted(keys) if keys else None), bool(keys)


def _trend_of_scope(*, start: date, end: date, interval: str, scope: Scope) -> dict[str, Any]:
    labels = labels_of(start, end, interval)
    sums = [NONE] * len(labels)
    for day, figures in figures_of_days([(start, end)], scope=scope).items():
        sums[bisect_right(labels, day) - 1] += figures
    columns = [one.as_dict() for one in sums]
    names = ("amount", "quantity", "gross_profit")
    return {
        "start_date": start,
        "end_date": end,
        "dimension": "none",
        "interval": interval,
        "dates": [label.isoformat() for label in labels],
        "series": [{"key": MINE, **{name: [one[name] for one in columns] for name in names}}],
    }

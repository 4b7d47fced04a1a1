"""One month: totals, days and comparisons. Reads totals only, in a fixed number of queries."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.db import connection

from sales.figures import Figures, total
from sales.models import DayTotal
from sales.selectors.groups import CENTS, groups
from sales.selectors.lines import latest_or_today

MONTHS = f"""
SELECT t.month, t.dimension, t.key, {CENTS.format("t")}
FROM sales_monthtotal t
WHERE t.dimension <> 'vendor' AND (t.month = %(month)s OR t.month = ANY(%(before)s) AND t.dimension = 'all')
"""  # noqa: S608 - names of columns

DAYS = f"""
SELECT t.date, {CENTS.format("t")}
FROM unnest(%(months)s::date[]) AS m(month)
JOIN sales_daytotal t ON t.date >= m.month AND t.date < m.month + interval '1 month'
WHERE t.dimension = 'all' AND t.key = ''
"""  # noqa: S608 - names of columns


def monthly_summary(*, year: int | None = None, month: int | None = None) -> dict[str, Any]:
    """A month, by default that of the latest day with data.

    `month_to_date` ends on the month's last day with data. It is compared with as many days of the previous month and
    of the same month a year ago, or with the whole month if that is shorter.
    """
    first = date(year, month, 1) if year and month else latest_or_today().replace(day=1)
    previous, last_year = (first - timedelta(days=1)).replace(day=1), first.replace(year=first.year - 1)
    months: dict[date, dict[str, dict[str, Figures]]] = defaultdict(lambda: defaultdict(dict))
    with connection.cursor() as cursor:
        cursor.execute(MONTHS, {"month": first, "before": [previous, last_year]})
        for when, dimension, key, *figures in cursor.fetchall():
            months[when][dimension][key] = Figures(*figures)
        cursor.execute(DAYS, {"months": [first, previous, last_year]})
        days = {day: Figures(*figures) for day, *figures in cursor.fetchall()}
    whole = {when: months[when][DayTotal.Dimension.ALL].get("", Figures()) for when in (first, previous, last_year)}
    return {
        "year": first.year,
        "month": first.month,
        "totals": whole[first].as_dict(),
        "days": [{"date": day, **days.get(day, Figures()).as_dict()} for day in days_of(first)],
        **groups(months[first], whole[first]),
        "month_on_month": _month(previous, whole[first], whole[previous]),
        "year_on_year": _month(last_year, whole[first], whole[last_year]),
        "month_to_date": to_date(first, previous, last_year, days, last=last_of(first, days)),
    }


def days_of(first: date, count: int = 31) -> list[date]:
    """The first `count` days of a month, or all if it has fewer."""
    length = monthrange(first.year, first.month)[1]
    return [first + timedelta(days=number) for number in range(min(count, length))]


def _month(when: date, now: Figures, then: Figures) -> dict[str, Any]:
    return {"year": when.year, "month": when.month, **now.against(then)}


def last_of(month: date, days: Iterable[date]) -> date | None:
    """The last of `days` in the month that begins on `month`."""
    return max((day for day in days if day.replace(day=1) == month), default=None)


def to_date(
    first: date, previous: date, last_year: date, days: Mapping[date, Figures], *, last: date | None
) -> dict[str, Any]:
    """The month that begins on `first` up to `last`, against as many days of the months `previous` and `last_year`."""
    count = last.day if last else 0

    def until(month: date) -> tuple[dict[str, Any], Figures]:
        span = days_of(month, count)
        ends = {"start_date": span[0] if span else None, "end_date": span[-1] if span else None}
        return ends, total(days.get(day, Figures()) for day in span)

    ends, now = until(first)
    made: dict[str, Any] = {"days": count, "current": {**ends, **now.as_dict()}}
    for name, month in (("previous_month", previous), ("last_year", last_year)):
        ends, then = until(month)
        made[name] = {**ends, **now.against(then)}
    return made

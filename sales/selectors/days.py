"""Days with sales: versions, chart, and searches by key. Reads totals and claims, never lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Sum

from momo.core.days import each_day
from sales.models import DayClaim, DayTotal, MonthTotal
from sales.selectors.groups import GROUPS

CHART_DAYS = 60


def days_in_force(*, source: str, dates: Collection[date]) -> int:
    """The number of `dates` for which the report `source` has data in force."""
    return DayClaim.objects.filter(owns__source=source, owns__date__in=list(dates)).count()


def claims_of_day(*, date: date, source: str) -> QuerySet[DayClaim]:
    """All versions of a day, that of the newest import first, each with its import."""
    return DayClaim.objects.filter(date=date, source=source).select_related("job__created_by").order_by("-job_id")


def days_without_data(*, first: date, last: date) -> list[date]:
    """The days from `first` to `last` that no report brought, but none before the first day that any did."""
    days = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL, key="")
    begin = days.order_by("date").values_list("date", flat=True).first()
    if begin is None or begin > last:
        return []
    known = set(days.filter(date__range=(first, last)).values_list("date", flat=True))
    return [day for day in each_day(max(first, begin), last) if day not in known]


def chart_of_days(*, days: int = CHART_DAYS) -> dict[str, Any]:
    """`dates`, `amount` and `gross_profit` (New Taiwan dollars) of the last `days` days with sales, oldest first."""
    totals = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL).order_by("-date")
    rows = list(totals.values_list("date", "amount", "gross_profit")[:days])[::-1]
    return {
        "dates": [day.isoformat() for day, _, _ in rows],
        "amount": [float(amount) for _, amount, _ in rows],
        "gross_profit": [None if profit is None else float(profit) for _, _, profit in rows],
    }


def days_with(
    *, keys: Mapping[str, Sequence[str]], first: date | None = None, last: date | None = None
) -> QuerySet[DayTotal, date]:
    """Days from `first` to `last` with lines of each dimension's keys, newest first.

    `keys` is dimension → keys, of which a day needs one; empty is any day.
    """
    (dimension, names), *others = keys.items() or ((DayTotal.Dimension.ALL, [""]),)
    days = totals_of(dimension=dimension, keys=names, first=first, last=last)
    for dimension, names in others:
        days = days.filter(Exists(totals_of(dimension=dimension, keys=names).filter(date=OuterRef("date"))))
    dates = days.order_by("-date").values_list("date", flat=True)
    return dates if len(names) == 1 and not others else dates.distinct()


def totals_of(
    *, dimension: str, keys: Sequence[str], first: date | None = None, last: date | None = None
) -> QuerySet[DayTotal]:
    """Totals by day of some keys of a dimension."""
    totals = DayTotal.objects.filter(dimension=dimension)
    totals = totals.filter(key=keys[0]) if len(keys) == 1 else totals.filter(key__in=keys)
    if first:
        totals = totals.filter(date__gte=first)
    return totals.filter(date__lte=last) if last else totals


def biggest_keys(*, dimension: str, days: Collection[date] | QuerySet[DayTotal, date], limit: int) -> list[str]:
    """Keys of `dimension` by their amount on `days`, the largest first, at most `limit`."""
    sums = DayTotal.objects.filter(dimension=dimension, date__in=days).values("key").order_by()
    return list(sums.annotate(money=Sum("amount")).order_by("-money", "key").values_list("key", flat=True)[:limit])


def names_of_scopes() -> list[str]:
    """The PMs and brands that any month has: what users may look after."""
    wanted = (DayTotal.Dimension.PM, DayTotal.Dimension.BRAND)
    return [key for dimension, key in keys_with_sales() if key and dimension in wanted]


def keys_with_sales() -> list[tuple[str, str]]:
    """All brands, PMs and categories that any month has, as (dimension, key), the empty key included."""
    months = MonthTotal.objects.filter(dimension__in=[one.value for one in GROUPS.values()])
    return list(months.order_by("dimension", "key").values_list("dimension", "key").distinct())

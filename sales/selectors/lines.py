"""Lines in force, and the latest day with data."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from sales.figures import Figures
from sales.models import DayOwner, DayTotal, SalesLine

_SUMMED = ("lines", "quantity", "amount", "cost", "gross_profit", "margin_base")


def latest_date() -> date | None:
    """The latest day with data."""
    latest: date | None = DayOwner.objects.aggregate(latest=Max("date"))["latest"]
    return latest


def has_days() -> bool:
    """Whether any day is in force."""
    return DayOwner.objects.exists()


def latest_or_today() -> date:
    """The latest day with data; before the first import, today."""
    return latest_date() or timezone.localdate()


def lines_of(day: date) -> QuerySet[SalesLine]:
    """The lines in force of one day, in the order of the reports.

    A first query finds the imports in force. With their ids instead of a join, a page reads only the rows of that page,
    not of the whole day.
    """
    jobs = DayOwner.objects.filter(date=day).values_list("claim__lines_job_id", flat=True)
    return SalesLine.objects.filter(date=day, job_id__in=list(jobs)).order_by("job_id", "row", "id")


def lines_in_force(lines: QuerySet[SalesLine]) -> QuerySet[SalesLine]:
    """Those of `lines` whose import is in force for their day."""
    return lines.filter(Exists(DayOwner.objects.filter(date=OuterRef("date"), claim__lines_job_id=OuterRef("job_id"))))


def sum_of_totals(totals: QuerySet[DayTotal]) -> Figures:
    """The sum of totals by day: that of all their lines, without reading a line."""
    return _figures(totals.order_by().aggregate(**{name: Sum(name) for name in _SUMMED}))


def sums_by_key(*, first: date, last: date, dimensions: Collection[str] | None = None) -> dict[str, dict[str, Figures]]:
    """Sums of totals by day from `first` to `last`, by dimension and key; by default of all dimensions but vendors."""
    totals = DayTotal.objects.filter(date__range=(first, last))
    if dimensions is None:
        totals = totals.exclude(dimension=DayTotal.Dimension.VENDOR)
    else:
        totals = totals.filter(dimension__in=dimensions)
    columns = [Sum(name) for name in _SUMMED]
    sums: dict[str, dict[str, Figures]] = {}
    for dimension, key, *values in totals.order_by().values_list("dimension", "key").annotate(*columns):
        sums.setdefault(dimension, {})[key] = _figures(dict(zip(_SUMMED, values, strict=True)))
    return sums


def figures_by_day(totals: QuerySet[DayTotal]) -> dict[date, Figures]:
    """Totals by day, added up over their keys."""
    columns = [Sum(name) for name in _SUMMED]
    sums = totals.order_by().values_list("date").annotate(*columns)
    return {day: _figures(dict(zip(_SUMMED, values, strict=True))) for day, *values in sums}


def sum_of_lines(lines: QuerySet[SalesLine]) -> Figures:
    """The sum of lines, which are all read."""
    known = Q(gross_profit__isnull=False)
    sums = {name: Sum(name) for name in ("quantity", "amount", "cost", "gross_profit")}
    return _figures(
        lines.order_by().aggregate(lines=Count("pk"), margin_base=Sum("amount", filter=known), **sums),
    )


def _figures(sums: dict[str, Any]) -> Figures:
    return Figures(
        lines=sums["lines"] or 0,
        quantity=sums["quantity"] or 0,
        amount=_cents(sums["amount"]) or 0,
        cost=_cents(sums["cost"]),
        gross_profit=_cents(sums["gross_profit"]),
        margin_base=_cents(sums["margin_base"]),
    )


def _cents(amount: Any) -> int | None:
    return None if amount is None else int(amount * 100)

"""Lines in force, and the latest day with data."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from sales.models import DayOwner, SalesLine


def latest_date() -> date | None:
    """The latest day with data."""
    latest: date | None = DayOwner.objects.aggregate(latest=Max("date"))["latest"]
    return latest


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

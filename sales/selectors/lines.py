"""Which lines count, and which days have any."""

from __future__ import annotations

from datetime import date

from django.db.models import Max, QuerySet
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
    """The lines in force of one day, as the reports have them. Reads which imports those are at once.

    The import is named, not joined: one page of a day then reads the rows of that page, not of the day.
    """
    jobs = DayOwner.objects.filter(date=day).values_list("claim__lines_job_id", flat=True)
    return SalesLine.objects.filter(date=day, job_id__in=list(jobs)).order_by("job_id", "row", "id")

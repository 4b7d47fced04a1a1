"""Calendar days in Taipei: their bounds as moments, and ranges of days that are refused."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from momo.core.errors import ValidationFailed

# Days that a parameter may name: outside of them moments cannot be computed in every time zone.
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)


def each_day(first: date, last: date) -> list[date]:
    """The days from `first` to `last`, both included; none if `last` is before `first`."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def start_of_day(day: date) -> datetime:
    """Midnight in Taipei at the beginning of `day`."""
    return datetime.combine(day, time.min, timezone.get_default_timezone())


def between(field: str, first: date | None, last: date | None) -> dict[str, datetime]:
    """Lookups for `filter` that keep the moments `field` from `first` to `last`, both days included; None is no bound.

    The upper bound is the start of the next day, so that no moment of the last day is lost.
    """
    lookups = {}
    if first is not None:
        lookups[f"{field}__gte"] = start_of_day(first)
    if last is not None and last < date.max:
        lookups[f"{field}__lt"] = start_of_day(last + timedelta(days=1))
    return lookups


def check_range(start: date | None, end: date | None, *, max_years: int | None = None) -> None:
    """Raise ValidationFailed (field `start_date`) if the range ends before it starts or is longer than `max_years`."""
    if start is None or end is None:
        return
    if start > end:
        raise ValidationFailed(fields={"start_date": ["起始日不可晚於結束日"]})
    if max_years is not None and (end - start).days >= 366 + 365 * (max_years - 1):
        raise ValidationFailed(fields={"start_date": [f"期間最長 {max_years} 年，請縮短範圍"]})

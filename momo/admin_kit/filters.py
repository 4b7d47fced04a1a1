"""Filters over time, in days and hours of Taipei."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str


def start_of(days_ago: int = 0) -> datetime:
    """Midnight in Taipei, today or `days_ago` days before."""
    return datetime.combine(timezone.localdate() - timedelta(days=days_ago), time.min, timezone.get_default_timezone())


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both included. Unfold's own compares times with dates and so loses the last day."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        zone = timezone.get_default_timezone()
        first = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_from", ""))
        last = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_to", ""))
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": datetime.combine(first, time.min, zone)})
        if last:
            after = last + timedelta(days=1)
            queryset = queryset.filter(**{f"{self.field_path}__lt": datetime.combine(after, time.min, zone)})
        return queryset


class WithinFilter(DropdownFilter):
    """Only rows of the last hours or days; a subclass names its `field`."""

    title = "時間範圍"
    parameter_name = "within"
    field = "created_at"
    HOURS = {"24h": 24, "7d": 7 * 24, "30d": 30 * 24}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("24h", "24 小時內"), ("7d", "7 天內"), ("30d", "30 天內")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        hours = self.HOURS.get(self.value() or "")
        if hours is None:
            return queryset
        return queryset.filter(**{f"{self.field}__gte": timezone.now() - timedelta(hours=hours)})


def within(field: str) -> type[WithinFilter]:
    """A `WithinFilter` over `field`."""
    return type("WithinFilter", (WithinFilter,), {"field": field})

"""Filters of lists: one of a few conditions, ranges of days in Taipei, and the last hours or days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from momo.core.days import between

# Label and condition of each value; the value "" is what the list shows without a choice.
Choices = Mapping[str, tuple[str, Q]]


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both included. Unfold's filter compares times with dates and loses the last day."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_from", ""))
        last = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_to", ""))
        return queryset.filter(**between(self.field_path, first, last))


class ChoiceFilter(DropdownFilter):
    """A filter by one of the choices that `offered` returns; a value that is none of them finds nothing."""

    offered: Callable[[], Choices]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        choices = {value: label for value, (label, _) in self.offered().items()}
        if "" in choices:
            self.all_option = ["", choices.pop("")]
        return list(choices.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        choices, chosen = {"": ("", Q()), **self.offered()}, self.value() or ""
        return queryset.filter(choices[chosen][1]) if chosen in choices else queryset.none()


def choice_filter(title: str, parameter: str, offered: Callable[[], Choices]) -> type[ChoiceFilter]:
    """A `ChoiceFilter`, which reads `parameter` of the page's address."""
    names = {"title": title, "parameter_name": parameter, "offered": staticmethod(offered)}
    return type("ChoiceFilter", (ChoiceFilter,), names)


def within(field: str) -> type[ChoiceFilter]:
    """A filter of the rows of the last hours or days by `field`."""

    def offered() -> Choices:
        spans = (("24h", "24 小時內", 1), ("7d", "7 天內", 7), ("30d", "30 天內", 30))
        # To the minute, as the start page counts.
        now = timezone.now().replace(second=0, microsecond=0)
        return {value: (label, Q(**{f"{field}__gte": now - timedelta(days=days)})) for value, label, days in spans}

    return choice_filter("時間範圍", "within", offered)

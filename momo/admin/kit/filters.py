"""Filters of lists: one or several of some conditions, ranges of days in Taipei, and the last hours or days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import (
    AutocompleteSelectMultipleFilter,
    DropdownFilter,
    MultipleChoicesDropdownFilter,
    MultipleDropdownFilter,
    RangeDateFilter,
)
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


class _Several:
    """Values of an address without the empty ones: `?status__exact=` is no choice."""

    all_option = None  # nothing chosen is everything
    lookup_val: list[str] | None

    def value(self) -> list[str]:
        return [value for value in self.lookup_val or () if value]


class ChoicesFilter(_Several, MultipleChoicesDropdownFilter):
    """Rows with any of the chosen values of a field with choices."""


class RowsFilter(_Several, AutocompleteSelectMultipleFilter):
    """Rows that refer to any of the chosen rows."""


class NamesFilter(MultipleDropdownFilter):
    """Rows with any of the chosen names, such as PMs; in the address stands what is chosen, offered or not."""

    all_option: Any = None

    @property
    def names(self) -> list[str]:
        """The chosen names."""
        return list(dict.fromkeys(name for name in self.request.GET.getlist(self.parameter_name or "") if name))

    def offered(self) -> list[str]:
        """The names that are offered beside the chosen ones."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in dict.fromkeys([*self.offered(), *self.names])]

    def has_output(self) -> bool:
        return True


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


class AnyOfFilter(ChoiceFilter):
    """As `ChoiceFilter`, with rows of any of the chosen values."""

    multiple = True
    all_option: Any = None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(request, *args, **kwargs)

    def value(self) -> Any:
        return [value for value in self.request.GET.getlist(self.parameter_name or "") if value]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        choices, chosen = self.offered(), self.value()
        if not chosen:
            return queryset
        known = [choices[value][1] for value in chosen if value in choices]
        return queryset.filter(reduce(or_, known)) if known else queryset.none()


def any_of(title: str, parameter: str, offered: Callable[[], Choices]) -> type[AnyOfFilter]:
    """An `AnyOfFilter`, which reads `parameter` of the page's address."""
    names = {"title": title, "parameter_name": parameter, "offered": staticmethod(offered)}
    return type("AnyOfFilter", (AnyOfFilter,), names)


def within(field: str) -> type[ChoiceFilter]:
    """A filter of the rows of the last hours or days by `field`."""

    def offered() -> Choices:
        spans = (("24h", "24 小時內", 1), ("7d", "7 天內", 7), ("30d", "30 天內", 30))
        # To the minute, as the start page counts.
        now = timezone.now().replace(second=0, microsecond=0)
        return {value: (label, Q(**{f"{field}__gte": now - timedelta(days=days)})) for value, label, days in spans}

    return choice_filter("時間範圍", "within", offered)

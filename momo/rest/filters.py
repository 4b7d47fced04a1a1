"""Strict filters: an unknown value or sort field is 400, never silently ignored.

Unknown parameter names are ignored, since links carry parameters of other tools.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, QuerySet
from django_filters import filters
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_filters.rest_framework.filterset import FILTER_FOR_DBFIELD_DEFAULTS
from drf_spectacular.plumbing import build_parameter_type
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from momo.core.days import EARLIEST, LATEST, between, check_range
from momo.core.errors import ValidationFailed

BOOLEANS = {"": None, "true": True, "1": True, "false": False, "0": False}
# Options of a field for a day, in a form and in a serializer: `YYYY-MM-DD` from `EARLIEST` to `LATEST`.
DAY_OPTIONS: dict[str, Any] = {
    "input_formats": ["%Y-%m-%d"],
    "error_messages": {"invalid": "請輸入有效的日期，格式為 YYYY-MM-DD"},
    "validators": [MinValueValidator(EARLIEST, "日期超出可用範圍"), MaxValueValidator(LATEST, "日期超出可用範圍")],
}
_Model = TypeVar("_Model", bound=models.Model)


class StrictBooleanField(forms.Field):
    """`true`/`1`, `false`/`0`, or empty."""

    def to_python(self, value: Any) -> bool | None:
        text = "" if value is None else str(value).strip().lower()
        if text not in BOOLEANS:
            raise ValidationError("請輸入 true 或 false", code="invalid")
        return BOOLEANS[text]


class DayField(serializers.DateField):
    """An optional day in a query serializer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **DAY_OPTIONS, **kwargs)


class StrictBooleanFilter(filters.BooleanFilter):
    """As django-filter's, but an unknown value is refused; theirs would take `maybe` for "no filter"."""

    field_class = StrictBooleanField


class IsoDateFilter(filters.DateFilter):
    """A day in Taipei."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**DAY_OPTIONS, **kwargs)


class StrictFilterSet(FilterSet):
    """Base of every filter set of the API."""

    FILTER_DEFAULTS = FILTER_FOR_DBFIELD_DEFAULTS | {
        models.BooleanField: {"filter_class": StrictBooleanFilter},
        models.DateField: {"filter_class": IsoDateFilter},
    }


class DateRangeFilterSet(StrictFilterSet):
    """`start_date` and `end_date`, days in Taipei, both included, on the datetime field `range_field`."""

    range_field = "created_at"

    start_date = IsoDateFilter(method="from_day", label="起始日（含），YYYY-MM-DD，1970 至 2199 年")
    end_date = IsoDateFilter(method="to_day", label="結束日（含），YYYY-MM-DD，1970 至 2199 年")

    def from_day(self, queryset: QuerySet[_Model], name: str, value: dt.date) -> QuerySet[_Model]:
        return queryset.filter(**between(self.range_field, value, None))

    def to_day(self, queryset: QuerySet[_Model], name: str, value: dt.date) -> QuerySet[_Model]:
        return queryset.filter(**between(self.range_field, None, value))

    def filter_queryset(self, queryset: QuerySet[_Model]) -> QuerySet[_Model]:
        check_range(self.form.cleaned_data.get("start_date"), self.form.cleaned_data.get("end_date"))
        filtered: QuerySet[_Model] = super().filter_queryset(queryset)
        return filtered


class StrictFilterBackend(DjangoFilterBackend):
    """Uses the view's `filterset_class`; invalid values are 400 with `fields`."""

    filterset_base = StrictFilterSet


class Ordering:
    """`sort_by` and `order`, checked against an allow-list.

    `fields` maps public names to ORM paths. Rows without a value come last in both directions, but only for paths in
    `nullable`, because with `NULLS LAST` PostgreSQL cannot read a plain index backwards. The primary key breaks ties,
    in the direction of the field, so that pages never overlap.
    """

    def __init__(
        self,
        fields: Mapping[str, str] | Iterable[str],
        *,
        default: str,
        order: str = "desc",
        nullable: Iterable[str] = (),
    ) -> None:
        self.fields = dict(fields) if isinstance(fields, Mapping) else {name: name for name in fields}
        self.default, self.order, self.nullable = default, order, frozenset(nullable)

    def choose(self, params: Mapping[str, str]) -> tuple[str, str]:
        """Public field name and direction of a query string. Raises ValidationFailed."""
        field, order = params.get("sort_by") or self.default, params.get("order") or self.order
        if field not in self.fields:
            raise ValidationFailed(fields={"sort_by": [f"不支援的排序欄位；可用：{'、'.join(self.fields)}"]})
        if order not in {"asc", "desc"}:
            raise ValidationFailed(fields={"order": ["請輸入 asc 或 desc"]})
        return field, order

    def apply(self, queryset: QuerySet[_Model], params: Mapping[str, str]) -> QuerySet[_Model]:
        """`queryset` in the order that a query string names. Raises ValidationFailed."""
        name, order = self.choose(params)
        path = self.fields[name]
        last = True if path in self.nullable else None
        if order == "asc":
            return queryset.order_by(F(path).asc(nulls_last=last), "pk")
        return queryset.order_by(F(path).desc(nulls_last=last), "-pk")

    def parameters(self) -> list[dict[str, Any]]:
        """The two parameters in OpenAPI's form."""
        return [
            build_parameter_type(
                name="sort_by",
                location="query",
                description="排序欄位",
                schema={"type": "string", "enum": list(self.fields), "default": self.default},
            ),
            build_parameter_type(
                name="order",
                location="query",
                description="排序方向；沒有值的資料永遠排在最後",
                schema={"type": "string", "enum": ["asc", "desc"], "default": self.order},
            ),
        ]


class OrderingBackend(BaseFilterBackend):
    """Uses the view's `ordering`, an `Ordering`."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        ordering: Ordering = view.ordering
        return ordering.apply(queryset, request.query_params)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        ordering: Ordering = view.ordering
        return ordering.parameters()

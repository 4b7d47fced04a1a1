"""Filters that refuse what they do not understand: an unknown value or sort field is 400, never silently ignored.

Unknown parameter names are left alone; links carry names of other tools.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, QuerySet
from django.utils import timezone
from django_filters import filters
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from django_filters.rest_framework.filterset import FILTER_FOR_DBFIELD_DEFAULTS
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from momo.rest.errors import ValidationFailed

TRUE, FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})
EARLIEST, LATEST = dt.date(1970, 1, 1), dt.date(2199, 12, 31)
_Model = TypeVar("_Model", bound=models.Model)


class StrictBooleanField(forms.Field):
    """`true`/`1`, `false`/`0`, or nothing."""

    def to_python(self, value: Any) -> bool | None:
        text = str(value).strip().lower() if value is not None else ""
        if text == "":
            return None
        if text in TRUE:
            return True
        if text in FALSE:
            return False
        raise ValidationError("請輸入 true 或 false", code="invalid")


class IsoDateField(forms.DateField):
    """`YYYY-MM-DD` between 1970 and 2199: outside of it moments cannot be computed in every time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def to_python(self, value: Any) -> dt.date | None:
        try:
            date = super().to_python(value)
        except ValidationError as error:
            raise ValidationError("請輸入有效的日期，格式為 YYYY-MM-DD", code="invalid") from error
        if date is not None and not EARLIEST <= date <= LATEST:
            raise ValidationError("日期超出可用範圍", code="invalid")
        return date


class StrictBooleanFilter(filters.BooleanFilter):
    """REST framework's own takes `maybe` for "no filter"."""

    field_class = StrictBooleanField


class IsoDateFilter(filters.DateFilter):
    """A local date."""

    field_class = IsoDateField


class StrictFilterSet(FilterSet):
    """Base of every filter set of the API."""

    FILTER_DEFAULTS = FILTER_FOR_DBFIELD_DEFAULTS | {
        models.BooleanField: {"filter_class": StrictBooleanFilter},
        models.DateField: {"filter_class": IsoDateFilter},
    }


def day_start(date: dt.date) -> dt.datetime:
    """The first moment of a local day."""
    return timezone.make_aware(dt.datetime.combine(date, dt.time()))


class DateRangeFilterSet(StrictFilterSet):
    """`start_date` and `end_date`, both local days and both included, on the moment `range_field`."""

    range_field = "created_at"

    start_date = IsoDateFilter(method="from_day", label="起始日（含），YYYY-MM-DD，1970 至 2199 年")
    end_date = IsoDateFilter(method="to_day", label="結束日（含），YYYY-MM-DD，1970 至 2199 年")

    def from_day(self, queryset: QuerySet[_Model], name: str, value: dt.date) -> QuerySet[_Model]:
        return queryset.filter(**{f"{self.range_field}__gte": day_start(value)})

    def to_day(self, queryset: QuerySet[_Model], name: str, value: dt.date) -> QuerySet[_Model]:
        return queryset.filter(**{f"{self.range_field}__lt": day_start(value + dt.timedelta(days=1))})

    def filter_queryset(self, queryset: QuerySet[_Model]) -> QuerySet[_Model]:
        start, end = self.form.cleaned_data.get("start_date"), self.form.cleaned_data.get("end_date")
        if start and end and start > end:
            raise ValidationFailed(fields={"start_date": ["起始日不可晚於結束日"]})
        filtered: QuerySet[_Model] = super().filter_queryset(queryset)
        return filtered


class StrictFilterBackend(DjangoFilterBackend):
    """Uses the view's `filterset_class`; what it refuses is 400 with `fields`."""

    filterset_base = StrictFilterSet


class Ordering:
    """`sort_by` and `order` against an allow-list.

    `fields` maps public names to ORM paths. Rows without a value come last in both directions; only paths named in
    `nullable` pay for that, because `NULLS LAST` keeps PostgreSQL from reading a plain index backwards. The primary key
    breaks ties, in the direction of the field, so pages never overlap.
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
        """Public name and direction from a query string. Raises ValidationFailed."""
        field, order = params.get("sort_by") or self.default, params.get("order") or self.order
        if field not in self.fields:
            raise ValidationFailed(fields={"sort_by": [f"不支援的排序欄位；可用：{'、'.join(self.fields)}"]})
        if order not in {"asc", "desc"}:
            raise ValidationFailed(fields={"order": ["請輸入 asc 或 desc"]})
        return field, order

    def apply(self, queryset: QuerySet[_Model], params: Mapping[str, str]) -> QuerySet[_Model]:
        """`queryset` in the order that a query string asks for. Raises ValidationFailed."""
        name, order = self.choose(params)
        path = self.fields[name]
        last = True if path in self.nullable else None
        if order == "asc":
            return queryset.order_by(F(path).asc(nulls_last=last), "pk")
        return queryset.order_by(F(path).desc(nulls_last=last), "-pk")

    def parameters(self) -> list[dict[str, Any]]:
        """The two parameters as OpenAPI describes them."""
        return [
            {
                "name": "sort_by",
                "in": "query",
                "required": False,
                "description": "排序欄位",
                "schema": {"type": "string", "enum": list(self.fields), "default": self.default},
            },
            {
                "name": "order",
                "in": "query",
                "required": False,
                "description": "排序方向；沒有值的資料永遠排在最後",
                "schema": {"type": "string", "enum": ["asc", "desc"], "default": self.order},
            },
        ]


class OrderingBackend(BaseFilterBackend):
    """Uses the view's `ordering`, an Ordering."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        ordering: Ordering = view.ordering
        return ordering.apply(queryset, request.query_params)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        ordering: Ordering = view.ordering
        return ordering.parameters()

"""Parameters of the lists of alarms, targets, campaigns and notes of a day."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters

from momo.core.days import check_range
from momo.core.errors import ValidationFailed
from momo.rest.filters import IsoDateFilter, StrictBooleanFilter, StrictFilterSet
from sales.api.plan_serializers import month_of
from sales.models import Alarm, Campaign, DayNote, Target
from sales.selectors.alarms import OPEN


class TargetFilter(StrictFilterSet):
    """Of `GET /api/sales/targets`."""

    month = filters.CharFilter(method="of_month", label="月份，YYYY-MM", max_length=7)
    dimension = filters.ChoiceFilter(choices=Target.DIMENSIONS, label="維度")
    key = filters.CharFilter(label="名稱，完全相同", max_length=200)

    class Meta:
        model = Target
        fields = ("dimension", "key")

    def of_month(self, queryset: QuerySet[Target], name: str, value: str) -> QuerySet[Target]:
        try:
            return queryset.filter(month=month_of(value))
        except ValueError as error:
            raise ValidationFailed(fields={name: [str(error)]}) from error


class _DaysFilterSet(StrictFilterSet):
    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        check_range(self.form.cleaned_data.get("start_date"), self.form.cleaned_data.get("end_date"))
        found: QuerySet[Any] = super().filter_queryset(queryset)
        return found


class CampaignFilter(_DaysFilterSet):
    """Of `GET /api/sales/campaigns`."""

    kind = filters.ChoiceFilter(choices=Campaign.Kind.choices, label="種類")
    start_date = IsoDateFilter(field_name="last", lookup_expr="gte", label="在這天或之後還沒有結束的")
    end_date = IsoDateFilter(field_name="first", lookup_expr="lte", label="在這天或之前開始的（不計預熱）")

    class Meta:
        model = Campaign
        fields = ("kind",)


class NoteFilter(_DaysFilterSet):
    """Of `GET /api/sales/notes`."""

    start_date = IsoDateFilter(field_name="date", lookup_expr="gte", label="起始日（含）")
    end_date = IsoDateFilter(field_name="date", lookup_expr="lte", label="結束日（含）")

    class Meta:
        model = DayNote
        fields = ()


class AlarmFilter(_DaysFilterSet):
    """Of `GET /api/sales/alarms`."""

    kind = filters.ChoiceFilter(choices=Alarm.Kind.choices, label="種類")
    dimension = filters.ChoiceFilter(choices=Alarm.Dimension.choices, label="維度")
    open = StrictBooleanFilter(method="is_open", label="true：沒有人處理、原因也還在的")
    start_date = IsoDateFilter(field_name="date", lookup_expr="gte", label="起始日（含）")
    end_date = IsoDateFilter(field_name="date", lookup_expr="lte", label="結束日（含）")

    class Meta:
        model = Alarm
        fields = ("kind", "dimension")

    def is_open(self, queryset: QuerySet[Alarm], name: str, value: bool) -> QuerySet[Alarm]:
        return queryset.filter(OPEN) if value else queryset.exclude(OPEN)

"""Query parameters and bodies of the reports' endpoints."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from momo.reports.models import Report
from momo.rest.filters import DayField

FORMATS = ("html", "xlsx", "pptx")


@extend_schema_field({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"})
class ClockField(serializers.TimeField):
    """An hour and a minute, `08:30`; what JSON Schema calls a time has seconds and an offset."""


class ReportSerializer(serializers.ModelSerializer[Report]):
    """A report: what is sent when."""

    kind = serializers.ChoiceField(Report.Kind.choices, help_text="daily 每天、weekly 每週一、monthly 每月 1 日")
    at = ClockField(format="%H:%M", help_text="台北時間")
    wait_until = ClockField(format="%H:%M", allow_null=True, help_text="資料沒有到齊時最晚等到；null 不等")
    sections = serializers.ListField(child=serializers.CharField(), help_text="內容的代碼，依報表的順序")

    class Meta:
        model = Report
        fields = ("id", "name", "kind", "at", "wait_until", "sections", "pms", "brands", "categories", "is_active")


class PreviewQuerySerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/reports/{report_id}/preview."""

    date = DayField(help_text="日期，YYYY-MM-DD；週報與月報是這一天所在的週與月；預設為最近有資料的一天")
    format = serializers.ChoiceField(
        FORMATS,
        required=False,
        default="html",
        error_messages={"invalid_choice": "請輸入 html、xlsx 或 pptx"},
        help_text="html（郵件的樣子）、xlsx（Excel）或 pptx（PowerPoint）",
    )

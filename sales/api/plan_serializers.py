"""Query parameters and bodies of targets, campaigns and notes of a day. Amounts are New Taiwan dollars."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from momo.rest.filters import DAY_OPTIONS
from momo.rest.serializers import ListField, StrictSerializer
from sales.models import Campaign, DayNote, Target
from sales.models.campaigns import MAX_BRANDS, MAX_NOTE, MAX_PRODUCTS, MAX_WARM_UP
from sales.models.targets import MONEY_DIGITS
from sales.selectors.targets import SHAPES

_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def month_of(text: str) -> date:
    """The first day of the month `YYYY-MM`. Raises ValueError with a message for users."""
    if _MONTH.fullmatch(text) is None:
        raise ValueError("請輸入月份，格式為 YYYY-MM，2000 年到 2099 年")
    return date.fromisoformat(f"{text}-01")


@extend_schema_field({"type": "string", "pattern": f"^{_MONTH.pattern}$"})
class MonthField(serializers.CharField):
    """A month, `YYYY-MM`: as a value its first day."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return month_of(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Any) -> str:
        return f"{value:%Y-%m}"


def _goal(help_text: str) -> serializers.DecimalField:
    return serializers.DecimalField(
        MONEY_DIGITS,
        2,
        min_value=0,
        required=False,
        allow_null=True,
        help_text=f"{help_text}，新台幣元；null 為沒有目標",
    )


# --- Targets ---------------------------------------------------------------------------------------------------------


class TargetSerializer(serializers.ModelSerializer[Target]):
    """A target."""

    month = MonthField(help_text="月份")
    key = serializers.CharField(help_text="PM、品牌或分類的名稱；合計為空字串")

    class Meta:
        model = Target
        fields = ("id", "month", "dimension", "key", "amount", "gross_profit")


class NewTargetSerializer(StrictSerializer):
    """A target to be created."""

    any_of: ClassVar[tuple[str, ...]] = ("amount", "gross_profit")
    month = MonthField(help_text="月份，YYYY-MM")
    dimension = serializers.ChoiceField(choices=Target.DIMENSIONS)
    key = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="`all` 沒有名稱，其他要有")
    amount = _goal("業績目標")
    gross_profit = _goal("毛利目標")


class TargetChangesSerializer(NewTargetSerializer):
    """Changes of a target; a missing field is not changed. Other fields of GET may be sent back: they are ignored."""

    also = frozenset(TargetSerializer.Meta.fields)
    any_of = ()
    month = MonthField(required=False)
    dimension = serializers.ChoiceField(choices=Target.DIMENSIONS, required=False)


class AttainmentQuerySerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/sales/targets/attainment."""

    month = MonthField(required=False, help_text="月份，YYYY-MM；預設為最近一個有資料的月份")
    dimension = serializers.ChoiceField(choices=Target.DIMENSIONS, required=False, default="pm", help_text="維度")


class TargetProgressSerializer(serializers.Serializer[Any]):
    """A target and how far it is; null if unknown or without a target."""

    target = serializers.FloatField(allow_null=True, help_text="目標")
    actual = serializers.FloatField(allow_null=True, help_text="實績")
    attainment = serializers.FloatField(allow_null=True, help_text="達成率，百分比")
    expected = serializers.FloatField(allow_null=True, help_text="至今應達")
    ahead = serializers.FloatField(allow_null=True, help_text="超前；負數為落後")
    projected = serializers.FloatField(allow_null=True, help_text="月底預估")
    needed = serializers.FloatField(allow_null=True, help_text="剩下的每一天要多少")


class AttainedSerializer(serializers.Serializer[Any]):
    """One key against its targets."""

    key = serializers.CharField(help_text="名稱；報表沒有填的為空字串")
    amount = TargetProgressSerializer(help_text="業績")
    gross_profit = TargetProgressSerializer(help_text="毛利")


class DifferenceSerializer(serializers.Serializer[Any]):
    """By how much the targets of all keys exceed that of the whole; null if one of them is missing."""

    amount = serializers.FloatField(allow_null=True)
    gross_profit = serializers.FloatField(allow_null=True)


class AttainmentSerializer(serializers.Serializer[Any]):
    """The answer of GET /api/sales/targets/attainment."""

    month = serializers.CharField()
    dimension = serializers.CharField()
    until = serializers.DateField(allow_null=True, help_text="計算到哪一天；還沒有銷售資料時為 null")
    days_left = serializers.IntegerField(help_text="之後還有幾天")
    shape = serializers.ChoiceField(
        choices=[(name, text) for name, text in SHAPES.items()], help_text="目標如何分配到每一天"
    )
    whole = AttainedSerializer(help_text="全部銷售")
    difference = DifferenceSerializer(help_text="各名稱的目標相加，比合計目標多多少")
    items = AttainedSerializer(many=True, help_text="目標大的在前")
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    per_page = serializers.IntegerField()
    total_pages = serializers.IntegerField()


# --- Campaigns -------------------------------------------------------------------------------------------------------


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign."""

    class Meta:
        model = Campaign
        fields = ("id", "kind", "name", "first", "last", "warm_up_days", "brands", "products", "note", "from_rule")


class NewCampaignSerializer(StrictSerializer):
    """A campaign to be created."""

    kind = serializers.ChoiceField(choices=Campaign.Kind.choices, required=False)
    name = serializers.CharField(max_length=60)
    first = serializers.DateField(**DAY_OPTIONS, help_text="首日")
    last = serializers.DateField(**DAY_OPTIONS, help_text="末日（含）")
    warm_up_days = serializers.IntegerField(min_value=0, max_value=MAX_WARM_UP, required=False)
    brands = ListField(
        child=serializers.CharField(max_length=120), max_length=MAX_BRANDS, required=False, help_text="限定品牌"
    )
    products = ListField(
        child=serializers.CharField(max_length=30), max_length=MAX_PRODUCTS, required=False, help_text="限定品號"
    )
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class CampaignChangesSerializer(NewCampaignSerializer):
    """Changes of a campaign; a missing field is not changed. Other fields of GET may be sent back: they are ignored."""

    also = frozenset(CampaignSerializer.Meta.fields)
    name = serializers.CharField(max_length=60, required=False)
    first = serializers.DateField(**DAY_OPTIONS, required=False)
    last = serializers.DateField(**DAY_OPTIONS, required=False)


# --- Notes -----------------------------------------------------------------------------------------------------------


class NoteSerializer(serializers.ModelSerializer[DayNote]):
    """A note of a day."""

    author = serializers.CharField(
        source="author.username", default=None, allow_null=True, help_text="帳號；已刪除時為 null"
    )

    class Meta:
        model = DayNote
        fields = ("id", "date", "text", "author", "created_at")


class NewNoteSerializer(StrictSerializer):
    """A note to be written."""

    date = serializers.DateField(**DAY_OPTIONS)
    text = serializers.CharField(max_length=MAX_NOTE)


class NoteChangesSerializer(NewNoteSerializer):
    """Changes of a note; a missing field is not changed. Other fields of GET may be sent back: they are ignored."""

    also = frozenset(NoteSerializer.Meta.fields)
    date = serializers.DateField(**DAY_OPTIONS, required=False)
    text = serializers.CharField(max_length=MAX_NOTE, required=False)

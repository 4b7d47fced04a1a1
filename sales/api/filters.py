"""Query parameters of the sales endpoints: what may be asked, and its description."""

from __future__ import annotations

from datetime import date
from typing import Any

from rest_framework import serializers

from momo.rest.filters import EARLIEST, LATEST
from sales.exports import FORMATS
from sales.models import SalesLine
from sales.selectors.trend import DIMENSIONS, INTERVALS, MAX_TOP, TOP


def _longest(name: str) -> int:
    return getattr(SalesLine._meta.get_field(name), "max_length", None) or 0


class DayField(serializers.DateField):
    """A local day, `YYYY-MM-DD`."""

    default_error_messages = {
        "invalid": "請輸入有效的日期，格式為 YYYY-MM-DD",
        "range": "日期超出可用範圍",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], required=False, **kwargs)

    def to_internal_value(self, value: Any) -> date:
        day: date = super().to_internal_value(value)
        if not EARLIEST <= day <= LATEST:
            self.fail("range")
        return day


def _choice(choices: tuple[str, ...], **kwargs: Any) -> serializers.ChoiceField:
    words = "、".join(choices[:-1]) + f" 或 {choices[-1]}"
    return serializers.ChoiceField(
        choices, required=False, error_messages={"invalid_choice": f"請輸入 {words}"}, **kwargs
    )


class DailyQuery(serializers.Serializer):
    date = DayField(help_text="日期，YYYY-MM-DD；預設為最近有資料的一天")
    pm = serializers.CharField(
        required=False, max_length=_longest("pm"), help_text="只看這位 PM；「未分類」為沒有 PM 的資料"
    )
    brand = serializers.CharField(
        required=False, max_length=_longest("brand"), help_text="只看這個品牌；「未分類」為沒有品牌的資料"
    )


class MonthQuery(serializers.Serializer):
    year = serializers.IntegerField(
        required=False, min_value=EARLIEST.year + 1, max_value=LATEST.year, help_text="西元年；預設為最近有資料的月份"
    )
    month = serializers.IntegerField(
        required=False, min_value=1, max_value=12, help_text="月份，1 至 12；與 year 一起提供"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, other in (("year", "month"), ("month", "year")):
            if name in attrs and other not in attrs:
                raise serializers.ValidationError({other: ["year 與 month 請一起提供"]})
        return attrs


class TrendQuery(serializers.Serializer):
    start_date = DayField(help_text="起始日（含）；預設為到結束日為止的 30 天")
    end_date = DayField(help_text="結束日（含）；預設為最近有資料的一天；期間最長 3 年")
    dimension = _choice(DIMENSIONS, default="none", help_text="依品牌、PM 或分類分成數條；預設為合計一條")
    interval = _choice(INTERVALS, default="day", help_text="每天、每週（以週一的日期表示）或每月（以 1 日表示）")
    top = serializers.IntegerField(
        required=False,
        default=TOP,
        min_value=1,
        max_value=MAX_TOP,
        help_text="業績最高的幾個，其餘合為「其他」",
    )


class ExportQuery(serializers.Serializer):
    date = DayField(help_text="日期，YYYY-MM-DD；預設為最近有資料的一天")
    format = _choice(tuple(FORMATS), default="excel", help_text="excel 或 csv（UTF-8，有位元組順序記號）")

"""Query parameters and bodies of the sales endpoints.

Body serializers only describe: selectors return the answers ready. Amounts are New Taiwan dollars.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from momo.core.days import EARLIEST, LATEST
from momo.rest.filters import DayField
from sales.exports import FORMATS
from sales.models import SalesLine
from sales.selectors.trend import DIMENSIONS, INTERVALS, MAX_TOP, TOP

# --- Query parameters ------------------------------------------------------------------------------------------------


def _longest(name: str) -> int:
    return getattr(SalesLine._meta.get_field(name), "max_length", None) or 0


def _choice(choices: tuple[str, ...], **kwargs: Any) -> serializers.ChoiceField:
    listed = "、".join(choices[:-1]) + f" 或 {choices[-1]}"
    return serializers.ChoiceField(
        choices, required=False, error_messages={"invalid_choice": f"請輸入 {listed}"}, **kwargs
    )


class DailyQuerySerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/daily_sales."""

    date = DayField(help_text="日期，YYYY-MM-DD；預設為最近有資料的一天")
    pm = serializers.CharField(
        required=False, max_length=_longest("pm"), help_text="只看這位 PM；「未分類」為沒有 PM 的資料"
    )
    brand = serializers.CharField(
        required=False, max_length=_longest("brand"), help_text="只看這個品牌；「未分類」為沒有品牌的資料"
    )


class MonthlyQuerySerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/monthly_summary."""

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


class TrendQuerySerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/sales/trend."""

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


class ExportQuerySerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/export/daily_sales."""

    date = DayField(help_text="日期，YYYY-MM-DD；預設為最近有資料的一天")
    format = _choice(tuple(FORMATS), default="excel", help_text="excel 或 csv（UTF-8，有位元組順序記號）")


# --- Bodies ----------------------------------------------------------------------------------------------------------


class FiguresSerializer(serializers.Serializer[Any]):
    """Figures of a day, a month, a span or a key."""

    quantity = serializers.IntegerField(help_text="數量")
    amount = serializers.FloatField(help_text="業績，新台幣元")
    cost = serializers.FloatField(allow_null=True, help_text="成本，新台幣元；報表沒有成本時為 null")
    gross_profit = serializers.FloatField(allow_null=True, help_text="毛利，新台幣元；報表沒有毛利時為 null")
    margin = serializers.FloatField(allow_null=True, help_text="毛利率，百分比；毛利不明或業績不大於 0 時為 null")
    lines = serializers.IntegerField(help_text="明細列數")


class ChangeSerializer(serializers.Serializer[Any]):
    """Differences of two periods."""

    quantity = serializers.IntegerField()
    amount = serializers.FloatField()
    gross_profit = serializers.FloatField(allow_null=True)


class ChangePercentSerializer(serializers.Serializer[Any]):
    """Differences in percent; null if the earlier value is 0."""

    quantity = serializers.FloatField(allow_null=True)
    amount = serializers.FloatField(allow_null=True)
    gross_profit = serializers.FloatField(allow_null=True)


class AgainstSerializer(FiguresSerializer):
    """Figures of an earlier period, and the differences of the current one from them."""

    change = ChangeSerializer(help_text="增減")
    change_percent = ChangePercentSerializer(help_text="增減的百分比")


class AgainstDaySerializer(AgainstSerializer):
    """A comparison with another day."""

    date = serializers.DateField()


class AgainstMonthSerializer(AgainstSerializer):
    """A comparison with another month."""

    year = serializers.IntegerField()
    month = serializers.IntegerField()


class AgainstSpanSerializer(AgainstSerializer):
    """A comparison with another span of days; the days are null if the span is empty."""

    start_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)


class SpanSerializer(FiguresSerializer):
    """Figures of a span of days; the days are null if the span is empty."""

    start_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)


class GroupSerializer(FiguresSerializer):
    """Figures of one key, and its share of the whole."""

    key = serializers.CharField(help_text="名稱；報表沒有填的為「未分類」")
    share = serializers.FloatField(allow_null=True, help_text="占業績的百分比")


class LineSerializer(serializers.Serializer[Any]):
    """One line of a report."""

    id = serializers.IntegerField()
    product_id = serializers.CharField(help_text="momo 的品號")
    product_name = serializers.CharField()
    brand = serializers.CharField()
    category = serializers.CharField()
    pm = serializers.CharField()
    vendor_code = serializers.CharField()
    vendor_name = serializers.CharField()
    quantity = serializers.IntegerField()
    amount = serializers.FloatField(help_text="業績，新台幣元")
    cost = serializers.FloatField(allow_null=True)
    gross_profit = serializers.FloatField(allow_null=True)
    margin = serializers.FloatField(allow_null=True, help_text="毛利率，百分比")


class ComparisonSerializer(serializers.Serializer[Any]):
    """Comparisons of a day."""

    previous_day = AgainstDaySerializer(help_text="前一天")
    same_weekday_last_week = AgainstDaySerializer(help_text="上週同一天")


class DailySerializer(serializers.Serializer[Any]):
    """The answer of GET /api/daily_sales."""

    date = serializers.DateField()
    summary = FiguresSerializer()
    comparison = ComparisonSerializer()
    by_pm = GroupSerializer(many=True)
    by_brand = GroupSerializer(many=True)
    by_category = GroupSerializer(many=True)
    items = LineSerializer(many=True)
    total = serializers.IntegerField(help_text="明細總列數")
    page = serializers.IntegerField()
    per_page = serializers.IntegerField()
    total_pages = serializers.IntegerField()


class DayFiguresSerializer(FiguresSerializer):
    """Figures of one day of a month."""

    date = serializers.DateField()


class MonthToDateSerializer(serializers.Serializer[Any]):
    """The month up to its last day with data, and comparisons."""

    days = serializers.IntegerField(help_text="月初至最近有資料的一天，共幾天")
    current = SpanSerializer()
    previous_month = AgainstSpanSerializer(help_text="上個月的同樣天數")
    last_year = AgainstSpanSerializer(help_text="去年同月的同樣天數")


class MonthlySerializer(serializers.Serializer[Any]):
    """The answer of GET /api/monthly_summary."""

    year = serializers.IntegerField()
    month = serializers.IntegerField()
    totals = FiguresSerializer()
    days = DayFiguresSerializer(many=True, help_text="每天一列，沒有資料的日子為 0")
    by_pm = GroupSerializer(many=True)
    by_brand = GroupSerializer(many=True)
    by_category = GroupSerializer(many=True)
    month_on_month = AgainstMonthSerializer(help_text="上個月")
    year_on_year = AgainstMonthSerializer(help_text="去年同月")
    month_to_date = MonthToDateSerializer(help_text="月初至今")


class SeriesSerializer(serializers.Serializer[Any]):
    """One key over time; the lists have one value for each of `dates`."""

    key = serializers.CharField()
    amount = serializers.ListField(child=serializers.FloatField(), help_text="業績，新台幣元")
    quantity = serializers.ListField(child=serializers.IntegerField())
    gross_profit = serializers.ListField(
        child=serializers.FloatField(allow_null=True), help_text="毛利，新台幣元；報表沒有毛利時為 null"
    )


class TrendSerializer(serializers.Serializer[Any]):
    """The answer of GET /api/sales/trend."""

    start_date = serializers.DateField()
    end_date = serializers.DateField()
    dimension = serializers.CharField()
    interval = serializers.CharField()
    dates = serializers.ListField(child=serializers.DateField())
    series = SeriesSerializer(many=True, help_text="業績高的在前，「其他」最後；沒有資料的日子為 0")

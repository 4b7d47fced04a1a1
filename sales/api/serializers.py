"""Bodies of the sales endpoints, for their description: selectors write them as they are answered.

Amounts are New Taiwan dollars, with cents only where there are some.
"""

from __future__ import annotations

from rest_framework import serializers


class FiguresSerializer(serializers.Serializer):
    quantity = serializers.IntegerField(help_text="數量")
    amount = serializers.FloatField(help_text="業績，新台幣元")
    cost = serializers.FloatField(allow_null=True, help_text="成本，新台幣元；報表沒有成本時為 null")
    gross_profit = serializers.FloatField(allow_null=True, help_text="毛利，新台幣元；報表沒有毛利時為 null")
    margin = serializers.FloatField(allow_null=True, help_text="毛利率，百分比；毛利不明或業績不大於 0 時為 null")
    lines = serializers.IntegerField(help_text="明細列數")


class ChangeSerializer(serializers.Serializer):
    quantity = serializers.IntegerField()
    amount = serializers.FloatField()
    gross_profit = serializers.FloatField(allow_null=True)


class ChangePercentSerializer(serializers.Serializer):
    """Null where there was nothing before."""

    quantity = serializers.FloatField(allow_null=True)
    amount = serializers.FloatField(allow_null=True)
    gross_profit = serializers.FloatField(allow_null=True)


class AgainstSerializer(FiguresSerializer):
    """The figures of then, and how far those of now are from them."""

    change = ChangeSerializer(help_text="增減")
    change_percent = ChangePercentSerializer(help_text="增減的百分比")


class AgainstDaySerializer(AgainstSerializer):
    date = serializers.DateField()


class AgainstMonthSerializer(AgainstSerializer):
    year = serializers.IntegerField()
    month = serializers.IntegerField()


class AgainstSpanSerializer(AgainstSerializer):
    start_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)


class SpanSerializer(FiguresSerializer):
    start_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)


class GroupSerializer(FiguresSerializer):
    key = serializers.CharField(help_text="名稱；報表沒有填的為「未分類」")
    share = serializers.FloatField(allow_null=True, help_text="佔業績的百分比")


class LineSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    product_id = serializers.CharField(help_text="品號，即 momo 的商品編號")
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


class ComparisonSerializer(serializers.Serializer):
    previous_day = AgainstDaySerializer(help_text="前一天")
    same_weekday_last_week = AgainstDaySerializer(help_text="上週同一天")


class DailySerializer(serializers.Serializer):
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
    date = serializers.DateField()


class MonthToDateSerializer(serializers.Serializer):
    days = serializers.IntegerField(help_text="月初至最近有資料的一天，共幾天")
    current = SpanSerializer()
    previous_month = AgainstSpanSerializer(help_text="上個月的同樣天數")
    last_year = AgainstSpanSerializer(help_text="去年同月的同樣天數")


class MonthlySerializer(serializers.Serializer):
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


class SeriesSerializer(serializers.Serializer):
    key = serializers.CharField()
    amount = serializers.ListField(child=serializers.FloatField(), help_text="業績，新台幣元")
    quantity = serializers.ListField(child=serializers.IntegerField())
    gross_profit = serializers.ListField(
        child=serializers.FloatField(allow_null=True), help_text="毛利，新台幣元；報表沒有毛利時為 null"
    )


class TrendSerializer(serializers.Serializer):
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    dimension = serializers.CharField()
    interval = serializers.CharField()
    dates = serializers.ListField(child=serializers.DateField())
    series = SeriesSerializer(many=True, help_text="業績高的在前，「其他」最後；沒有資料的日子為 0")

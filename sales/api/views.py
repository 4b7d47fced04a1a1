"""Views of daily and monthly sales, trends, and the lines of a day as a file."""

from __future__ import annotations

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from momo.rest.examples import answered
from momo.rest.pagination import Pagination
from momo.rest.permissions import USER
from momo.rest.views import ApiView
from momo.sheets.write import CONTENT_TYPES, XLSX
from sales.api import examples
from sales.api.serializers import (
    DailyQuerySerializer,
    DailySerializer,
    ExportQuerySerializer,
    MonthlyQuerySerializer,
    MonthlySerializer,
    TrendQuerySerializer,
    TrendSerializer,
)
from sales.exports import FORMATS, export
from sales.selectors.daily import daily_sales
from sales.selectors.lines import latest_or_today
from sales.selectors.monthly import monthly_summary
from sales.selectors.trend import span, trend

TAGS = ["銷售"]
PAGES = [
    OpenApiParameter(
        parameter["name"], parameter["schema"], OpenApiParameter.QUERY, description=parameter["description"]
    )
    for parameter in Pagination().get_schema_operation_parameters(None)
]


class DailySalesView(ApiView):
    """GET /api/daily_sales."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="daily_sales",
        tags=TAGS,
        summary="每日銷售",
        description="一天的合計、與前一天及上週同一天的比較、依 PM／品牌／分類的小計，以及明細。沒有資料時各項為 0。",
        parameters=[DailyQuerySerializer, *PAGES],
        responses=DailySerializer,
        examples=[answered("一天", examples.DAY)],
    )
    def get(self, request: Request) -> Response:
        given = self.query(DailyQuerySerializer)
        pagination = Pagination()
        start, size = pagination.window(request)
        data = daily_sales(
            day=given.get("date"), pm=given.get("pm", ""), brand=given.get("brand", ""), start=start, size=size
        )
        pagination.total = data["total"]
        return self.answer({**data, **pagination.body(data["items"])})


class MonthlySummaryView(ApiView):
    """GET /api/monthly_summary."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="monthly_summary",
        tags=TAGS,
        summary="每月彙總",
        description="一個月的合計與每日數字，與上個月、去年同月的比較，以及月初至今對同樣天數的比較。",
        parameters=[MonthlyQuerySerializer],
        responses=MonthlySerializer,
        examples=[answered("一個月", examples.MONTH)],
    )
    def get(self, request: Request) -> Response:
        return self.answer(monthly_summary(**self.query(MonthlyQuerySerializer)))


class TrendView(ApiView):
    """GET /api/sales/trend."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="sales_trend",
        tags=TAGS,
        summary="銷售趨勢",
        description="期間內每天、每週或每月的業績、銷量與毛利；沒有資料的日子為 0。",
        parameters=[TrendQuerySerializer],
        responses=TrendSerializer,
        examples=[answered("依品牌", examples.TREND)],
    )
    def get(self, request: Request) -> Response:
        given = self.query(TrendQuerySerializer)
        start, end = span(start=given.pop("start_date", None), end=given.pop("end_date", None))
        return self.answer(trend(start=start, end=end, **given))


class ExportDailySalesView(ApiView):
    """GET /api/export/daily_sales."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="export_daily_sales",
        tags=TAGS,
        summary="匯出每日銷售明細",
        description="一天的明細，Excel 或 CSV 檔。",
        parameters=[ExportQuerySerializer],
        responses={
            (200, XLSX): OpenApiResponse(OpenApiTypes.BINARY),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request) -> FileResponse:
        given = self.query(ExportQuerySerializer)
        name, handle = export(day=given.get("date") or latest_or_today(), format=given["format"])
        return FileResponse(
            handle, as_attachment=True, filename=name, content_type=CONTENT_TYPES[FORMATS[given["format"]]]
        )

"""Views of reports: the list, and the report of any past day in each of its forms."""

from __future__ import annotations

import io

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from momo.reports.api.serializers import PreviewQuerySerializer, ReportSerializer
from momo.reports.models import Report
from momo.reports.selectors import last_day, report_by_id, reports
from momo.reports.services.files import DOWNLOADS, PPTX, forms_of
from momo.rest.examples import answered
from momo.rest.permissions import USER
from momo.rest.views import ApiView, GenericApiView
from momo.sheets.write import XLSX

TAGS = ["報表"]
REPORT_ID = OpenApiParameter("report_id", int, OpenApiParameter.PATH, description="報表的 `id`")
EXAMPLE = {
    "id": 1,
    "name": "銷售日報",
    "kind": "daily",
    "at": "08:30",
    "wait_until": "11:00",
    "sections": ["sales_summary", "sales_by_brand"],
    "pms": [],
    "brands": ["水潤"],
    "categories": [],
    "is_active": True,
}


class ReportListView(GenericApiView):
    """GET /api/reports."""

    roles = {"GET": USER}
    queryset = Report.objects.none()
    serializer_class = ReportSerializer

    def get_queryset(self) -> QuerySet[Report]:
        return reports()

    @extend_schema(
        operation_id="report_list",
        tags=TAGS,
        summary="定期報表清單",
        description="依名稱排序。收件者不在這裡列出。",
        responses={200: ReportSerializer(many=True)},
        examples=[answered("清單", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.get_queryset(), ReportSerializer)


class ReportPreviewView(ApiView):
    """GET /api/reports/{report_id}/preview."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="report_preview",
        tags=TAGS,
        summary="報表預覽",
        description="一份報表在任何一天的內容，不會寄出。各種格式的數字相同；缺少的資料會註明。",
        parameters=[REPORT_ID, PreviewQuerySerializer],
        responses={
            (200, "text/html"): OpenApiResponse(OpenApiTypes.BINARY),
            (200, XLSX): OpenApiResponse(OpenApiTypes.BINARY),
            (200, PPTX): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request, report_id: int) -> HttpResponse | FileResponse:
        report = report_by_id(report_id)
        given = self.query(PreviewQuerySerializer)
        day = given.get("date") or last_day()
        forms = forms_of(report, day=day)
        if given["format"] == "html":
            return HttpResponse(forms.page)
        file = DOWNLOADS[given["format"]](forms)
        content = io.BytesIO(file.content)
        return FileResponse(content, as_attachment=True, filename=file.name, content_type=file.content_type)

"""REST API of templates: read, change and render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from momo.rest.examples import answered, sent
from momo.rest.permissions import MANAGER, USER
from momo.rest.views import ApiView, GenericApiView
from notifications.api import examples
from notifications.api.serializers import (
    RenderedSerializer,
    RenderSerializer,
    TemplateChangesSerializer,
    TemplateSerializer,
    TemplateSummarySerializer,
    TemplateVersionSerializer,
)
from notifications.models import Template, TemplateVersion
from notifications.services.templates import (
    render_template,
    save_template,
    template_by_code,
    templates,
    versions_of,
)

NOTIFICATIONS = ["通知"]
CODE = OpenApiParameter(
    "code",
    {"type": "string", "pattern": "^[a-z][a-z0-9_]{1,39}$"},
    OpenApiParameter.PATH,
    description="範本代碼，例如 disk_warning",
)
SAVED = [sent("改內文", examples.CHANGES), answered("已儲存", examples.TEMPLATE)]


class RenderView(ApiView):
    """POST /api/notification/render."""

    roles = {"POST": USER}
    failures = frozenset({404})

    @extend_schema(
        operation_id="notification_render",
        tags=NOTIFICATIONS,
        summary="以範本產生內容",
        description="只產生文字，不寄送；給 n8n 使用。缺少或多出的變數為 400，並指出是哪一個。",
        request=RenderSerializer,
        responses=RenderedSerializer,
        examples=[sent("磁碟警告", examples.RENDER), answered("內容", examples.RENDERED)],
    )
    def post(self, request: Request) -> Response:
        given = self.body(RenderSerializer)
        template = template_by_code(given["code"])
        return self.answer({"code": template.code, **asdict(render_template(template, given["variables"]))})


class TemplateListView(GenericApiView):
    """GET /api/notification/templates."""

    roles = {"GET": USER}
    queryset = Template.objects.none()
    serializer_class = TemplateSummarySerializer

    @extend_schema(
        operation_id="notification_templates_list",
        tags=NOTIFICATIONS,
        summary="通知範本",
        description="依代碼排序；內文與變數在單筆查詢裡。",
        responses={200: TemplateSummarySerializer(many=True)},
        examples=[answered("清單", examples.SUMMARY)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(templates()), TemplateSummarySerializer)


@extend_schema(parameters=[CODE])
class TemplateView(ApiView):
    """GET, PUT, PATCH /api/notification/templates/{code}."""

    roles = {"GET": USER, "PUT": MANAGER, "PATCH": MANAGER}

    @extend_schema(
        operation_id="notification_templates_retrieve",
        tags=NOTIFICATIONS,
        summary="一個通知範本",
        responses=TemplateSerializer,
        examples=[answered("範本", examples.TEMPLATE)],
    )
    def get(self, request: Request, code: str) -> Response:
        return self.answer(TemplateSerializer(template_by_code(code)).data)

    @extend_schema(
        operation_id="notification_templates_update",
        tags=NOTIFICATIONS,
        summary="修改通知範本",
        description="省略的欄位維持不變，不認得的欄位為 400。無法編譯、用到沒有宣告的變數或不安全的範本為 400，"
        "並指出第幾行；內容有變才會多一個版本。",
        request=TemplateChangesSerializer,
        responses=TemplateSerializer,
        examples=SAVED,
    )
    def put(self, request: Request, code: str) -> Response:
        changes = self.body(TemplateChangesSerializer)
        # A body with the code of another template was meant for that template, so the service refuses it.
        given = request.data or {}
        named = {"code": given["code"]} if isinstance(given, Mapping) and "code" in given else {}
        template = save_template(template=template_by_code(code), user=cast(User, request.user), **changes, **named)
        return self.answer(TemplateSerializer(template).data, message="範本已儲存")

    @extend_schema(
        operation_id="notification_templates_partial_update",
        tags=NOTIFICATIONS,
        summary="修改通知範本（同 PUT）",
        request=TemplateChangesSerializer,
        responses=TemplateSerializer,
        examples=SAVED,
    )
    def patch(self, request: Request, code: str) -> Response:
        return self.put(request, code)


@extend_schema(parameters=[CODE])
class TemplateVersionsView(GenericApiView):
    """GET /api/notification/templates/{code}/versions."""

    roles = {"GET": USER}
    queryset = TemplateVersion.objects.none()
    serializer_class = TemplateVersionSerializer

    @extend_schema(
        operation_id="notification_templates_versions",
        tags=NOTIFICATIONS,
        summary="通知範本的版本",
        description="由新到舊，包含完整內容。",
        responses={200: TemplateVersionSerializer(many=True)},
        examples=[answered("版本", examples.VERSION)],
    )
    def get(self, request: Request, code: str) -> Response:
        rows = self.filter_queryset(versions_of(template_by_code(code)))
        return self.page(rows, TemplateVersionSerializer)

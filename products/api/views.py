"""Endpoints of products, their history and workbooks, and of crawls."""

from __future__ import annotations

from typing import cast

from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentView
from accounts.models import User
from momo.celery import workers_alive
from momo.core.days import check_range
from momo.core.errors import NotFound, ValidationFailed
from momo.rest.encoding import dumps
from momo.rest.examples import answered, sent
from momo.rest.filters import DateRangeFilterSet, OrderingBackend, StrictFilterBackend
from momo.rest.pagination import Pagination
from momo.rest.permissions import MANAGER, USER
from momo.rest.views import ApiView, GenericApiView
from momo.sheets.write import XLSX
from products.api import examples
from products.api.filters import ORDERING, ProductFilter, listing
from products.api.serializers import (
    CrawlerStatusSerializer,
    HistoryPointSerializer,
    NotifiedSerializer,
    ProductSerializer,
    RunStartedSerializer,
    RunTaskSerializer,
    history_point,
)
from products.exports import KINDS, workbook
from products.models import CrawlRun, PriceSpan, Product
from products.selectors import crawls
from products.selectors.products import history_of
from products.services.notify import notify_price_events
from products.services.runs import start_run


class ProductListView(GenericApiView):
    """GET /api/products."""

    roles = {"GET": USER}
    bare = True
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    filter_backends = (StrictFilterBackend, OrderingBackend)
    ordering = ORDERING

    @extend_schema(
        operation_id="products_list",
        tags=["商品"],
        summary="商品列表",
        description="價格為新台幣整數元；`increase`、`decrease` 只看最近 `hours` 小時內的變價。",
        responses=ProductSerializer(many=True),
        examples=[answered("商品", examples.PRODUCT)],
    )
    def get(self, request: Request) -> HttpResponse:
        pagination = Pagination()
        start, size = pagination.window(request)
        items, pagination.total = listing(request.query_params).page(start=start, size=size)
        # Already JSON, so it bypasses the renderer.
        return HttpResponse(dumps(pagination.body(items)), content_type="application/json")


class HistoryFilter(DateRangeFilterSet):
    """Validates the two dates; `history_of` cuts the spans at them."""

    class Meta:
        model = PriceSpan
        fields: tuple[str, ...] = ()


class HistoryView(ApiView):
    """GET /api/history/{product_id}."""

    roles = {"GET": USER}
    bare = True

    @extend_schema(
        operation_id="history_list",
        tags=["商品"],
        summary="價格歷史",
        description="由新到舊。`start_date` 之前就開始、當天仍看得到的價格，以當天 00:00 起算。",
        parameters=[
            OpenApiParameter("product_id", str, OpenApiParameter.PATH, description="momo 的品號"),
            OpenApiParameter("start_date", OpenApiTypes.DATE, description="起始日（含），YYYY-MM-DD，1970 至 2199 年"),
            OpenApiParameter("end_date", OpenApiTypes.DATE, description="結束日（含），YYYY-MM-DD，1970 至 2199 年"),
        ],
        responses=HistoryPointSerializer(many=True),
        examples=[answered("歷史", examples.POINT)],
    )
    def get(self, request: Request, product_id: str) -> Response:
        dates = HistoryFilter(request.query_params, queryset=PriceSpan.objects.none(), request=request)
        if not dates.is_valid():
            raise ValidationFailed(fields=dates.form.errors)
        start, end = dates.form.cleaned_data["start_date"], dates.form.cleaned_data["end_date"]
        check_range(start, end)
        product = get_object_or_404(Product.objects.only("id", "last_seen_at"), product_id=product_id)
        rows = history_of(product, start_date=start, end_date=end)
        local = timezone.localtime
        return self.answer([history_point(local(begun), price, local(until)) for begun, price, until in rows])


class RunTaskView(IdempotentView):
    """POST /api/run_task."""

    roles = {"POST": MANAGER}
    failures = frozenset({503})

    @extend_schema(
        operation_id="run_task",
        tags=["價格更新"],
        summary="開始更新價格",
        description="已有價格更新在進行中時，回覆那一次，`already_running` 為 `true`。",
        request=RunTaskSerializer,
        responses={202: RunStartedSerializer},
        examples=[
            sent("全部啟用的分類", {}),
            sent("指定分類", {"categories": ["1100100000"]}),
            answered("已開始", examples.STARTED, 202),
        ],
    )
    def post(self, request: Request) -> Response:
        categories = self.body(RunTaskSerializer).get("categories")
        started = start_run(trigger=CrawlRun.Trigger.API, user=cast(User, request.user), categories=categories)
        data = {"run_id": started.run.pk, "task_id": started.task_id, "already_running": started.already_running}
        message = "已有價格更新在進行中" if started.already_running else "價格更新已開始"
        return self.answer(data, status=202, message=message)


class TriggerNotificationView(IdempotentView):
    """POST /api/trigger_momo_notification."""

    roles = {"POST": MANAGER}
    throttle_scope = "send"

    @extend_schema(
        operation_id="trigger_momo_notification",
        tags=["通知"],
        summary="立即通知價格變動",
        description=(
            "把還沒通知過的商品事件寫成通知，寄給訂閱「價格通知」的人；每個事件只通知一次。沒有新事件，或沒有人訂閱時，"
            "`events` 與 `messages` 都是 0。`events` 是這次通知的事件數，`messages` 是寫成的訊息數。"
        ),
        request=None,
        responses={202: NotifiedSerializer},
        examples=[answered("已寫入", examples.NOTIFIED, 202), answered("沒有新事件", examples.NOTHING_NOTIFIED, 202)],
    )
    def post(self, request: Request) -> Response:
        done = notify_price_events()
        return self.answer({"events": done.events, "messages": done.messages}, status=202, message=done.description())


class CrawlerStatusView(ApiView):
    """GET /api/system/crawler/status."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="crawler_status",
        tags=["價格更新"],
        summary="價格更新狀態",
        description="進行中與上一次的價格更新、下一次排定的時間、最近 30 秒內有回報的背景程式。",
        responses=CrawlerStatusSerializer,
        examples=[answered("狀態", examples.STATUS)],
    )
    def get(self, request: Request) -> Response:
        running, last, workers = crawls.running_run(), crawls.last_run(), workers_alive()
        return self.answer(
            {
                "running": crawls.run_as_dict(running) if running else None,
                "last": crawls.run_as_dict(last) if last else None,
                "next_run_at": crawls.next_scheduled_run(),
                "workers": workers,
                "workers_alive": len(workers),
            }
        )


class ExcelView(ApiView):
    """GET /api/export/excel/{all,changes,delisted}."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="export_excel",
        tags=["商品"],
        summary="匯出 Excel",
        description="`all` 全部商品；`changes` 時間範圍內變價的商品；`delisted` 已下架商品。",
        parameters=[OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(KINDS), description="哪些商品")],
        responses={(200, XLSX): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, kind: str) -> FileResponse:
        if kind not in KINDS:
            raise NotFound("沒有這種匯出")
        name, handle = workbook(kind)
        return FileResponse(handle, as_attachment=True, filename=name, content_type=XLSX)

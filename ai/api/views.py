"""Endpoints of copy, its history, its usage, and of the providers."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ai.api import examples
from ai.api.filters import GenerationFilter
from ai.api.serializers import (
    FavoriteSerializer,
    GeneratedSerializer,
    GenerateSerializer,
    GenerationSerializer,
    ProviderSerializer,
    UsageQuerySerializer,
    UsageStatsSerializer,
)
from ai.api.streams import CONTENT_TYPE, stream_response
from ai.models import Generation
from ai.selectors.history import generations_of
from ai.selectors.usage import usage_stats
from ai.services.copywriting import Order, write_copy
from ai.services.history import delete_generation, toggle_favorite
from ai.services.providers import provider_states
from momo.rest.examples import answered, sent
from momo.rest.permissions import USER
from momo.rest.views import ApiView, GenericApiView

TAGS = ["AI 文案"]
MAX_ID = 2**63 - 1
ID = OpenApiParameter(
    "generation_id",
    {"type": "integer", "minimum": 1, "maximum": MAX_ID},
    OpenApiParameter.PATH,
    description="紀錄的編號",
)


class GenerateView(ApiView):
    """POST /api/ai/generate."""

    roles = {"POST": USER}
    bare = True
    throttle_scope = "ai"
    failures = frozenset({502})

    @extend_schema(
        operation_id="ai_generate",
        tags=TAGS,
        summary="產生文案",
        description="依商品資料產生文案，並檢查是否有資料裡沒有的事實、是否違反廣告法規。文案不會被修改，"
        "問題列在 warnings，位置以字元（code point）計。stream 為 true 時以 server-sent events 回應："
        "delta 是逐步產生的文字，warning 與 done 的內容以 done 的 content 為準（簡體字在最後才轉換），"
        "失敗時是 error；等待時送出註解行。"
        "超過每月預算為 429，Retry-After 是到下個月的秒數。",
        request=GenerateSerializer,
        responses={
            (200, "application/json"): GeneratedSerializer,
            (200, CONTENT_TYPE): OpenApiResponse(OpenApiTypes.STR),
        },
        examples=[sent("保濕精華液", examples.ORDER), answered("文案", examples.GENERATED)],
    )
    def post(self, request: Request) -> Response | StreamingHttpResponse:
        given = self.body(GenerateSerializer)
        stream = given.pop("stream")
        events = write_copy(user=request.user, order=Order(**given))
        next(events)  # all that is refused is refused here
        if stream:
            return stream_response(events)
        with closing(events):  # type: ignore[type-var]
            *_, last = events
        return self.answer(last.data)


class ProviderListView(ApiView):
    """GET /api/ai/providers."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="ai_providers",
        tags=TAGS,
        summary="AI 供應者",
        description="現在可以使用的供應者與模型；不能使用的說明原因與處理方式。",
        responses={200: ProviderSerializer(many=True)},
        examples=[answered("Ollama", examples.PROVIDER)],
    )
    def get(self, request: Request) -> Response:
        return self.answer(provider_states())


class HistoryView(GenericApiView):
    """GET /api/ai/history."""

    roles = {"GET": USER}
    queryset = Generation.objects.none()
    serializer_class = GenerationSerializer
    filterset_class = GenerationFilter

    @extend_schema(
        operation_id="ai_history_list",
        tags=TAGS,
        summary="產生紀錄",
        description="自己的紀錄，新的在前；管理員看得到所有人的。",
        responses={200: GenerationSerializer(many=True)},
        examples=[answered("清單", examples.GENERATION)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.filter_queryset(generations_of(request.user)), GenerationSerializer)


def _generation(request: Request, generation_id: int) -> Generation:
    return get_object_or_404(generations_of(request.user), pk=min(generation_id, MAX_ID))


@extend_schema(parameters=[ID])
class GenerationView(ApiView):
    """GET, DELETE /api/ai/history/{generation_id}."""

    roles = {"GET": USER, "DELETE": USER}

    @extend_schema(
        operation_id="ai_history_retrieve",
        tags=TAGS,
        summary="一筆產生紀錄",
        responses=GenerationSerializer,
        examples=[answered("紀錄", examples.GENERATION)],
    )
    def get(self, request: Request, generation_id: int) -> Response:
        return self.answer(GenerationSerializer(_generation(request, generation_id)).data)

    @extend_schema(
        operation_id="ai_history_destroy",
        tags=TAGS,
        summary="刪除產生紀錄",
        description="用量統計仍會保留。",
        responses={200: OpenApiResponse(None)},
    )
    def delete(self, request: Request, generation_id: int) -> Response:
        delete_generation(generation=_generation(request, generation_id))
        return self.answer(None, message="已刪除")


@extend_schema(parameters=[ID])
class FavoriteView(ApiView):
    """PUT /api/ai/history/{generation_id}/favorite."""

    roles = {"PUT": USER}

    @extend_schema(
        operation_id="ai_history_favorite",
        tags=TAGS,
        summary="加入或移出最愛",
        description="每次切換一次，回應新的狀態。",
        request=None,
        responses=FavoriteSerializer,
        examples=[answered("最愛", {"id": 1, "favorite": True})],
    )
    def put(self, request: Request, generation_id: int) -> Response:
        found = _generation(request, generation_id)
        return self.answer({"id": found.pk, "favorite": toggle_favorite(generation=found)})


class UsageView(ApiView):
    """GET /api/ai/usage/stats."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="ai_usage_stats",
        tags=TAGS,
        summary="AI 用量統計",
        description="呼叫、token、秒數、錯誤與估計費用，依日、供應者、模型與使用者；管理員看得到所有人的。",
        parameters=[UsageQuerySerializer],
        responses=UsageStatsSerializer,
        examples=[answered("一個月", examples.STATS)],
    )
    def get(self, request: Request) -> Response:
        given: dict[str, Any] = self.query(UsageQuerySerializer)
        found = usage_stats(user=request.user, start=given.get("start_date"), end=given.get("end_date"))
        return self.answer(UsageStatsSerializer(found).data)

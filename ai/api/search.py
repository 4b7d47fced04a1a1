"""Endpoint of the search."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ai.services.search import MAX_QUERY, search
from momo.rest.examples import answered, sent
from momo.rest.permissions import USER
from momo.rest.serializers import StrictSerializer
from momo.rest.views import ApiView

EXAMPLE = {
    "id": 7,
    "content": "2026 年台灣防曬新品主打……",
    "sources": [{"title": "2026 防曬趨勢", "url": "https://example.com/sunscreen"}],
    "queries": ["2026 防曬 新品 台灣"],
    "search_entry_point": "<div>…</div>",
    "model": "gemini-3.8-flash",
    "duration": 4.2,
    "input_tokens": 160,
    "output_tokens": 420,
    "notices": [],
}
NO_SOURCES = "已回答，但 Google 搜尋沒有提供來源，內容未經查證"


class SearchSerializer(StrictSerializer):
    """Body of POST /api/ai/search."""

    query = serializers.CharField(max_length=MAX_QUERY, help_text="要查的問題")


class SourceSerializer(serializers.Serializer[Any]):
    """A page that the answer is grounded on."""

    title = serializers.CharField(help_text="純文字")
    url = serializers.CharField(help_text="http 或 https 的網址")


class SearchedSerializer(serializers.Serializer[Any]):
    """An answer with what it is grounded on."""

    id = serializers.IntegerField(help_text="在產生紀錄裡的編號")
    content = serializers.CharField(help_text="答案，純文字")
    sources = SourceSerializer(many=True, help_text="沒有來源時是空的清單，`message` 也會說明")
    queries = serializers.ListField(child=serializers.CharField(), help_text="Gemini 實際搜尋的詞")
    search_entry_point = serializers.CharField(
        help_text="Google 要求一併顯示的搜尋建議（HTML，原樣）。不可信任，只能放在沒有指令碼權限的 sandbox iframe 裡"
    )
    model = serializers.CharField()
    duration = serializers.FloatField(help_text="秒")
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    notices = serializers.ListField(child=serializers.CharField(), help_text="預算即將用完時的提醒")


class SearchView(ApiView):
    """POST /api/ai/search."""

    roles = {"POST": USER}
    throttle_scope = "ai"
    failures = frozenset({502, 503})

    @extend_schema(
        operation_id="ai_search",
        tags=["AI 文案"],
        summary="上網搜尋",
        description="以 Gemini 與 Google 搜尋回答問題，附上來源；留在產生紀錄（`kind=search`），搜尋費計入預算。",
        request=SearchSerializer,
        responses=SearchedSerializer,
        examples=[sent("防曬趨勢", {"query": "2026 年台灣防曬新品的趨勢"}), answered("答案", EXAMPLE)],
    )
    def post(self, request: Request) -> Response:
        found, notices = search(user=request.user, query=self.body(SearchSerializer)["query"])
        call = found.call
        data = {
            "id": found.pk,
            "content": found.content,
            **found.extra,
            "model": call.model,
            "duration": round(call.seconds, 2),
            "input_tokens": call.input_tokens,
            "output_tokens": call.output_tokens,
            "notices": notices,
        }
        return self.answer(data, message=None if found.extra["sources"] else NO_SOURCES)

"""Endpoint of trends."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ai.models import TrendCategory
from ai.selectors.trends import trend_as_dict, trends
from momo.rest.examples import answered
from momo.rest.permissions import USER
from momo.rest.views import ApiView

EXAMPLE = {
    "lists": [
        {
            "id": 1,
            "source": "mybest",
            "key": "70740",
            "category": "化妝水",
            "title": "十大人氣化妝水推薦排行榜",
            "items": [
                {
                    "rank": 1,
                    "name": "保濕化妝水",
                    "brand": "水潤",
                    "price": 599,
                    "score": None,
                    "url": "https://example.com/1",
                    "image_url": "",
                    "views": None,
                    "published_at": None,
                }
            ],
            "fetched_at": "2026-01-29T06:30:00+08:00",
            "age": 18000,
            "stale": False,
            "by_hand": False,
            "attempted_at": "2026-01-29T06:30:00+08:00",
            "error": "",
        }
    ]
}


class TrendingQuery(serializers.Serializer[Any]):
    """The query string."""

    source = serializers.CharField(required=False, default="", help_text="來源；不填為全部")  # type: ignore[assignment]
    category = serializers.CharField(required=False, default="", max_length=60, help_text="分類；不填為全部")


class TrendItemSerializer(serializers.Serializer[Any]):
    """An entry of a list."""

    rank = serializers.IntegerField(help_text="名次，1 起")
    name = serializers.CharField(help_text="品名，或影片標題")
    brand = serializers.CharField(help_text="品牌，影片則是頻道；沒有時為空字串")
    price = serializers.IntegerField(allow_null=True, help_text="新台幣元，多個賣場時是最低價")
    score = serializers.FloatField(allow_null=True, help_text="來源的評分")
    url = serializers.CharField(help_text="沒有時為空字串")
    image_url = serializers.CharField(help_text="沒有時為空字串")
    views = serializers.IntegerField(allow_null=True, help_text="影片的觀看次數")
    published_at = serializers.CharField(allow_null=True, help_text="影片的發布時間，ISO 8601")


class TrendListSerializer(serializers.Serializer[Any]):
    """The last good list of a category, and how the last attempt to refresh it ended."""

    id = serializers.IntegerField()
    source = serializers.ChoiceField(TrendCategory.Source.choices)  # type: ignore[assignment]
    key = serializers.CharField(help_text="mybest 文章編號、@cosme 標籤編號或 newhot-0 等、YouTube 搜尋詞")
    category = serializers.CharField()
    title = serializers.CharField()
    items = TrendItemSerializer(many=True)
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="這份清單取得的時間；從來沒有時為 null")
    age = serializers.IntegerField(allow_null=True, help_text="這份清單至今幾秒")
    stale = serializers.BooleanField(help_text="沒有清單，或清單太舊（TREND_STALE_HOURS）")
    by_hand = serializers.BooleanField(help_text="是否由人工匯入")
    attempted_at = serializers.DateTimeField(allow_null=True, help_text="最近一次嘗試更新的時間")
    error = serializers.CharField(help_text="最近一次嘗試的錯誤；成功時為空字串")


class TrendingSerializer(serializers.Serializer[Any]):
    """Lists of trends."""

    lists = TrendListSerializer(many=True)


class TrendingView(ApiView):
    """GET /api/ai/trending."""

    roles = {"GET": USER}

    @extend_schema(
        operation_id="ai_trending",
        tags=["AI 文案"],
        summary="趨勢清單",
        description="mybest、@cosme 與 YouTube 的排行。來源讀不到時保留上一次的清單，附上多舊（`age`）與原因。",
        parameters=[
            OpenApiParameter("source", str, enum=TrendCategory.Source.values, description="來源；不填為全部"),
            OpenApiParameter("category", str, description="分類，例如「化妝水」；不填為全部"),
        ],
        responses=TrendingSerializer,
        examples=[answered("清單", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        rows = trends(**self.query(TrendingQuery))
        return self.answer({"lists": [trend_as_dict(row) for row in rows]})

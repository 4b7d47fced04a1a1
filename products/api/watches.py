"""Endpoints of the watch list: everybody's own."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from momo.core.errors import ValidationFailed
from momo.rest.examples import answered, sent
from momo.rest.permissions import USER
from momo.rest.serializers import StrictSerializer
from momo.rest.views import ApiView, GenericApiView
from products.api.examples import NEW_WATCH, WATCH
from products.models import Watch
from products.selectors.products import product_by_code
from products.selectors.watches import watches_of
from products.services.watches import BOUNDS, delete_watch, set_watch

TAGS = ["商品"]
MOST = max(most for _, most in BOUNDS.values())


class NewWatchSerializer(StrictSerializer):
    """A condition to set. One user has at most one of each kind on a product."""

    product_id = serializers.CharField(max_length=20, help_text="momo 的品號")
    kind = serializers.ChoiceField(
        Watch.Kind.choices, help_text="`absolute` 售價低到（元）、`percent` 漲跌達到（%）、`lowest` 幾天新低價（天）"
    )
    value = serializers.IntegerField(min_value=1, max_value=MOST, help_text="元、% 或天數，依 `kind`")
    active = serializers.BooleanField(default=True, help_text="是否啟用")


class WatchSerializer(serializers.ModelSerializer[Watch]):
    """A condition on the price of a product, and when it was crossed last."""

    product_id = serializers.CharField(source="product.product_id")
    name = serializers.CharField(source="product.name")
    price = serializers.IntegerField(source="product.price", help_text="現在的售價，新台幣元")
    base_price = serializers.IntegerField(help_text="漲跌幅的基準：設定時或上次到價的售價，新台幣元")
    notified_price = serializers.IntegerField(allow_null=True, help_text="上次到價的售價，新台幣元")

    class Meta:
        model = Watch
        fields = (
            "id",
            "product_id",
            "name",
            "price",
            "kind",
            "value",
            "active",
            "base_price",
            "notified_price",
            "notified_at",
            "created_at",
        )
        read_only_fields = fields


class WatchListView(GenericApiView):
    """GET and POST /api/products/watches."""

    roles = {"GET": USER, "POST": USER}
    queryset = Watch.objects.none()
    serializer_class = WatchSerializer

    def get_queryset(self) -> QuerySet[Watch]:
        return watches_of(self.request.user)

    @extend_schema(
        operation_id="watches_list",
        tags=TAGS,
        summary="關注清單",
        description="自己的關注，由新到舊。",
        responses={200: WatchSerializer(many=True)},
        examples=[answered("清單", WATCH)],
    )
    def get(self, request: Request) -> Response:
        return self.page(self.get_queryset(), WatchSerializer)

    @extend_schema(
        operation_id="watches_set",
        tags=TAGS,
        summary="關注商品",
        description=(
            "售價每次符合條件時通知一次。同一件商品同一種條件只有一筆，再送一次就是改數值，並以現在的售價重新比對。"
        ),
        request=NewWatchSerializer,
        responses={200: WatchSerializer},
        examples=[sent("低到 900 元", NEW_WATCH), answered("已關注", WATCH)],
    )
    def post(self, request: Request) -> Response:
        given: dict[str, Any] = self.body(NewWatchSerializer)
        product = product_by_code(given.pop("product_id"))
        if product is None:
            raise ValidationFailed(fields={"product_id": ["沒有這個品號"]})
        done = set_watch(user=cast(User, request.user), product=product, **given)
        return self.answer(WatchSerializer(done.watch).data, message="已關注" if done.is_new else "已更新關注的條件")


class WatchView(ApiView):
    """DELETE /api/products/watches/{watch_id}."""

    roles = {"DELETE": USER}

    @extend_schema(
        operation_id="watches_destroy",
        tags=TAGS,
        summary="取消關注",
        parameters=[OpenApiParameter("watch_id", int, OpenApiParameter.PATH, description="關注的 `id`")],
        responses={200: None},
    )
    def delete(self, request: Request, watch_id: int) -> Response:
        delete_watch(user=cast(User, request.user), watch_id=watch_id)
        return self.answer(message="已取消關注")

"""Bodies of the product and crawl endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from momo.rest.serializers import ListField
from products.models import CrawlRun, Product


class HeldPriceSerializer(serializers.Serializer[Any]):
    """An implausible price that waits for a second sight or a decision."""

    price = serializers.IntegerField(help_text="看到的售價，新台幣元")
    since = serializers.DateTimeField(help_text="看到的時間")


class ProductSerializer(serializers.ModelSerializer[Product]):
    """An item of the product list: prices are whole New Taiwan dollars, percentages have two decimals.

    Describes the items only: PostgreSQL writes them (`products.selectors.listing`).
    """

    category = serializers.CharField(source="category.name")
    # Null before the first change; Django does not know that of generated columns.
    change = serializers.IntegerField(allow_null=True, help_text="與前次售價的差，新台幣元")
    change_percent = serializers.DecimalField(12, 2, allow_null=True, help_text="漲跌幅，百分比")
    image_url = serializers.CharField(help_text="沒有圖片時為空字串")
    price_unread_since = serializers.DateTimeField(
        allow_null=True, help_text="momo 顯示的售價從何時起讀不到（`price` 是在那之前的售價）；讀得到時為 null"
    )
    held_price = HeldPriceSerializer(allow_null=True, help_text="待確認的售價；沒有時為 null")
    lowest_price_30d = serializers.IntegerField(allow_null=True, help_text="近 30 天最低價，新台幣元")

    class Meta:
        model = Product
        fields = (
            "id",
            "product_id",
            "name",
            "brand",
            "category",
            "price",
            "previous_price",
            "change",
            "change_percent",
            "status",
            "url",
            "image_url",
            "price_changed_at",
            "first_seen_at",
            "last_seen_at",
            "price_unread_since",
            "held_price",
            "lowest_price_30d",
        )
        read_only_fields = fields


class HistoryPointSerializer(serializers.Serializer[Any]):
    """A price of a product, and from when to when it was seen."""

    t = serializers.CharField(help_text="開始看到這個價格的時間，台北時間，YYYY-MM-DD HH:MM")
    p = serializers.IntegerField(help_text="售價，新台幣元")
    until = serializers.CharField(help_text="最後看到這個價格的時間，台北時間")


class RunTaskSerializer(serializers.Serializer[Any]):
    """Which categories to crawl."""

    categories = ListField(
        child=serializers.RegexField(r"^[0-9]{10}$", error_messages={"invalid": "分類代碼是 10 位數字"}),
        required=False,
        allow_null=True,
        allow_empty=False,
        max_length=500,
        help_text="只更新這些分類（代碼）；省略即全部啟用的分類",
    )


class RunStartedSerializer(serializers.Serializer[Any]):
    """The run that was started, or is already running."""

    run_id = serializers.IntegerField()
    task_id = serializers.CharField(allow_blank=True)
    already_running = serializers.BooleanField()


class NotifiedSerializer(serializers.Serializer[Any]):
    """How many events a notification covers, in how many messages."""

    events = serializers.IntegerField(min_value=0, help_text="這次通知的事件")
    messages = serializers.IntegerField(min_value=0, help_text="寫成的訊息")


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a run is."""

    pages = serializers.IntegerField()
    pages_expected = serializers.IntegerField()
    items = serializers.IntegerField()
    percent = serializers.IntegerField(min_value=0, max_value=100)


class RunSerializer(serializers.Serializer[Any]):
    """A crawl run, its progress and what it found."""

    run_id = serializers.IntegerField()
    status = serializers.ChoiceField(CrawlRun.Status.choices)
    verdict = serializers.ChoiceField(CrawlRun.Verdict.choices, allow_null=True)
    message = serializers.CharField(allow_blank=True)
    trigger = serializers.ChoiceField(CrawlRun.Trigger.choices)
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    duration = serializers.FloatField(help_text="秒")
    progress = ProgressSerializer()
    counts = serializers.DictField(child=serializers.IntegerField())


class CrawlerStatusSerializer(serializers.Serializer[Any]):
    """The running and the last run, the next start, and the workers."""

    running = RunSerializer(allow_null=True)
    last = RunSerializer(allow_null=True)
    next_run_at = serializers.DateTimeField(allow_null=True)
    workers = serializers.ListField(child=serializers.CharField())
    workers_alive = serializers.IntegerField()


def history_point(begun: datetime, price: int, until: datetime) -> dict[str, Any]:
    """A point of the history as the API writes it; the times are local."""
    return {"t": begun.strftime("%Y-%m-%d %H:%M"), "p": price, "until": until.strftime("%Y-%m-%d %H:%M")}

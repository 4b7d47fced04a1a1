"""API view that sends stockouts to their vendors."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentView
from accounts.models import User
from momo.core.roles import MANAGER
from momo.rest.examples import answered, sent
from momo.rest.serializers import StrictSerializer
from vendors.services.sendings import MAX_IDS, MAX_NOTE, send_stockouts

EXAMPLE: dict[str, Any] = {"stockout_ids": [1, 2, 3], "note": "檔期活動中，請優先補貨"}
QUEUED: dict[str, Any] = {"queued": 2, "mails": 1, "skipped": [{"id": 3, "reason": "廠商已回覆"}]}


class SendSerializer(StrictSerializer):
    """Body of POST /api/vendor/stockout/send."""

    stockout_ids = serializers.ListField(
        child=serializers.IntegerField(), min_length=1, max_length=MAX_IDS, help_text="缺貨的 `id`"
    )
    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=MAX_NOTE, help_text="另外寫給廠商的話"
    )
    include_duplicates = serializers.BooleanField(required=False, default=False, help_text="重複的缺貨也寄")
    resend = serializers.BooleanField(
        required=False, default=False, help_text="只寄失敗的，以及指定的已通知過的；其他的略過"
    )


class SkippedSerializer(serializers.Serializer[Any]):
    """A stockout that is not sent."""

    id = serializers.IntegerField()
    reason = serializers.CharField()


class SentSerializer(serializers.Serializer[Any]):
    """What was queued, and what was not."""

    queued = serializers.IntegerField(help_text="寄送的缺貨筆數")
    mails = serializers.IntegerField(help_text="郵件數；一家廠商一封")
    skipped = SkippedSerializer(many=True)


class SendView(IdempotentView):
    """POST /api/vendor/stockout/send."""

    roles = {"POST": MANAGER}
    throttle_scope = "send"

    @extend_schema(
        operation_id="vendor_stockout_send",
        tags=["廠商與缺貨"],
        summary="通知廠商缺貨",
        description=(
            "一家廠商一封郵件，列出指定的所有缺貨，由背景程式寄出。沒有信箱、已停用、已在寄送、已通知、已回覆、已結案、"
            "重複或不存在的缺貨會略過，並說明原因；寄送失敗的會重寄。"
        ),
        request=SendSerializer,
        responses={202: SentSerializer},
        examples=[sent("寄送", EXAMPLE), answered("已排入", QUEUED, 202)],
    )
    def post(self, request: Request) -> Response:
        given = self.body(SendSerializer)
        result = send_stockouts(ids=given.pop("stockout_ids"), user=cast(User, request.user), **given)
        # In the order of jsonb, which keeps the answer for its repetition.
        data = {"mails": result.mails, "queued": result.queued, "skipped": result.skipped}
        return self.answer(data, status=202, message="郵件已排入寄送" if result.mails else "沒有可以寄送的缺貨")

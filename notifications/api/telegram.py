"""API view that enqueues one message to a chat."""

from __future__ import annotations

import uuid
from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentView
from accounts.models import User
from momo.core.errors import Conflict, ValidationFailed
from momo.rest.examples import answered, sent
from momo.rest.permissions import MANAGER
from notifications.events import MANUAL_EVENT
from notifications.markup import is_blank, plain_text, to_telegram
from notifications.models import Format
from notifications.services.chats import chat_for, default_chat, require_token
from notifications.services.outbox import ChatText, enqueue

MESSAGE_LENGTH = 20_000
EXAMPLE: dict[str, Any] = {"message": "今天 18:00 起系統維護，約 30 分鐘"}
QUEUED: dict[str, Any] = {"queued": 1, "chat_id": "-1001234567890", "message_ids": [42]}


class TelegramMessageSerializer(serializers.Serializer[Any]):
    """A message and its chat."""

    message = serializers.CharField(max_length=MESSAGE_LENGTH, help_text="超過 4,096 字會在行尾分成幾則")
    chat_id = serializers.RegexField(
        r"^(-?[1-9][0-9]{0,18}|@[A-Za-z][A-Za-z0-9_]{3,31})$",
        required=False,
        help_text="聊天室編號，或以 @ 開頭的頻道名稱；沒有時為設定的 TELEGRAM_CHAT_ID",
        error_messages={"invalid": "請輸入聊天室編號，或以 @ 開頭的頻道名稱"},
    )
    format = serializers.ChoiceField(
        choices=[Format.PLAIN.value, Format.TELEGRAM.value],
        default=Format.PLAIN.value,
        help_text="plain（預設）照原文顯示；telegram_html 為 Telegram 的 HTML，不支援的標籤會去掉",
    )


class TelegramQueuedSerializer(serializers.Serializer[Any]):
    """Messages that were enqueued."""

    queued = serializers.IntegerField(help_text="訊息數")
    chat_id = serializers.CharField()
    message_ids = serializers.ListField(child=serializers.IntegerField(), help_text="訊息的編號")


class TelegramView(IdempotentView):
    """POST /api/notification/telegram."""

    roles = {"POST": MANAGER}
    throttle_scope = "send"
    failures = frozenset({409, 503})

    @extend_schema(
        operation_id="notification_telegram",
        tags=["通知"],
        summary="傳送 Telegram 訊息",
        description="排入待寄，由背景程式依 Telegram 的速度送出；已停用的聊天室為 409。",
        request=TelegramMessageSerializer,
        responses={202: TelegramQueuedSerializer},
        examples=[sent("公告", EXAMPLE), answered("已排入", QUEUED, 202)],
    )
    def post(self, request: Request) -> Response:
        given = self.body(TelegramMessageSerializer)
        require_token()
        chat = chat_for(given["chat_id"]) if given.get("chat_id") else default_chat()
        if not chat.is_active:
            raise Conflict(f"這個聊天室已停用：{chat.note or chat}")
        body = to_telegram(given["message"], given["format"])
        if is_blank(plain_text(body)):
            raise ValidationFailed(fields={"message": ["訊息沒有內容"]})
        key, user = f"{MANUAL_EVENT}:{uuid.uuid4()}", cast(User, request.user)
        messages = enqueue(ChatText(key=key, event=MANUAL_EVENT, chat=chat, body=body, user=user))
        data = {"queued": len(messages), "chat_id": chat.chat_id, "message_ids": [one.pk for one in messages]}
        return self.answer(data, status=202, message="訊息已排入待寄")

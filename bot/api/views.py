"""API views of the bot: Telegram's webhook, and commands for other front ends."""

from __future__ import annotations

import base64
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentView
from accounts.models import User
from bot.api.serializers import AnswerSerializer, CommandSerializer, UpdateSerializer
from bot.registry import Reply, find
from bot.services.perform import perform, read
from bot.services.updates import receive
from bot.services.webhook import require_secret
from momo.core.errors import AuthRequired, PayloadTooLarge, ValidationFailed
from momo.rest.examples import answered, sent
from momo.rest.permissions import PUBLIC, USER
from momo.rest.schema import IDEMPOTENCY_KEY
from momo.rest.views import ApiView

TAGS = ["機器人"]
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
UPDATE_BYTES = 256 * 1024  # several times the longest message with the one that it answers
UPDATE: dict[str, Any] = {
    "update_id": 812345678,
    "message": {
        "message_id": 41,
        "date": 1796000000,
        "chat": {"id": 5551234, "type": "private", "first_name": "小明"},
        "from": {"id": 5551234, "is_bot": False, "first_name": "小明"},
        "text": "/sales today",
    },
}
ANSWER: dict[str, Any] = {
    "text": "您好，<b>王小明</b>（主管）。",
    "buttons": [[{"label": "全部指令", "command": "/help", "args": [], "confirms": False}]],
    "picture": None,
    "user": "ming",
    "role": "manager",
}


class WebhookView(ApiView):
    """POST /api/bot/telegram/webhook. Telegram waits: one row, one task, nothing else."""

    roles = {"POST": PUBLIC}
    failures = frozenset({401})

    def is_counted(self, request: Request) -> bool:
        """Requests with the secret are not: an update that is refused comes again."""
        return not _is_telegrams(request)

    @extend_schema(
        operation_id="bot_telegram_webhook",
        tags=TAGS,
        summary="接收 Telegram 的更新",
        description=(
            f"只給 Telegram 使用，標頭 `{SECRET_HEADER}` 附上金鑰。立刻回應，由背景程式處理；"
            "同一個 update_id 只會處理一次，不認得的種類會忽略。"
        ),
        request=UpdateSerializer,
        responses={200: None},
        examples=[sent("訊息", UPDATE)],
    )
    def post(self, request: Request) -> Response:
        require_secret()
        if not _is_telegrams(request):
            raise AuthRequired("Telegram 的金鑰不正確")
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if not length.isdecimal() or int(length) > UPDATE_BYTES:  # a body without a length is not read at all
            raise PayloadTooLarge(f"更新最大 {UPDATE_BYTES // 1024} KB")
        receive(request.data)
        return self.answer()


def _is_telegrams(request: Request) -> bool:
    secret = settings.TELEGRAM_WEBHOOK_SECRET
    return bool(secret) and constant_time_compare(request.headers.get(SECRET_HEADER, ""), secret)


class CommandView(IdempotentView):
    """POST /api/bot/command."""

    roles = {"POST": USER}
    failures = frozenset({404, 409, 502, 503})

    @extend_schema(
        operation_id="bot_command",
        tags=TAGS,
        summary="執行機器人的指令",
        description=(
            "以呼叫者的角色執行，回覆與 Telegram 相同的文字；data 另有同樣數字的欄位，依指令而不同。"
            "要圖表時附上 `pictures: true`。"
        ),
        request=CommandSerializer,
        responses={200: AnswerSerializer},
        examples=[sent("開始", {"command": "/start", "args": []}), answered("回覆", ANSWER)],
    )
    def post(self, request: Request) -> Response:
        given, user, now = self.body(CommandSerializer), cast(User, request.user), timezone.now()
        asked = read(given["command"], tuple(given["args"]), user=user, now=now)
        if not isinstance(asked, Reply) and not find(asked[0], user).atomic and IDEMPOTENCY_KEY in request.headers:
            # No transaction stays open while an outside service works.
            raise ValidationFailed(fields={IDEMPOTENCY_KEY: [f"/{asked[0]} 不能附上 {IDEMPOTENCY_KEY}"]})
        wishes = {"confirmed": given["confirmed"], "pictures": given["pictures"]}
        return self.answer(_data(perform(asked, user=user, now=now, **wishes)))


def _data(reply: Reply) -> dict[str, Any]:
    picture = reply.picture
    return {
        "text": reply.text,
        **reply.data,
        "buttons": [
            [
                {"args": list(one.args), "label": one.label, "command": f"/{one.command}", "confirms": one.once}
                for one in row
            ]
            for row in reply.buttons
        ],
        "picture": picture
        and {"name": picture.name, "alt": picture.alt, "png": base64.b64encode(picture.png).decode("ascii")},
    }

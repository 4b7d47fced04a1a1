"""Answers on their way to Telegram: through the outbox, with rows for their buttons."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bot.models import PressButton, Update
from bot.registry import Button, Reply
from bot.texts import escape
from momo.core.errors import Conflict, NotFound, ServiceError
from notifications.events import ANSWER_EVENT
from notifications.markup import is_blank, plain_text, split_telegram
from notifications.models import Chat
from notifications.services.drafts import File
from notifications.services.outbox import ChatText, enqueue

ONCE_LIFE = dt.timedelta(minutes=10)
BUTTON_LIFE = dt.timedelta(days=7)
TOKEN_BYTES = 12
LABEL_LENGTH = 64
MOST_PARTS = 4  # messages of one answer
CUT = "\n…（內容太長，其餘請到後台查看）"
EXPIRED = "這個按鈕已經過期或按過了，請重新輸入指令"
FAILED = Reply("⚠️ 系統發生錯誤，這個指令沒有完成；請稍後再試，若持續發生請通知管理員")


def enqueue_answer(
    reply: Reply,
    *,
    chat: Chat,
    user: User | None,
    update: Update,
    edits: int | None = None,
    topic: int | None = None,
) -> None:
    """Write the one answer to an update into the outbox, in the transaction of what it does.

    `edits` is Telegram's number of the message whose place the answer takes, `topic` that of the topic of a group.
    """
    picture = reply.picture
    enqueue(
        ChatText(
            key=f"bot:{update.update_id}:{update.received_at:%y%m%d%H%M%S}",
            event=ANSWER_EVENT,
            chat=chat,
            body=_bounded(reply.text),
            files=(File(picture.name, picture.png, "image/png"),) if picture is not None else (),
            user=user,
            is_answer=True,
            asked_at=update.asked_at,
            buttons=_keep(reply.buttons, user) if user is not None else (),
            edits=edits,
            topic=topic,
        )
    )


def refusal(error: ServiceError) -> Reply:
    """The sentence of a service's error; of several faults, one a line."""
    texts = [text for texts in error.fields.values() for text in texts]
    return Reply("\n".join(f"⚠️ {escape(text)}" for text in texts or [error.message]))


def _bounded(text: str) -> str:
    parts = split_telegram(text)
    if len(parts) > MOST_PARTS:
        return "\n".join(parts[:MOST_PARTS]) + CUT
    return "（沒有內容）" if is_blank(plain_text(text)) else text


def _keep(rows: Sequence[Sequence[Button]], user: User) -> list[list[tuple[str, str]]]:
    """Write a row for each button. Returns their texts and tokens."""
    now, reply = timezone.now(), uuid.uuid4()
    kept = [
        [
            PressButton(
                token=secrets.token_urlsafe(TOKEN_BYTES),
                reply=reply,
                user=user,
                label=button.label[:LABEL_LENGTH],
                command=button.command,
                args=list(button.args),
                replaces=button.replaces,
                once=button.once,
                expires_at=now + (ONCE_LIFE if button.once else BUTTON_LIFE),
            )
            for button in row
        ]
        for row in rows
    ]
    PressButton.objects.bulk_create([button for row in kept for button in row])
    return [[(button.label, button.token) for button in row] for row in kept]


def button_of(token: str) -> PressButton:
    """Return a button that may be pressed. Raises NotFound for one that is unknown, expired or used."""
    button = PressButton.objects.select_related("user").filter(token=token, expires_at__gt=timezone.now(), used_at=None)
    found = button.first()
    if found is None:
        raise NotFound(EXPIRED)
    return found


@transaction.atomic
def use_up(button: PressButton, *, user: User) -> None:
    """Use up a button that works once, with the others of its answer that do.

    Raises NotFound when another press was quicker, and Conflict when the button was shown to somebody else.
    """
    if button.user_id != user.pk:
        raise Conflict(f"這個按鈕只有 {button.user} 可以按")
    unused = PressButton.objects.filter(reply=button.reply, once=True, used_at=None)
    # Of two presses at once the second waits here, and then finds no row.
    if button.pk not in [one.pk for one in unused.select_for_update().order_by("pk")]:
        raise NotFound(EXPIRED)
    unused.update(used_at=timezone.now())

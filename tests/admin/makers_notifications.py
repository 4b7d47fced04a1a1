"""Templates, messages, subscriptions and chats for admin pages, many at once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from bot.models import TelegramAccount
from notifications.models import Attachment, Channel, Chat, Format, OutboxMessage, Subscription, Template
from notifications.services.templates import save_template
from tests.admin.makers import users
from tests.kit.users import person

VARIABLES: list[dict[str, Any]] = [
    {"name": "host", "type": "text", "required": True, "example": "momo-web-1"},
    {"name": "items", "type": "list", "example": ["甲", "乙"]},
]
BODY = "<b>{{ host }}</b>\n{%- for item in items %}\n・{{ item }}\n{%- endfor %}\n"
CONTENT: dict[str, Any] = {
    "title": "主機通知",
    "description": "",
    "format": Format.TELEGRAM,
    "subject": "通知：{{ host }}",
    "body": BODY,
    "variables": VARIABLES,
}


def template(code: str = "host_notice", **values: Any) -> Template:
    return save_template(template=None, user=values.pop("user", None), code=code, **CONTENT | values)


def form_of(template: Template | None = None, **values: Any) -> dict[str, Any]:
    """What the editor sends, for a new template or a known one."""
    given: dict[str, Any] = dict(CONTENT)
    if template is None:
        given["code"] = "host_notice"
    else:
        given["seen_version"] = template.version
    given |= values
    if not isinstance(given["variables"], str):
        given["variables"] = json.dumps(given["variables"], ensure_ascii=False)
    return given


def templates(number: int) -> None:
    start = Template.objects.count()
    Template.objects.bulk_create(
        Template(code=f"note_{start + n}", version=1, updated_by=one, **CONTENT) for n, one in enumerate(users(number))
    )


def chat(chat_id: str = "-1001", **values: Any) -> Chat:
    return Chat.objects.get_or_create(chat_id=chat_id, defaults={"title": "值班群組"} | values)[0]


def chats(number: int) -> list[Chat]:
    start = Chat.objects.count()
    return Chat.objects.bulk_create(
        Chat(chat_id=f"{7_000 + start + n}", title=f"群組 {n}", is_active=n % 2 == 0) for n in range(number)
    )


def accounts(number: int) -> list[TelegramAccount]:
    """Linked accounts, each of a user of its own."""
    start = 5_000_000 + TelegramAccount.objects.count()
    return [
        TelegramAccount.objects.create(user=person(f"linked-{start + n}"), telegram_id=start + n, name=f"小明 {n}")
        for n in range(number)
    ]


def subscription(**values: Any) -> Subscription:
    given = {"name": "每日價格", "event": "price_digest", "channel": Channel.EMAIL, "address": "team@example.com"}
    return Subscription.objects.create(**given | values)


def subscriptions(number: int) -> None:
    Subscription.objects.bulk_create(
        Subscription(
            name=f"訂閱 {n}",
            event="price_digest",
            channel=Channel.TELEGRAM,
            chat=one,
            filters={"categories": ["1100100001"], "brands": ["水潤"], "min_percent": 5},
        )
        for n, one in enumerate(chats(number))
    )


def mail(status: str = "pending", **values: Any) -> OutboxMessage:
    return OutboxMessage.objects.create(**_values(OutboxMessage.objects.count(), status) | values)


def _values(number: int, status: str) -> dict[str, Any]:
    now = timezone.now()
    over = status in ("sent", "failed", "cancelled")
    return {
        "channel": Channel.EMAIL,
        "key": f"mail-{number}",
        "event": "price_digest",
        "recipient": "team@example.com",
        "subject": f"價格變動 {number}",
        "body": "漲 1、降 2",
        "body_html": "<p>漲 <b>1</b>、降 2</p>",
        "status": status,
        "attempts": 1,
        "reason": "450 稍後再試" if status in ("failed", "held") else "",
        "finished_at": now - timedelta(minutes=5) if over else None,
        "template_code": "price_digest",
        "template_version": 1,
    }


def mails(number: int) -> None:
    start = OutboxMessage.objects.count()
    OutboxMessage.objects.bulk_create(
        OutboxMessage(**_values(start + n, ("pending", "held", "failed")[n % 3])) for n in range(number)
    )


def parts(number: int = 3, status: str = "held") -> list[OutboxMessage]:
    """One long text to a chat, its first part in `status` and the others waiting for it."""
    to, made = chat(), []
    for n in range(number):
        made.append(
            OutboxMessage.objects.create(
                channel=Channel.TELEGRAM,
                key=f"long-{n}",
                event="price_digest",
                recipient=to.chat_id,
                chat=to,
                body=f"<b>第 {n + 1} 段</b> &amp; 其他",
                status="waiting" if n else status,
                after=made[-1] if n else None,
            )
        )
    return made


def attachment(message: OutboxMessage, name: str = "價格.xlsx", content: bytes = b"cells") -> Attachment:
    kind = "application/vnd.ms-excel"
    file = Attachment.objects.create(
        sha256=f"{message.pk:064}", name=name, content_type=kind, size=len(content), content=content
    )
    message.attachments.add(file)
    return file

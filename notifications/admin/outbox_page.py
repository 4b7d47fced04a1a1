"""The page of one message, and how the channels stand."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from momo.admin.kit.display import NO_VALUE, full_time, page_link
from notifications.admin.looks import bubble, frame, plain, status_badge
from notifications.admin.subscriptions import event_label
from notifications.channels.mail_page import mail_body, with_pictures
from notifications.models import Channel, OutboxMessage
from notifications.selectors import channel_pause, channel_pauses, outbox_counts

Status = OutboxMessage.Status
NAME = "admin:notifications_outboxmessage"
# The setting that each channel needs, and what happens without it.
SETTINGS = {
    Channel.EMAIL: ("EMAIL_URL", "沒有設定 EMAIL_URL，電子郵件寄不出去"),
    Channel.TELEGRAM: ("TELEGRAM_BOT_TOKEN", "沒有設定 TELEGRAM_BOT_TOKEN，Telegram 訊息寄不出去"),
}
CHAIN = 100  # parts of one text that its page lists

_PARTS = """
WITH RECURSIVE before AS (
    SELECT id, after_id FROM notifications_outboxmessage WHERE id = %(id)s
    UNION SELECT m.id, m.after_id FROM notifications_outboxmessage m JOIN before ON m.id = before.after_id
), parts AS (
    SELECT id, 1 AS place FROM before WHERE after_id IS NULL
    UNION SELECT m.id, parts.place + 1 FROM notifications_outboxmessage m JOIN parts ON m.after_id = parts.id
)
SELECT m.id, m.status, parts.place FROM parts JOIN notifications_outboxmessage m ON m.id = parts.id
ORDER BY parts.place LIMIT %(limit)s
"""


def channel_lines() -> list[dict[str, Any]]:
    """Each channel: its messages by state, its pause and why, and what is not configured."""
    counts, pauses = outbox_counts(), channel_pauses()
    return [_channel(channel, counts[channel], pauses.get(channel)) for channel in Channel]


def _channel(channel: Channel, counts: dict[str, int], pause: Any) -> dict[str, Any]:
    name, missing = SETTINGS[channel]
    states = [
        {
            "label": label,
            "number": f"{counts[value]:,}",
            "url": f"{reverse(f'{NAME}_changelist')}?state={value}&channel__exact={channel}",
            "tone": "warn" if counts[value] and value in (Status.UNSENT, Status.HELD, Status.FAILED) else "",
        }
        for value, label in Status.choices
        if counts[value] or value != Status.UNSENT
    ]
    return {
        "label": channel.label,
        "states": states,
        "paused": f"暫停到 {full_time(pause.until)}（連續 {pause.troubles} 次不成）：{pause.reason}" if pause else "",
        "missing": "" if getattr(settings, name) else missing,
    }


def page_of(message: OutboxMessage, *, downloads: bool) -> dict[str, Any]:
    """Everything about a message. `downloads`: whether its files, and itself as .eml, may be fetched."""
    is_mail = message.channel == Channel.EMAIL
    return {
        "badge": status_badge(message),
        "reasons": message.history(),
        "eml_url": reverse(f"{NAME}_eml", args=[message.pk]) if is_mail and downloads else "",
        "warning": WARNINGS.get(Status(message.status), ""),
        "facts": _facts(message),
        "chain": _chain(message),
        "shown": _shown(message),
        "source": plain(message.body_html or message.body),
        "files": [
            (
                file,
                f"{file.size / 1024:,.1f} KB",
                reverse(f"{NAME}_file", args=[message.pk, file.pk]) if downloads else "",
            )
            for file in message.attachments.defer("content").order_by("pk")
        ],
    }


WARNINGS = {
    Status.UNSENT: "沒有設定郵件伺服器（EMAIL_URL），這封郵件還沒有寄出，可以在這裡預覽或下載。"
    f"設定之後會自動寄出；到那時已等了超過 {settings.OUTBOX_GIVE_UP_HOURS} 小時的不再寄。",
    Status.HELD: "寄送到一半時中斷，不知道對方收到了沒有。系統不會自己再寄：請先確認，"
    "收到了就「標記為已送達」，沒收到就「放行重寄」。",
    Status.FAILED: "這一則沒有寄出，系統不會再試。排除原因之後可以「重試」。",
}


def _facts(message: OutboxMessage) -> list[tuple[str, Any]]:
    chat, subscription = message.chat, message.subscription
    template = f"{message.template_code} v{message.template_version or 0}" if message.template_code else NO_VALUE
    facts: list[tuple[str, Any]] = [
        ("管道", message.get_channel_display()),
        ("收件者", message.recipient if chat is None else page_link("notifications_chat", chat.pk, chat)),
        ("事件", event_label(message.event)),
        ("訂閱", page_link("notifications_subscription", subscription.pk, subscription) if subscription else NO_VALUE),
        ("範本", template),
        ("嘗試", f"{message.attempts} 次"),
        ("建立時間", full_time(message.created_at)),
        ("預定寄送", full_time(message.due_at)),
        ("下次嘗試", _next_attempt(message) if message.status in (Status.PENDING, Status.UNSENT) else NO_VALUE),
        ("寄出時間", full_time(message.sent_at)),
        ("結束時間", full_time(message.finished_at)),
        ("建立者", message.created_by or "系統"),
        ("防重複代號", message.key),
        ("訊息編號", message.message_id or NO_VALUE),
    ]
    if message.channel == Channel.EMAIL:
        also = (("其他收件者", message.others), ("副本", message.cc))
        facts[2:2] = [(name, "、".join(addresses)) for name, addresses in also if addresses]
        facts.append(("回覆地址", message.reply_to or NO_VALUE))
    return facts


def _next_attempt(message: OutboxMessage) -> str:
    """When a message that waits may leave at the earliest, and what it waits for."""
    name, missing = SETTINGS[Channel(message.channel)]
    if not getattr(settings, name):
        return f"設定之後（{missing}）"
    now = timezone.now()
    # Only quiet hours put off what was never tried.
    own = "勿擾時段" if message.next_attempt_at == message.due_at else "前一次沒有成功"
    moments = [(message.next_attempt_at, own)]
    if message.chat is not None:
        moments.append((message.chat.next_at, "這個聊天室每則之間要隔一會，或 Telegram 要求等待"))
    pause = channel_pause(message.channel, now=now)
    if pause is not None:
        moments.append((pause.until, f"{message.get_channel_display()}暫停：{pause.reason}"))
    earliest, why = max(moments)
    return f"{full_time(earliest)}（{why}）" if earliest > now else "輪到時立即寄送"


def _shown(message: OutboxMessage) -> list[tuple[str, Any]]:
    """The text as the recipient gets it."""
    if message.channel == Channel.TELEGRAM:
        return [("Telegram", bubble(message.body))] if message.body.strip() else []
    parts: list[tuple[str, Any]] = []
    if message.body_html:
        page = mail_body(
            _with_pictures(message),
            subject=message.subject,
            text=message.body,
            event=message.event,
            subscription=message.subscription,
        )
        parts.append(("HTML", frame(page, title="電子郵件 HTML")))
    if message.body:
        parts.append(("純文字", plain(message.body)))
    return parts


def _with_pictures(message: OutboxMessage) -> str:
    """The HTML of a mail with the pictures that it carries."""
    if '"cid:' not in message.body_html:
        return message.body_html
    carried = message.attachments.filter(content_type="image/png").values_list("name", "content")
    return with_pictures(message.body_html, {name: bytes(content) for name, content in carried})


def _chain(message: OutboxMessage) -> list[tuple[Any, Any, Any]]:
    """The parts of the text that this one belongs to, in their order; nothing when it is alone."""
    parts: list[Any] = list(OutboxMessage.objects.raw(_PARTS, {"id": message.pk, "limit": CHAIN}))
    if len(parts) == 1:
        return []
    return [
        (part, status_badge(part), page_link("notifications_outboxmessage", part.pk, f"#{part.pk}")) for part in parts
    ]

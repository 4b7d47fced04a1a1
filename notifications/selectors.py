"""Reads of the outbox and of its troubles. Nothing here counts what is over, however much of it there is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, QuerySet
from django.utils import timezone

from momo.core.counting import count_all
from notifications.models import Channel, Chat, OutboxMessage, Pace
from notifications.models.recipients import SWITCHED_OFF

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
PAUSED_FOR = timedelta(minutes=15)  # a channel pauses that long before it is a trouble
Status = OutboxMessage.Status
ENDED = (Status.SENT, Status.FAILED, Status.CANCELLED)

# Each part reads the index of what is not over that was made for it.
_OPEN = """
SELECT channel, status, count(*) FROM notifications_outboxmessage
WHERE channel = 'email' AND status = 'pending' GROUP BY 1, 2
UNION ALL SELECT channel, status, count(*) FROM notifications_outboxmessage
WHERE channel = 'telegram' AND status = 'pending' GROUP BY 1, 2
UNION ALL SELECT channel, status, count(*) FROM notifications_outboxmessage
WHERE status IN ('claimed', 'sending') GROUP BY 1, 2
UNION ALL SELECT channel, status, count(*) FROM notifications_outboxmessage
WHERE status IN ('waiting', 'unsent', 'held') GROUP BY 1, 2
"""
_FIRST_MAIL = """
SELECT min(next_attempt_at) FROM notifications_outboxmessage WHERE channel = 'email' AND status = 'pending'
"""
# One index lookup for each chat. `pace`: when the chat itself may get the next one.
_FIRST_TELEGRAM = """
SELECT min(greatest(oldest.next_attempt_at, {pace})) FROM notifications_chat c
CROSS JOIN LATERAL (
    SELECT m.next_attempt_at FROM notifications_outboxmessage m
    WHERE m.channel = 'telegram' AND m.status = 'pending' AND m.chat_id = c.id
    ORDER BY m.next_attempt_at, m.id LIMIT 1
) oldest
WHERE c.is_active
"""
_FIRST = {Channel.EMAIL.value: _FIRST_MAIL, Channel.TELEGRAM.value: _FIRST_TELEGRAM.format(pace="NULL")}
_NEXT = {Channel.EMAIL.value: _FIRST_MAIL, Channel.TELEGRAM.value: _FIRST_TELEGRAM.format(pace="c.next_at")}
# A mail server's answer to a refused login (RFC 4954).
_LOGIN_REFUSED = re.compile(r"\b53[0458]\b")


@dataclass(frozen=True)
class Paused:
    """A channel that pauses: until when, why, and how often in a row it did not work."""

    until: datetime
    reason: str
    troubles: int


def outbox_counts(*, now: datetime | None = None) -> dict[str, dict[str, int]]:
    """Messages by channel and status, all of both. Of what is over only those of the last 24 hours."""
    counts = {channel: dict.fromkeys(Status.values, 0) for channel in Channel.values}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        rows = cursor.fetchall()
    recent = OutboxMessage.objects.filter(status__in=ENDED, finished_at__gt=(now or timezone.now()) - DAY)
    rows += list(recent.order_by().values_list("channel", "status").annotate(messages=Count("pk")))
    for channel, status, messages in rows:
        counts[channel][status] = messages
    return counts


def oldest_pending(*, now: datetime | None = None) -> dict[str, float]:
    """Seconds for which the longest waiting message of each channel could have been sent; 0 where none waits."""
    now = now or timezone.now()
    return {channel: max(0.0, (now - (_first(_FIRST[channel]) or now)).total_seconds()) for channel in Channel.values}


def next_due(channel: str, *, now: datetime | None = None) -> datetime | None:
    """The moment from which something of the channel may be sent, which may be past. None when nothing waits.

    Obeys the channel's pause, and the pace of chats.
    """
    first = _first(_NEXT[channel])
    paused = channel_pause(channel, now=now) if first is not None else None
    return max(first, paused.until) if first is not None and paused is not None else first


def answers_wait(*, now: datetime | None = None) -> bool:
    """Whether an answer of the bot may be sent, as far as it depends on the answer and the channel."""
    now = now or timezone.now()
    due = OutboxMessage.objects.filter(channel=Channel.TELEGRAM, status=Status.PENDING, is_answer=True)
    return due.filter(next_attempt_at__lte=now).exists() and channel_pause(Channel.TELEGRAM, now=now) is None


def waiting_chats() -> QuerySet[Chat]:
    """Chats that wait for somebody to approve them."""
    return Chat.objects.filter(standing=Chat.Standing.WAITING)


def has_chats() -> bool:
    """Whether messages can be sent to any chat."""
    return Chat.objects.filter(is_active=True).exists()


def has_mail_server() -> bool:
    """Whether a mail server is configured."""
    return bool(settings.EMAIL_URL)


def waiting_messages(*, now: datetime | None = None) -> tuple[QuerySet[OutboxMessage], QuerySet[OutboxMessage]]:
    """Messages that a person should look at: what is held or unsent, and what failed in the last 7 days."""
    failed = OutboxMessage.objects.filter(status=Status.FAILED, finished_at__gt=(now or timezone.now()) - WEEK)
    return OutboxMessage.objects.filter(status__in=(Status.HELD, Status.UNSENT)), failed


def waiting_count(*, now: datetime | None = None) -> int:
    """How many `waiting_messages` there are; one query, which reads as far as the badges of the admin."""
    [number] = count_all([waiting_messages(now=now)])
    return number


def channel_pause(channel: str, *, now: datetime | None = None) -> Paused | None:
    """The pause of a channel at the moment; None when it does not pause."""
    return channel_pauses(now=now).get(channel)


def channel_pauses(*, now: datetime | None = None) -> Mapping[str, Paused]:
    """The pauses at the moment, by channel."""
    paces = Pace.objects.filter(paused_until__gt=now or timezone.now())
    return {
        pace.channel: Paused(pace.paused_until, pace.reason, pace.troubles)
        for pace in paces
        if pace.paused_until is not None
    }


def _first(statement: str) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        first: datetime | None = cursor.fetchone()[0]
        return first


@dataclass(frozen=True)
class Trouble:
    """Something that people must see to. `key` is the same as long as it is the same trouble."""

    key: str
    channel: str
    title: str
    message: str
    page: str
    severity: str = "critical"

    def variables(self) -> dict[str, Any]:
        """Return the variables of the template of system alerts."""
        url = f"{settings.PUBLIC_URL}/admin/notifications/{self.page}/"
        return {"title": self.title, "message": f"{self.message}\n{url}", "severity": self.severity}


def current_troubles(*, now: datetime | None = None) -> list[Trouble]:
    """Channels that cannot send although messages wait, and chats that Telegram closed to messages of the last day."""
    now = now or timezone.now()
    failed = OutboxMessage.objects.filter(status=Status.FAILED, finished_at__gte=now - DAY, chat__is_active=False)
    chats = Chat.objects.filter(pk__in=failed.values("chat"), note__contains=SWITCHED_OFF).order_by("pk")
    return [*_paused_channels(now), *map(_chat_trouble, chats)]


def recent_alerts(limit: int) -> Sequence[Mapping[str, Any]]:
    """Return examples of system alerts for previews: troubles that last, or whose reason is still stored; 2 queries."""
    chats = Chat.objects.filter(is_active=False, note__contains=SWITCHED_OFF).order_by("-pk")[:limit]
    paces = Pace.objects.exclude(reason="").order_by("channel")
    troubles = [*map(_channel_trouble, paces), *map(_chat_trouble, chats)]
    return [{"label": trouble.title, "variables": trouble.variables()} for trouble in troubles[:limit]]


def _paused_channels(now: datetime) -> Iterator[Trouble]:
    """Channels whose server has not been reached for PAUSED_FOR, or refuses the login."""
    for pace in Pace.objects.filter(troubles__gt=0, troubled_since__isnull=False).order_by("channel"):
        waits = OutboxMessage.objects.filter(
            channel=pace.channel, status__in=(Status.PENDING, Status.CLAIMED), due_at__lte=now
        )
        since = waits.order_by("due_at").values_list("due_at", flat=True).first()
        if since is not None and (_login_refused(pace) or since <= now - PAUSED_FOR):
            yield _channel_trouble(pace, f"自 {timezone.localtime(since):%m-%d %H:%M} 起有訊息等待寄送。")


def _channel_trouble(pace: Pace, waits: str = "") -> Trouble:
    label = Channel(pace.channel).label
    return Trouble(
        key=f"{pace.channel}:{_moment(pace.troubled_since)}",
        channel=pace.channel,
        title=f"{label}伺服器拒絕登入" if _login_refused(pace) else f"{label}暫時無法寄送",
        message=f"{waits}{pace.reason}",
        page="outboxmessage",
    )


def _chat_trouble(chat: Chat) -> Trouble:
    return Trouble(
        key=f"chat:{chat.pk}:{_moment(chat.switched_off_at)}",
        channel=Channel.TELEGRAM,
        title=f"Telegram 聊天室已停用：{chat}",
        message=chat.note or "Telegram 不再接受給這個聊天室的訊息。",
        page="chat",
        severity="warning",
    )


def _login_refused(pace: Pace) -> bool:
    return pace.channel == Channel.EMAIL and _LOGIN_REFUSED.search(pace.reason) is not None


def _moment(at: datetime | None) -> str:
    """When a trouble began, which distinguishes it from the next one, however soon that follows."""
    return f"{at.timestamp():.6f}" if at is not None else ""

"""What is read of the outbox. Nothing here counts what is over, however much of it there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from notifications.models import Channel, OutboxMessage, Pace

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
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
WHERE status IN ('waiting', 'held') GROUP BY 1, 2
"""
# Each by its own index, which an OR of both would not use.
_WAITING = """
SELECT (SELECT count(*) FROM notifications_outboxmessage WHERE status = 'held')
     + (SELECT count(*) FROM notifications_outboxmessage WHERE status = 'failed' AND finished_at > %(since)s)
"""
_FIRST_MAIL = """
SELECT min(next_attempt_at) FROM notifications_outboxmessage WHERE channel = 'email' AND status = 'pending'
"""
# One look into the index for each chat. `pace`: when the chat itself may get the next one.
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


@dataclass(frozen=True)
class Paused:
    """A channel at rest: until when, why, and how often in a row it did not work."""

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
    return {channel: _age(_first(_FIRST[channel]), now) for channel in Channel.values}


def next_due(channel: str, *, now: datetime | None = None) -> datetime | None:
    """The moment from which something of the channel may be sent, which may be past. None when nothing waits.

    Obeys the channel's pause, and the pace of chats.
    """
    first = _first(_NEXT[channel])
    paused = channel_pause(channel, now=now) if first is not None else None
    return max(first, paused.until) if first is not None and paused is not None else first


def waiting_count(*, now: datetime | None = None) -> int:
    """Messages that a person should look at: all that are held, and those that failed in the last 7 days."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"since": (now or timezone.now()) - WEEK})
        return cursor.fetchone()[0]


def channel_pause(channel: str, *, now: datetime | None = None) -> Paused | None:
    """Why a channel rests at the moment; None when it does not."""
    return channel_pauses(now=now).get(channel)


def channel_pauses(*, now: datetime | None = None) -> Mapping[str, Paused]:
    """Channels that rest at the moment."""
    resting = Pace.objects.filter(paused_until__gt=now or timezone.now())
    return {
        pace.channel: Paused(pace.paused_until, pace.reason, pace.troubles)
        for pace in resting
        if pace.paused_until is not None
    }


def _first(statement: str) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _age(first: datetime | None, now: datetime) -> float:
    return max(0.0, (now - first).total_seconds()) if first is not None else 0.0

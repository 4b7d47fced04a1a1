"""Who sends what: a sender takes messages that are due, and nobody else gets them meanwhile.

Only the partial indexes of what is due are read, so that it costs the same with a thousand rows and with millions.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from operator import itemgetter

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Channel, OutboxMessage
from notifications.services.chains import is_decided
from notifications.services.notify import quiet_until_after
from notifications.services.pace import open_slot, take_slots

AHEAD = 1.0  # seconds; who dies with Telegram's slots in hand has wasted no more than these
AT_ONCE = timedelta(minutes=10)  # after the part before it, a part belongs to what is arriving
NEAR_ENOUGH = timedelta(milliseconds=100)  # late by less than this, a message keeps to the pace that was planned

_CLAIM_EMAIL = """
WITH due AS MATERIALIZED (
    SELECT id FROM notifications_outboxmessage
    WHERE channel = 'email' AND status = 'pending' AND next_attempt_at <= %(now)s
      AND NOT EXISTS (SELECT FROM notifications_pace WHERE channel = 'email' AND paused_until > %(now)s)
    ORDER BY next_attempt_at, id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE notifications_outboxmessage m SET status = 'claimed', claim = %(claim)s, claimed_at = %(now)s
FROM due WHERE m.id = due.id
RETURNING m.*
"""

# Chats first: each takes one message at a time. Who waits longest comes first, so that no chat keeps out another.
# The lock on a chat lets the keys of new messages pass.
_CLAIM_TELEGRAM = """
WITH ready AS MATERIALIZED (
    SELECT c.id AS chat_id, c.next_at, c.chat_id ~ '^[0-9]+$' AS is_person, oldest.id
    FROM notifications_chat c
    CROSS JOIN LATERAL (
        SELECT m.id FROM notifications_outboxmessage m
        WHERE m.channel = 'telegram' AND m.status = 'pending' AND m.chat_id = c.id AND m.next_attempt_at <= %(now)s
        ORDER BY m.next_attempt_at, m.id LIMIT 1
    ) oldest
    WHERE c.is_active AND c.next_at <= %(now)s
    ORDER BY c.next_at, c.id LIMIT %(limit)s
    FOR NO KEY UPDATE OF c SKIP LOCKED
), due AS MATERIALIZED (
    SELECT m.id, ready.chat_id, ready.next_at, ready.is_person
    FROM ready JOIN notifications_outboxmessage m ON m.id = ready.id
    WHERE m.channel = 'telegram' AND m.status = 'pending'
    FOR NO KEY UPDATE OF m SKIP LOCKED
), slots AS MATERIALIZED (
    SELECT id, chat_id, is_person, row_number() OVER (ORDER BY next_at, chat_id) - 1 AS place FROM due
), paced AS (
    UPDATE notifications_chat c
    SET next_at = %(start)s + slots.place * %(gap)s
        + CASE WHEN slots.is_person THEN %(person)s ELSE %(group)s END
    FROM slots WHERE c.id = slots.chat_id
)
UPDATE notifications_outboxmessage m SET status = 'claimed', claim = %(claim)s, claimed_at = %(now)s
FROM slots WHERE m.id = slots.id
RETURNING m.*, slots.place
"""
# Silence counts from here. `attempts` is as it was claimed and one more, so that the same mark twice is one attempt.
# What may not leave now goes back: with its chat's time, or the end of its quiet hours. The channel's rest may be over
# sooner than it was planned, and is in no message.
_BEGIN = """
WITH mine AS MATERIALIZED (
    SELECT m.id, greatest(%(quiet)s::timestamptz, CASE WHEN c.next_at > %(rests)s THEN c.next_at END) AS until,
        EXISTS (SELECT FROM notifications_pace p WHERE p.channel = m.channel AND p.paused_until > %(now)s) AS paused
    FROM notifications_outboxmessage m LEFT JOIN notifications_chat c ON c.id = m.chat_id
    WHERE m.id = %(id)s AND m.claim = %(claim)s AND m.status IN ('claimed', 'sending')
    FOR NO KEY UPDATE OF m
), returned AS (
    UPDATE notifications_outboxmessage m SET status = 'pending', claim = NULL, claimed_at = NULL,
        attempts = %(attempts)s - 1, next_attempt_at = greatest(m.next_attempt_at, mine.until)
    FROM mine WHERE m.id = mine.id AND (mine.paused OR mine.until IS NOT NULL)
), begun AS (
    UPDATE notifications_outboxmessage m SET status = 'sending', claimed_at = %(now)s, attempts = %(attempts)s
    FROM mine WHERE m.id = mine.id AND NOT mine.paused AND mine.until IS NULL
    RETURNING m.chat_id
), paced AS (
    UPDATE notifications_chat c SET next_at = %(free)s FROM begun WHERE c.id = begun.chat_id AND c.next_at < %(late)s
)
SELECT count(*) FROM begun
"""


@dataclass(frozen=True)
class Claimed:
    """A message that is ours until its claim is over, and the moment from which it may leave."""

    message: OutboxMessage
    leaves_at: datetime


def claim_email(limit: int, *, claim: uuid.UUID | None = None, now: datetime | None = None) -> list[Claimed]:
    """Take up to `limit` mails that are due, the longest due first. Nothing while the channel is paused.

    `claim` marks what this call took; the caller may choose it, so that it can give everything back however it ends.
    """
    now = now or timezone.now()
    values = {"now": now, "limit": limit, "claim": claim or uuid.uuid4()}
    taken = OutboxMessage.objects.raw(_CLAIM_EMAIL, values)
    return [Claimed(message, now) for message in sorted(taken, key=lambda one: (one.next_attempt_at, one.pk))]


def claim_telegram(limit: int, *, claim: uuid.UUID | None = None, now: datetime | None = None) -> list[Claimed]:
    """Take up to `limit` messages that are due, one a chat, and for each a place in the pace of all processes.

    No more than may leave within about a second. Nothing while the channel is paused. `claim`: see `claim_email`.
    """
    now = now or timezone.now()
    gap = timedelta(seconds=1 / settings.TELEGRAM_PER_SECOND)
    with transaction.atomic():
        start = open_slot(Channel.TELEGRAM, now)
        room = 0 if start is None else floor((now + timedelta(seconds=AHEAD) - start) / gap) + 1
        if start is None or room < 1:
            return []
        values = {
            "now": now,
            "limit": min(limit, room),
            "claim": claim or uuid.uuid4(),
            "start": start,
            "gap": gap,
            "person": timedelta(seconds=settings.TELEGRAM_CHAT_SECONDS),
            "group": timedelta(seconds=settings.TELEGRAM_GROUP_SECONDS),
        }
        places = {_place(message): message for message in OutboxMessage.objects.raw(_CLAIM_TELEGRAM, values)}
        if places:
            take_slots(Channel.TELEGRAM, start + len(places) * gap)
    return [Claimed(message, start + place * gap) for place, message in sorted(places.items(), key=itemgetter(0))]


def _place(message: OutboxMessage) -> int:
    """The claim's own column: which of its slots the message has."""
    return message.place  # type: ignore[attr-defined]


def claim_due(channel: str, limit: int, *, claim: uuid.UUID) -> list[Claimed]:
    """Take what is due of a channel."""
    return (claim_email if channel == Channel.EMAIL else claim_telegram)(limit, claim=claim)


def begin(message: OutboxMessage) -> bool:
    """Mark that the message may leave from now on; False when it is no longer ours, or may not leave now.

    The latter goes back: its channel or its chat has been told to rest since it was claimed, or its quiet hours have
    begun. May be called again when the answer got lost. Sets the chat's pace anew when the message leaves late.
    """
    now = timezone.now()
    is_group = message.chat is not None and message.chat.is_group
    pace = timedelta(seconds=settings.TELEGRAM_GROUP_SECONDS if is_group else settings.TELEGRAM_CHAT_SECONDS)
    with connection.cursor() as cursor:
        values = {"id": message.pk, "claim": message.claim, "now": now, "attempts": message.attempts + 1}
        values |= {"free": now + pace, "late": now + pace - NEAR_ENOUGH, "rests": now + pace + NEAR_ENOUGH}
        cursor.execute(_BEGIN, values | {"quiet": _quiet_until(message, now)})
        return cursor.fetchone()[0] == 1


def _quiet_until(message: OutboxMessage, now: datetime) -> datetime | None:
    """The end of the quiet hours that keep the message back now.

    None of what a person has just sent again, who was told that it goes at once, nor of a part whose text has begun to
    arrive.
    """
    if message.subscription is None or is_decided(message.reason):
        return None
    if message.after_id is not None and now - message.due_at < AT_ONCE:
        return None
    return quiet_until_after(message.subscription, now)


def give_back(claim: uuid.UUID, *, also: Sequence[int] = ()) -> int:
    """Let others have what was claimed and not begun. `also`: messages marked as sending that were not handed over.

    Returns how many.
    """
    free = {"status": "pending", "claim": None, "claimed_at": None}
    given = OutboxMessage.objects.filter(claim=claim, status="claimed").update(**free)
    if also:
        given += OutboxMessage.objects.filter(claim=claim, status="sending", pk__in=also).update(**free)
    return given

"""Claims of messages, as in `momo.core.work` (claim, begin, give back, sweep), but of many rows with one statement.

Only the partial indexes of due messages are read, so a claim costs the same with a thousand rows as with millions.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Channel, OutboxMessage, Pace
from notifications.services.control import is_decided
from notifications.services.notify import quiet_until_after

AHEAD = 1.0  # seconds; a sender that dies wastes no more of Telegram's slots than these
AT_ONCE = timedelta(minutes=10)  # a part that follows within this time belongs to a text that is arriving
NEAR_ENOUGH = timedelta(milliseconds=100)  # a message late by less than this keeps the planned pace

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

# Answers of the bot, of each chat the one that is due longest: their own index is the smallest that holds them, so it
# is read whole, whatever else is due.
_ANSWERS = """
    SELECT c.id AS chat_id, c.next_at, c.chat_id ~ '^[0-9]+$' AS is_person, oldest.id
    FROM (
        SELECT DISTINCT ON (m.chat_id) m.chat_id, m.id FROM notifications_outboxmessage m
        WHERE m.channel = 'telegram' AND m.status = 'pending' AND m.is_answer AND m.next_attempt_at <= %(now)s
        ORDER BY m.chat_id, m.next_attempt_at, m.id
    ) oldest
    JOIN notifications_chat c ON c.id = oldest.chat_id
    WHERE c.is_active AND c.next_at <= %(now)s
    ORDER BY c.next_at, c.id LIMIT %(limit)s
    FOR NO KEY UPDATE OF c SKIP LOCKED
"""
# Chats first: each receives one message at a time. The chat that waits longest comes first, so that no chat starves
# another. NO KEY UPDATE, so that new messages may refer to a locked chat.
_ALL = """
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
"""
_CLAIM_TELEGRAM = """
WITH ready AS MATERIALIZED ({ready}), due AS MATERIALIZED (
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
# The claim's time-out counts from here. `attempts` is the claimed number plus one: marking twice is one attempt.
# A message that may not leave now is pending again, until its chat's next slot or the end of its quiet hours. The end
# of a channel's pause is not written into messages, since the pause may end sooner.
_BEGIN = """
WITH mine AS MATERIALIZED (
    SELECT m.id, greatest(%(quiet)s::timestamptz, CASE WHEN c.next_at > %(waits)s THEN c.next_at END) AS until,
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
    """A claimed message, and the moment from which it may leave."""

    message: OutboxMessage
    leaves_at: datetime


def claim_email(limit: int, *, claim: uuid.UUID | None = None, now: datetime | None = None) -> list[Claimed]:
    """Claim up to `limit` due mails, the longest due first. Nothing while the channel is paused.

    `claim` marks the claimed messages; a caller that chooses it can give them back whatever happens in between.
    """
    now = now or timezone.now()
    values = {"now": now, "limit": limit, "claim": claim or uuid.uuid4()}
    taken = OutboxMessage.objects.raw(_CLAIM_EMAIL, values)
    return [Claimed(message, now) for message in sorted(taken, key=lambda one: (one.next_attempt_at, one.pk))]


def claim_telegram(
    limit: int, *, claim: uuid.UUID | None = None, now: datetime | None = None, answers_only: bool = False
) -> list[Claimed]:
    """Claim up to `limit` due messages, one for each chat, and for each a slot in the pace of all processes.

    Answers of the bot come first. No more than may leave within about a second. Nothing while the channel is paused.
    `claim`: see `claim_email`.
    """
    now, claim = now or timezone.now(), claim or uuid.uuid4()
    gap = timedelta(seconds=1 / settings.TELEGRAM_PER_SECOND)
    with transaction.atomic():
        Pace.objects.bulk_create([Pace(channel=Channel.TELEGRAM, next_at=now)], ignore_conflicts=True)
        pace = Pace.objects.select_for_update(no_key=True).get(channel=Channel.TELEGRAM)
        start = max(pace.next_at, now)
        room = floor((now + timedelta(seconds=AHEAD) - start) / gap) + 1
        if room < 1 or (pace.paused_until is not None and pace.paused_until > now):
            return []
        limit = min(limit, room)
        taken = _claim_chats(_ANSWERS, limit, start, now, claim)
        if not answers_only and len(taken) < limit:
            # A chat whose answer was claimed has no free slot any more, or had none.
            taken += _claim_chats(_ALL, limit - len(taken), start + len(taken) * gap, now, claim)
        if taken:
            Pace.objects.filter(channel=Channel.TELEGRAM).update(next_at=start + len(taken) * gap)
    return taken


def _claim_chats(ready: str, limit: int, start: datetime, now: datetime, claim: uuid.UUID) -> list[Claimed]:
    """Claim the messages that `ready` chooses, with slots from `start` on."""
    gap = timedelta(seconds=1 / settings.TELEGRAM_PER_SECOND)
    values = {
        "now": now,
        "limit": limit,
        "claim": claim,
        "start": start,
        "gap": gap,
        "person": timedelta(seconds=settings.TELEGRAM_CHAT_SECONDS),
        "group": timedelta(seconds=settings.TELEGRAM_GROUP_SECONDS),
    }
    taken: list[Any] = list(OutboxMessage.objects.raw(_CLAIM_TELEGRAM.format(ready=ready), values))
    # `place`, a column of the statement, is which of the claim's slots the message has.
    places: dict[int, OutboxMessage] = {message.place: message for message in taken}
    return [Claimed(message, start + place * gap) for place, message in sorted(places.items(), key=itemgetter(0))]


def claim_due(channel: str, limit: int, *, claim: uuid.UUID, answers_only: bool = False) -> list[Claimed]:
    """Claim due messages of a channel, or answers of the bot only."""
    if channel == Channel.EMAIL:
        return claim_email(limit, claim=claim)
    return claim_telegram(limit, claim=claim, answers_only=answers_only)


def begin(message: OutboxMessage) -> bool:
    """Mark the message as sending. False when the claim is no longer in force, or the message may not leave now.

    In the latter case the message is pending again: since it was claimed, its channel was paused, its chat asked for a
    wait, or its quiet hours began. May be repeated when the database's answer was lost. When the message leaves late,
    the chat's next slot moves with it.
    """
    now = timezone.now()
    is_group = message.chat is not None and message.chat.is_group
    pace = timedelta(seconds=settings.TELEGRAM_GROUP_SECONDS if is_group else settings.TELEGRAM_CHAT_SECONDS)
    with connection.cursor() as cursor:
        values = {"id": message.pk, "claim": message.claim, "now": now, "attempts": message.attempts + 1}
        values |= {"free": now + pace, "late": now + pace - NEAR_ENOUGH, "waits": now + pace + NEAR_ENOUGH}
        cursor.execute(_BEGIN, values | {"quiet": _quiet_until(message, now)})
        return bool(cursor.fetchone()[0])


def _quiet_until(message: OutboxMessage, now: datetime) -> datetime | None:
    """Return the end of the quiet hours that keep the message back now.

    None for a message that a person has just sent again, since the page says that it leaves at once, and for a part
    whose text has begun to arrive.
    """
    quiet = quiet_until_after(message.subscription, now) if message.subscription is not None else None
    if quiet is None or is_decided(message):
        return None
    if message.after_id is not None and now - message.due_at < AT_ONCE:
        return None
    return quiet


def give_back(claim: uuid.UUID, *, also: Sequence[int] = ()) -> int:
    """Give back the messages of a claim that were not begun. `also`: begun messages that were not handed over.

    Returns how many.
    """
    free = {"status": "pending", "claim": None, "claimed_at": None}
    given = OutboxMessage.objects.filter(claim=claim, status="claimed").update(**free)
    if also:
        given += OutboxMessage.objects.filter(claim=claim, status="sending", pk__in=also).update(**free)
    return given

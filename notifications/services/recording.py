"""Records the outcome of attempts, and the pauses of channels.

Only this process knows an outcome, so it waits for a database that is away.
"""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from momo.core.texts import one_line
from momo.core.waits import backoff
from momo.core.work import retry_transient
from notifications.channels.base import Outcome, Verdict
from notifications.models import Channel, OutboxMessage, Pace
from notifications.services.chains import cancel_following
from notifications.services.chats import move_chat, pause_chat, switch_off_chat
from notifications.services.notify import quiet_until_after

PATIENCE = 60.0  # seconds that a database may be away before an outcome is lost
LONGEST_BACKOFF = 3600.0  # seconds
LONGEST_PAUSE = 300.0  # seconds, unless a server asks for more
LONGEST_WAIT = 24 * 3600.0  # seconds, whatever a server asks for
REASON_LIMIT = 2000  # characters
Status = OutboxMessage.Status

# The part that follows is due from the moment that this one was sent.
_SENT = """
WITH done AS (
    UPDATE notifications_outboxmessage SET status = 'sent', sent_at = %(now)s, finished_at = %(now)s, claim = NULL,
        claimed_at = NULL, reason = %(reason)s, message_id = %(message_id)s,
        refused = CASE WHEN %(refused)s::jsonb = '[]' THEN refused ELSE %(refused)s::jsonb END
    WHERE id = %(id)s AND claim = %(claim)s AND status IN ('sending', 'held')
    RETURNING id
), following AS (
    UPDATE notifications_outboxmessage m SET status = 'pending', next_attempt_at = %(now)s, due_at = %(now)s
    FROM done WHERE m.after_id = done.id AND m.status = 'waiting'
)
SELECT count(*) FROM done
"""


def record(message: OutboxMessage, outcome: Outcome) -> str:
    """Record the outcome of a message that this process was sending. Returns its new status.

    Empty when the claim is no longer in force, since a person has decided about the message. A message that the sweep
    holds, because this process was slow, still has its claim. Raises errors of TRANSIENT when the database stays away.
    """
    return retry_transient(lambda: _record(message, outcome), seconds=PATIENCE)


def _record(message: OutboxMessage, outcome: Outcome) -> str:
    now = timezone.now()
    if outcome.verdict is Verdict.SENT:
        return _record_sent(message, outcome, now)
    values = _values(message, outcome, now) | ({"refused": _refused(outcome)} if outcome.refused else {})
    with transaction.atomic():
        ours = OutboxMessage.objects.filter(
            pk=message.pk, claim=message.claim, status__in=(Status.SENDING, Status.HELD)
        )
        if not ours.update(**values):
            return ""
        if message.chat is not None:
            if values["status"] == Status.FAILED:
                cancel_following([message.pk], now)
            # What the outcome says about the chat holds for all its messages.
            if _moved(message, outcome):
                move_chat(message.chat, new_id=outcome.moved_to)
            elif outcome.chat_off:
                switch_off_chat(message.chat, reason=outcome.reason)
            elif outcome.verdict is Verdict.RETRY and outcome.wait and not outcome.of_channel:
                pause_chat(message.chat, seconds=outcome.wait)
    return str(values["status"])


def _record_sent(message: OutboxMessage, outcome: Outcome, now: datetime) -> str:
    """Record the usual outcome with one statement, which is its own transaction."""
    values = {
        "id": message.pk,
        "claim": message.claim,
        "now": now,
        "reason": one_line(outcome.reason)[:REASON_LIMIT],
        "refused": json.dumps(_refused(outcome)),
        # A mail keeps its Message-ID.
        "message_id": message.message_id if message.channel == Channel.EMAIL else outcome.message_id[:255],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SENT, values)
        return Status.SENT.value if cursor.fetchone()[0] else ""


def _refused(outcome: Outcome) -> list[dict[str, str]]:
    """The recipients that were refused, as they are stored."""
    return [{"address": address, "reason": one_line(why)[:500]} for address, why in outcome.refused.items()]


def _moved(message: OutboxMessage, outcome: Outcome) -> bool:
    """Whether the chat has moved to a number that is worth an immediate attempt: not the one just refused."""
    return bool(outcome.moved_to) and message.chat is not None and message.chat.chat_id != outcome.moved_to


def _values(message: OutboxMessage, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Return the columns that an outcome changes."""
    over = {"finished_at": now, "claim": None, "claimed_at": None}
    reason = one_line(outcome.reason)[:REASON_LIMIT]
    match outcome.verdict:
        case Verdict.FAILED:
            return {"status": Status.FAILED, "reason": reason, **over}
        case Verdict.UNKNOWN:
            # The claim ends: only a person can find out more.
            return {"status": Status.HELD, "reason": reason, **over}
    moved = _moved(message, outcome)
    # Due for so long that another refusal is the last.
    is_old = now - max(message.created_at, message.due_at) >= timedelta(hours=settings.OUTBOX_GIVE_UP_HOURS)
    if is_old and not moved:
        return {"status": Status.FAILED, "reason": reason, **over}
    again = {"status": Status.PENDING, "claim": None, "claimed_at": None, "finished_at": None, "reason": reason}
    if outcome.of_channel:
        return {**again, "attempts": message.attempts}
    if moved:
        return {**again, "next_attempt_at": now}
    seconds = backoff(_attempts_since_due(message, now), base=settings.OUTBOX_BACKOFF, longest=LONGEST_BACKOFF)
    seconds = max(seconds, min(outcome.wait or 0.0, LONGEST_WAIT))
    at = now + timedelta(seconds=seconds)
    quiet = quiet_until_after(message.subscription, at) if message.subscription is not None else None
    return {**again, "next_attempt_at": quiet or at}


def _attempts_since_due(message: OutboxMessage, now: datetime) -> int:
    """Return how many attempts count for the wait after the current one: those since the message is due (again).

    `attempts` counts all, also those before a person sent the message again, which sets `due_at` anew. Waits double,
    so the time since `due_at` shows how many of them fit in it.
    """
    every = message.attempts + 1
    if not settings.OUTBOX_BACKOFF:
        return every
    waited = max(0.0, (now - message.due_at).total_seconds())
    return min(every, 1 + round(math.log2(1 + waited / settings.OUTBOX_BACKOFF)))


def pause(channel: str, reason: str, *, wait: float | None = None, now: datetime | None = None) -> datetime:
    """Pause the channel for all processes, longer with each trouble in a row. Returns until when.

    Several processes that run into the same trouble at once count as one.
    """
    now = now or timezone.now()
    pace, _ = Pace.objects.get_or_create(channel=channel, defaults={"next_at": now})
    running = pace.paused_until is not None and pace.paused_until > now
    seconds = backoff(pace.troubles + (not running), base=settings.OUTBOX_BACKOFF, longest=LONGEST_PAUSE)
    seconds = max(seconds, min(wait or 0, LONGEST_WAIT))
    until = now + timedelta(seconds=seconds)
    if running and pace.paused_until is not None:
        until = max(until, pace.paused_until) if wait else pace.paused_until
    Pace.objects.filter(pk=channel).update(
        troubles=Case(When(paused_until__gt=now, then=F("troubles")), default=F("troubles") + 1),
        troubled_since=Coalesce("troubled_since", now),
        paused_until=until,
        reason=reason,
    )
    return until


def resume(channel: str, *, over: bool = True) -> None:
    """End the channel's pause. `over`: its trouble has ended too, so that the next trouble is a new one.

    Not `over` for a server that answers but defers the message: it may be gone again before it accepts one.
    """
    ended = {"troubled_since": None} if over else {}
    Pace.objects.filter(pk=channel, troubled_since__isnull=False).update(
        troubles=0, paused_until=None, reason="", **ended
    )


def is_troubled(channel: str) -> bool:
    """Whether the channel's trouble goes on: attempts failed, and no message was accepted since."""
    return Pace.objects.filter(pk=channel, troubled_since__isnull=False).exists()

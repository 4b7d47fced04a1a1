"""What became of an attempt is written down, whatever the database does meanwhile: it is known here only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from notifications.channels.base import Outcome, Verdict
from notifications.models import Channel, Chat, OutboxMessage
from notifications.services.chains import cancel_rest, with_reason
from notifications.services.chats import move_chat, switch_off_chat, wait_for_chat
from notifications.services.notify import quiet_until_after
from notifications.services.pace import LONGEST_WAIT, backoff, tries

logger = logging.getLogger(__name__)

PATIENCE = 60.0  # seconds that a database may be away before an outcome is given up
Status = OutboxMessage.Status
Result = TypeVar("Result")

# The part that follows may be sent from the moment that this one is.
_SENT = """
WITH done AS (
    UPDATE notifications_outboxmessage SET status = 'sent', sent_at = %(now)s, finished_at = %(now)s, claim = NULL,
        claimed_at = NULL, reason = %(reason)s, message_id = %(message_id)s
    WHERE id = %(id)s AND claim = %(claim)s AND status IN ('sending', 'held')
    RETURNING id
), following AS (
    UPDATE notifications_outboxmessage m SET status = 'pending', next_attempt_at = %(now)s, due_at = %(now)s
    FROM done WHERE m.after_id = done.id AND m.status = 'waiting'
)
SELECT count(*) FROM done
"""


def persistently(work: Callable[[], Result], *, seconds: float = PATIENCE) -> Result:
    """Do `work`, which may be done twice, again until the database takes it.

    Raises OperationalError or InterfaceError when it is still away after `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = 0.1
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            if time.monotonic() >= deadline or connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(2.0, pause * 2)


def record(message: OutboxMessage, outcome: Outcome) -> str:
    """Write what became of a message that we were sending. Returns its new status.

    Empty when it is no longer ours: a person has decided about it meanwhile. A row that the sweep has held, because we
    were slow, is still ours. Raises OperationalError or InterfaceError when the database stays away.
    """
    return persistently(lambda: _record(message, outcome))


def too_old(message: OutboxMessage, now: datetime) -> bool:
    """Whether it has been due for so long that one more refusal is the last."""
    return now - max(message.created_at, message.due_at) >= timedelta(hours=settings.OUTBOX_GIVE_UP_HOURS)


def _record(message: OutboxMessage, outcome: Outcome) -> str:
    now = timezone.now()
    if outcome.verdict is Verdict.SENT:
        return _record_sent(message, outcome, now)
    values = _values(message, outcome, now)
    with transaction.atomic():
        ours = OutboxMessage.objects.filter(
            pk=message.pk, claim=message.claim, status__in=(Status.SENDING, Status.HELD)
        )
        if not ours.update(**values):
            return ""
        if message.chat is not None:
            if values["status"] == Status.FAILED:
                cancel_rest([message.pk], now)
            _tell_chat(message.chat, outcome, moved=_moved(message, outcome))
    return str(values["status"])


def _record_sent(message: OutboxMessage, outcome: Outcome, now: datetime) -> str:
    """What almost always happens takes one statement, which is its own transaction."""
    values = {
        "id": message.pk,
        "claim": message.claim,
        "now": now,
        "reason": with_reason(message.reason, outcome.reason),
        # A mail keeps the number that it was written with.
        "message_id": message.message_id if message.channel == Channel.EMAIL else outcome.message_id[:255],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SENT, values)
        return Status.SENT.value if cursor.fetchone()[0] else ""


def _moved(message: OutboxMessage, outcome: Outcome) -> bool:
    """Whether there is another number to try at once; the one that was just refused is none."""
    return bool(outcome.moved_to) and message.chat is not None and message.chat.chat_id != outcome.moved_to


def _values(message: OutboxMessage, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The columns that an outcome changes."""
    over = {"finished_at": now, "claim": None, "claimed_at": None}
    reason = with_reason(message.reason, outcome.reason)
    match outcome.verdict:
        case Verdict.FAILED:
            return {"status": Status.FAILED, "reason": reason, **over}
        case Verdict.UNKNOWN:
            # No longer ours: nobody will know more before a person does.
            return {"status": Status.HELD, "reason": reason, **over}
    moved = _moved(message, outcome)
    if too_old(message, now) and not moved:
        return {"status": Status.FAILED, "reason": reason, **over}
    again = {"status": Status.PENDING, "claim": None, "claimed_at": None, "finished_at": None, "reason": reason}
    if outcome.everybody:
        return {**again, "attempts": message.attempts}
    if moved:
        return {**again, "next_attempt_at": now}
    seconds = max(backoff(tries(message, now)), min(outcome.wait or 0.0, LONGEST_WAIT))
    at = now + timedelta(seconds=seconds)
    quiet = quiet_until_after(message.subscription, at) if message.subscription is not None else None
    return {**again, "next_attempt_at": quiet or at}


def _tell_chat(chat: Chat, outcome: Outcome, *, moved: bool) -> None:
    """What the outcome says of the chat holds for all of its messages."""
    if moved:
        move_chat(chat, outcome.moved_to)
    elif outcome.chat_off:
        switch_off_chat(chat, outcome.reason)
    elif outcome.verdict is Verdict.RETRY and outcome.wait and not outcome.everybody:
        wait_for_chat(chat, outcome.wait)

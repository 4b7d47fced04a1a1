"""What people decide about messages.

Each decision is one conditional UPDATE, so that of two people, or a person and a sender, at the same moment only one
wins. The same statement writes an OutboxDecision with the reason that was decided upon, where it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict
from momo.core.work import start_task_on_commit
from notifications.models import OutboxDecision, OutboxMessage
from notifications.services.chains import cancel_following, release_following, revive_following
from notifications.services.outbox import SEND_TASK

Status = OutboxMessage.Status
Kind = OutboxDecision.Kind
SYSTEM = "系統"
REASON_LIMIT = 500  # characters that a decision keeps of the reason that it was made upon

# Locked in one order by every process, so that two people who choose the same many messages wait and never deadlock.
# What is to be sent again waits for its predecessor, unless that was sent; if that is lost and not chosen itself, the
# part is left as it is: it would arrive alone. A predecessor that moves on at this moment is for the sweep to notice.
_DECIDE = """
WITH RECURSIVE chosen AS MATERIALIZED (
    SELECT id, after_id, reason FROM notifications_outboxmessage
    WHERE id = ANY(%(ids)s) AND status = ANY(%(before)s) ORDER BY id FOR NO KEY UPDATE
), fit AS (
    SELECT one.id, CASE WHEN %(again)s AND first.status <> 'sent' THEN 'waiting' ELSE %(after)s END::text AS status
    FROM chosen one LEFT JOIN notifications_outboxmessage first ON first.id = one.after_id
    WHERE NOT (%(again)s AND coalesce(first.status, '') IN ('failed', 'cancelled'))
    UNION
    SELECT one.id, 'waiting' FROM chosen one JOIN fit ON fit.id = one.after_id WHERE %(again)s
), decided AS (
    INSERT INTO notifications_outboxdecision (message_id, user_id, name, kind, reason, decided_at)
    SELECT id, %(user)s, %(name)s, %(kind)s, left(reason, %(limit)s), %(now)s
    FROM chosen WHERE id IN (SELECT id FROM fit) ORDER BY id
)
UPDATE notifications_outboxmessage m SET
    status = fit.status, claim = NULL, claimed_at = NULL, reason = '',
    next_attempt_at = CASE WHEN %(again)s THEN %(now)s ELSE next_attempt_at END,
    due_at = CASE WHEN %(again)s THEN %(now)s ELSE due_at END,
    finished_at = CASE WHEN %(again)s THEN NULL ELSE %(now)s END,
    sent_at = CASE WHEN %(after)s = 'sent' THEN %(now)s ELSE sent_at END
FROM fit WHERE m.id = fit.id
RETURNING m.id, m.channel
"""


@dataclass(frozen=True)
class Choice:
    """One thing that a person may decide: from which states, to which, and what becomes of the chain."""

    kind: OutboxDecision.Kind
    before: tuple[str, ...]
    after: str
    refused: str  # why not, of any other state
    chain: Callable[[Collection[int], datetime], object]


# Send a failed message again, and what fell with it after it.
RETRY = Choice(
    Kind.RETRY,
    (Status.FAILED,),
    Status.PENDING,
    "只有失敗的訊息才能重新寄送",
    lambda ids, now: revive_following(ids),
)
# Never send a message, nor what follows it.
CANCEL = Choice(
    Kind.CANCEL,
    (Status.WAITING, Status.PENDING, Status.UNSENT, Status.HELD, Status.FAILED),
    Status.CANCELLED,
    "只有還沒寄出的訊息才能取消",
    cancel_following,
)
# Send a held message again: the person says that it did not arrive.
RELEASE = Choice(Kind.RELEASE, (Status.HELD,), Status.PENDING, "只有待人工確認的訊息才能放行", lambda ids, now: None)
# Take a held message as sent: the person says that it arrived.
MARK_SENT = Choice(
    Kind.MARK_SENT, (Status.HELD,), Status.SENT, "只有待人工確認的訊息才能標示為已寄達", release_following
)


@dataclass(frozen=True)
class Decided:
    """How many messages a decision changed, and how many were in another state by then."""

    done: int
    skipped: int


def decide(choice: Choice, message: OutboxMessage, *, user: User | None = None) -> OutboxMessage:
    """Decide about one message. Parts that are sent again wait for those before them.

    Raises Conflict for a message in another state, one in a sender's hands among them, and for a part to be sent again
    whose predecessor was not sent and never will be by itself.
    """
    changed = _decide(choice, [message.pk], user)
    message.refresh_from_db()
    before = message.after
    if not changed and choice is RETRY and message.status == Status.FAILED and before is not None:
        hint = "；請重新寄送最前面失敗的那一則，接在後面的會跟著寄" if before.status == Status.FAILED else ""
        raise Conflict(f"前一則是「{before.get_status_display()}」，這一則不能單獨重新寄送{hint}")
    if not changed:
        raise Conflict(f"{choice.refused}，這一則是「{message.get_status_display()}」")
    return message


def decide_many(choice: Choice, messages: QuerySet[OutboxMessage], *, user: User | None = None) -> Decided:
    """Decide about those that are in a fitting state, skip the others.

    Parts of one text that are sent again together go in their order.
    """
    ids = list(messages.values_list("pk", flat=True))
    done = len(_decide(choice, ids, user))
    return Decided(done, len(ids) - done)


def is_decided(message: OutboxMessage) -> bool:
    """Whether a person's decision is the last that happened to a message: no attempt has ended since."""
    return not message.reason and message.decisions.exists()


def _decide(choice: Choice, ids: list[int], user: User | None) -> list[int]:
    """The ids of the messages that changed."""
    now = timezone.now()
    values: dict[str, Any] = {
        "ids": ids,
        "before": list(choice.before),
        "after": choice.after,
        "again": choice.after == Status.PENDING,
        "user": user.pk if user is not None else None,
        "name": str(user) if user is not None else SYSTEM,
        "kind": choice.kind,
        "limit": REASON_LIMIT,
        "now": now,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_DECIDE, values)
            changed = cursor.fetchall()
        done = [pk for pk, _ in changed]
        if done:
            choice.chain(done, now)
        if choice.after in (Status.PENDING, Status.SENT):
            for channel in sorted({channel for _, channel in changed}):
                start_task_on_commit(SEND_TASK, channel)
    return done

"""What people decide about messages.

Each decision is one conditional UPDATE, so that of two people, or a person and a sender, at the same moment only one
wins. Who decided, and upon which words, is written into the message's reason, where it stays.
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
from momo.rest.errors import Conflict
from notifications.models import OutboxMessage
from notifications.services.chains import cancel_rest, decision, go_on, revive_rest
from notifications.services.telling import tell_on_commit

Status = OutboxMessage.Status
LOST = (Status.FAILED, Status.CANCELLED)
NOBODY = "系統"
UPON = 500  # letters that a decision keeps of what it was made upon
ALONE = "前一則是「{status}」，這一則不能單獨重新寄送"
FIRST = "；請重新寄送最前面失敗的那一則，接在後面的會跟著寄"

# Locked in one order for everybody, so that two people who choose the same many messages wait and never deadlock.
# What is to be sent again waits for its predecessor, unless that was sent; if that is lost and not chosen itself, the
# part is left as it is: it would arrive alone. A predecessor that moves on at this moment is for the sweep to notice.
# What was decided upon moves into the decision's own line: whoever sends the message later keeps only those.
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
), said AS MATERIALIZED (
    SELECT id,
        string_agg(line, E'\\n' ORDER BY place) FILTER (WHERE line LIKE %(people)s) AS decided,
        string_agg(line, ' ' ORDER BY place) FILTER (WHERE line <> '' AND line NOT LIKE %(people)s) AS words
    FROM chosen, regexp_split_to_table(reason, E'\\n') WITH ORDINALITY AS lines (line, place)
    GROUP BY id
)
UPDATE notifications_outboxmessage m SET
    status = fit.status, claim = NULL, claimed_at = NULL,
    reason = concat_ws(
        E'\\n', said.decided, %(line)s || coalesce('（此前：' || left(said.words, %(upon)s) || '）', '')
    ),
    next_attempt_at = CASE WHEN %(again)s THEN %(now)s ELSE next_attempt_at END,
    due_at = CASE WHEN %(again)s THEN %(now)s ELSE due_at END,
    finished_at = CASE WHEN %(again)s THEN NULL ELSE %(now)s END,
    sent_at = CASE WHEN %(after)s = 'sent' THEN %(now)s ELSE sent_at END
FROM fit JOIN said ON said.id = fit.id WHERE m.id = fit.id
RETURNING m.id, m.channel
"""


@dataclass(frozen=True)
class Decision:
    """One thing that a person may decide: from which states, to which, and what becomes of the chain."""

    before: tuple[str, ...]
    after: str
    did: str  # as it is written into the reason
    refused: str  # why not, of any other state
    chain: Callable[[Collection[int], datetime], object]


RETRY = Decision(
    (Status.FAILED,), Status.PENDING, "重新寄送", "只有失敗的訊息才能重新寄送", lambda ids, now: revive_rest(ids)
)
CANCEL = Decision(
    (Status.WAITING, Status.PENDING, Status.HELD, Status.FAILED),
    Status.CANCELLED,
    "取消",
    "只有還沒寄出的訊息才能取消",
    cancel_rest,
)
RELEASE = Decision(
    (Status.HELD,),
    Status.PENDING,
    "確認對方沒有收到，重新寄送",
    "只有待人工確認的訊息才能放行",
    lambda ids, now: None,
)
MARK_SENT = Decision((Status.HELD,), Status.SENT, "確認對方已收到", "只有待人工確認的訊息才能標示為已寄達", go_on)


@dataclass(frozen=True)
class Decided:
    """How many messages a decision changed, and how many were in another state by then."""

    done: int
    skipped: int


def retry(message: OutboxMessage, user: User | None = None) -> OutboxMessage:
    """Send a failed message again, and what fell with it after it. A part waits for the one before it.

    Raises Conflict for any other, and for a part whose predecessor was not sent and never will be by itself.
    """
    return _decide_one(RETRY, message, user)


def cancel(message: OutboxMessage, user: User | None = None) -> OutboxMessage:
    """Never send a message, nor what follows it. Raises Conflict for one that is sent, or in a sender's hands."""
    return _decide_one(CANCEL, message, user)


def release(message: OutboxMessage, user: User | None = None) -> OutboxMessage:
    """Send a held message again: the person's word that it did not arrive. Raises Conflict for any other."""
    return _decide_one(RELEASE, message, user)


def mark_sent(message: OutboxMessage, user: User | None = None) -> OutboxMessage:
    """Take a held message as sent: the person's word that it arrived. Raises Conflict for any other."""
    return _decide_one(MARK_SENT, message, user)


def retry_many(messages: QuerySet[OutboxMessage], user: User | None = None) -> Decided:
    """`retry` those that failed, skip the others. Parts of one text that are chosen together go in their order."""
    return _decide_many(RETRY, messages, user)


def cancel_many(messages: QuerySet[OutboxMessage], user: User | None = None) -> Decided:
    """`cancel` those that can be, skip the others."""
    return _decide_many(CANCEL, messages, user)


def release_many(messages: QuerySet[OutboxMessage], user: User | None = None) -> Decided:
    """`release` those that are held, skip the others."""
    return _decide_many(RELEASE, messages, user)


def mark_sent_many(messages: QuerySet[OutboxMessage], user: User | None = None) -> Decided:
    """`mark_sent` those that are held, skip the others."""
    return _decide_many(MARK_SENT, messages, user)


def _decide_one(what: Decision, message: OutboxMessage, user: User | None) -> OutboxMessage:
    changed = _decide(what, [message.pk], user)
    message.refresh_from_db()
    before = message.after
    refused = what is RETRY and message.status == Status.FAILED and not changed
    if refused and before is not None and before.status in LOST:
        hint = FIRST if before.status == Status.FAILED else ""
        raise Conflict(ALONE.format(status=before.get_status_display()) + hint)
    if not changed:
        raise Conflict(f"{what.refused}，這一則是「{message.get_status_display()}」")
    return message


def _decide_many(what: Decision, messages: QuerySet[OutboxMessage], user: User | None) -> Decided:
    ids = list(messages.values_list("pk", flat=True))
    done = len(_decide(what, ids, user))
    return Decided(done, len(ids) - done)


def _decide(what: Decision, ids: list[int], user: User | None) -> list[int]:
    """The numbers of those that changed."""
    now = timezone.now()
    values: dict[str, Any] = {
        "ids": ids,
        "before": list(what.before),
        "after": what.after,
        "again": what.after == Status.PENDING,
        "line": decision(str(user) if user is not None else NOBODY, what.did),
        "people": decision("%", "%"),
        "upon": UPON,
        "now": now,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_DECIDE, values)
            changed = cursor.fetchall()
        done = [pk for pk, _ in changed]
        if done:
            what.chain(done, now)
        if what.after in (Status.PENDING, Status.SENT):
            for channel in sorted({channel for _, channel in changed}):
                tell_on_commit(channel)
    return done

"""What is done for messages that nobody works on. Several sweeps at once do no harm."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import OutboxMessage
from notifications.selectors import channel_pauses
from notifications.services.chains import REASON_KEPT, cancel_rest, go_on

logger = logging.getLogger(__name__)

INTERRUPTED = "寄送程式中斷，無法確認對方是否收到；請向收件者或對方系統確認後，選擇「重新寄送」或「標示為已寄達」"
SWITCHED_OFF = "這個聊天室已停用"
_TROUBLES = 5  # in a row, some minutes, after which a channel counts as one that does not work
_MANY = 10_000  # rows that one sweep fails at most, so that it never holds a lock for long

_SILENT = """
WITH silent AS MATERIALIZED (
    SELECT id FROM notifications_outboxmessage
    WHERE status = %(status)s AND status IN ('claimed', 'sending') AND claimed_at < %(before)s
    ORDER BY claimed_at, id FOR NO KEY UPDATE SKIP LOCKED
)
"""
_FREE = f"""{_SILENT}
UPDATE notifications_outboxmessage m SET status = 'pending', claim = NULL, claimed_at = NULL
FROM silent WHERE m.id = silent.id
"""  # noqa: S608 - our own text
# With its claim: a sender that was only slow can still tell the end.
_HOLD = f"""{_SILENT}
UPDATE notifications_outboxmessage m SET status = 'held', finished_at = %(now)s,
    reason = {REASON_KEPT.format(reason="%(reason)s::text")}
FROM silent WHERE m.id = silent.id
"""  # noqa: S608 - our own text
# What waits for an earlier part falls with it, so that it comes back with it.
_FAIL_SWITCHED_OFF = f"""
WITH chosen AS MATERIALIZED (
    SELECT m.id, concat_ws('：', %(reason)s::text, nullif(c.note, '')) AS why
    FROM notifications_chat c JOIN notifications_outboxmessage m ON m.chat_id = c.id
    WHERE NOT c.is_active AND m.channel = 'telegram' AND m.status = 'pending'
    ORDER BY m.id LIMIT %(limit)s FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE notifications_outboxmessage m SET status = 'failed', finished_at = %(now)s,
    reason = {REASON_KEPT.format(reason="chosen.why")}
FROM chosen WHERE m.id = chosen.id
RETURNING m.id
"""  # noqa: S608 - our own text
_GIVE_UP = f"""
WITH chosen AS MATERIALIZED (
    SELECT id FROM notifications_outboxmessage
    WHERE channel = %(channel)s AND status = 'pending' AND next_attempt_at <= %(now)s
      AND due_at <= %(limit)s AND created_at <= %(limit)s
    ORDER BY id LIMIT %(many)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE notifications_outboxmessage m SET status = 'failed', finished_at = %(now)s,
    reason = {REASON_KEPT.format(reason="%(reason)s::text")}
FROM chosen WHERE m.id = chosen.id
RETURNING m.id
"""  # noqa: S608 - our own text


@dataclass(frozen=True)
class Swept:
    """Messages that a sweep moved: freed for others, held for a person, moved on with their chain, failed."""

    freed: int = 0
    held: int = 0
    moved_on: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """Of all kinds."""
        return sum(getattr(self, field.name) for field in fields(self))


def sweep(*, now: datetime | None = None) -> Swept:
    """Take messages from senders that went silent, and fail what will never be sent."""
    now = now or timezone.now()
    before = now - timedelta(seconds=settings.OUTBOX_CLAIM_TIMEOUT)
    swept = Swept(
        freed=_run(_FREE, {"status": "claimed", "before": before}),
        held=_run(_HOLD, {"status": "sending", "before": before, "now": now, "reason": INTERRUPTED}),
        moved_on=_move_on(now),
        failed=fail_switched_off(now=now) + _give_up(now),
    )
    if swept.total:
        logger.warning("swept messages: %s", swept)
    return swept


def _run(statement: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def _move_on(now: datetime) -> int:
    """Whose predecessor is over goes the way that is recorded with it; here in case that it was not."""
    waiting = OutboxMessage.objects.filter(status="waiting")
    ended = list(
        waiting.filter(after__status__in=("sent", "failed", "cancelled")).values_list("after_id", "after__status")[
            :_MANY
        ]
    )
    with transaction.atomic():
        sent = [pk for pk, status in ended if status == "sent"]
        lost = [pk for pk, status in ended if status != "sent"]
        return (go_on(sent, now) if sent else 0) + (cancel_rest(lost, now) if lost else 0)


def fail_switched_off(*, now: datetime | None = None) -> int:
    """Fail what is to be sent to chats that are switched off, with the chat's note. Returns how many.

    What follows it is cancelled with it, and not counted.
    """
    now = now or timezone.now()
    return _fail(_FAIL_SWITCHED_OFF, {"now": now, "reason": SWITCHED_OFF, "limit": _MANY})


def _fail(statement: str, values: dict[str, Any]) -> int:
    """Fail what the statement chooses, and cancel what follows. Returns how many failed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            ids = [pk for (pk,) in cursor.fetchall()]
        if ids:
            cancel_rest(ids, values["now"])
    return len(ids)


def _give_up(now: datetime) -> int:
    """Fail what a channel that does not work has kept waiting for too long, with the channel's reason.

    Not at the channel's first trouble: who comes back after days is given a chance to send what has gathered.
    """
    failed = 0
    for channel, paused in channel_pauses(now=now).items():
        if paused.troubles < _TROUBLES:
            continue
        limit = now - timedelta(hours=settings.OUTBOX_GIVE_UP_HOURS)
        values: dict[str, Any] = {
            "channel": channel,
            "now": now,
            "limit": limit,
            "many": _MANY,
            "reason": paused.reason,
        }
        failed += _fail(_GIVE_UP, values)
    return failed

"""The periodic sweep of messages, which may run several times at once."""

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
from notifications.services.chains import cancel_following, execute, release_following

logger = logging.getLogger(__name__)

INTERRUPTED = "寄送程式中斷，無法確認對方是否收到；請向收件者或對方系統確認後，選擇「重新寄送」或「標示為已寄達」"
SWITCHED_OFF = "這個聊天室已停用"
TOO_OLD = "設定郵件伺服器之前已等了超過 {hours} 小時，不再寄送"
_TROUBLES = 5  # in a row, which take some minutes, until a channel counts as broken
_MANY = 10_000  # rows that one statement changes at most, which bounds how long it holds locks

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
# The claim stays: a sender that was only slow can still record the outcome.
_HOLD = f"""{_SILENT}
UPDATE notifications_outboxmessage m SET status = 'held', finished_at = %(now)s, reason = %(reason)s
FROM silent WHERE m.id = silent.id
"""  # noqa: S608 - our own text
# Parts that wait for a failed message are cancelled with it, and revived with it.
_FAIL_SWITCHED_OFF = """
WITH chosen AS MATERIALIZED (
    SELECT m.id, concat_ws('：', %(reason)s::text, nullif(c.note, '')) AS why
    FROM notifications_chat c JOIN notifications_outboxmessage m ON m.chat_id = c.id
    WHERE NOT c.is_active AND m.channel = 'telegram' AND m.status = 'pending'
    ORDER BY m.id LIMIT %(limit)s FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE notifications_outboxmessage m SET status = 'failed', finished_at = %(now)s, reason = chosen.why
FROM chosen WHERE m.id = chosen.id
RETURNING m.id
"""
_GIVE_UP = """
WITH chosen AS MATERIALIZED (
    SELECT id FROM notifications_outboxmessage
    WHERE channel = %(channel)s AND status = 'pending' AND next_attempt_at <= %(now)s
      AND due_at <= %(limit)s AND created_at <= %(limit)s
    ORDER BY id LIMIT %(many)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE notifications_outboxmessage m SET status = 'failed', finished_at = %(now)s, reason = %(reason)s
FROM chosen WHERE m.id = chosen.id
RETURNING m.id
"""


_SET_ASIDE = """
WITH chosen AS MATERIALIZED (
    SELECT id FROM notifications_outboxmessage
    WHERE channel = 'email' AND status = 'pending' AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at, id LIMIT %(many)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE notifications_outboxmessage m SET status = 'unsent' FROM chosen WHERE m.id = chosen.id
"""
_BRING_BACK = """
WITH chosen AS MATERIALIZED (
    SELECT id, greatest(created_at, due_at) <= %(limit)s AS is_old FROM notifications_outboxmessage
    WHERE status = 'unsent' ORDER BY id LIMIT %(many)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE notifications_outboxmessage m SET
    status = CASE WHEN is_old THEN 'failed' ELSE 'pending' END,
    finished_at = CASE WHEN is_old THEN %(now)s END,
    reason = CASE WHEN is_old THEN %(reason)s ELSE m.reason END
FROM chosen WHERE m.id = chosen.id
"""


@dataclass(frozen=True)
class Swept:
    """Messages that a sweep changed: freed for other senders, held for a person, moved on with their chain, failed."""

    freed: int = 0
    held: int = 0
    moved_on: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """Return their sum."""
        return sum(getattr(self, field.name) for field in fields(self))


def sweep(*, now: datetime | None = None) -> Swept:
    """Release the messages of silent senders, and fail those that will never be sent."""
    now = now or timezone.now()
    before = now - timedelta(seconds=settings.OUTBOX_CLAIM_TIMEOUT)
    swept = Swept(
        freed=execute(_FREE, {"status": "claimed", "before": before}),
        held=execute(_HOLD, {"status": "sending", "before": before, "now": now, "reason": INTERRUPTED}),
        moved_on=_move_on(now),
        failed=fail_switched_off(now=now) + _give_up(now),
    )
    if swept.total:
        logger.warning("swept messages: %s", swept)
    return swept


def _move_on(now: datetime) -> int:
    """Release or cancel parts whose predecessor has ended; usually recording its outcome did that already."""
    waiting = OutboxMessage.objects.filter(status="waiting")
    ended = list(
        waiting.filter(after__status__in=("sent", "failed", "cancelled")).values_list("after_id", "after__status")[
            :_MANY
        ]
    )
    with transaction.atomic():
        sent = [pk for pk, status in ended if status == "sent"]
        lost = [pk for pk, status in ended if status != "sent"]
        return (release_following(sent, now) if sent else 0) + (cancel_following(lost, now) if lost else 0)


def fail_switched_off(*, now: datetime | None = None) -> int:
    """Fail the messages of chats that are switched off, with the chat's note. Returns how many.

    The parts that follow them are cancelled, and not counted.
    """
    now = now or timezone.now()
    return _fail(_FAIL_SWITCHED_OFF, {"now": now, "reason": SWITCHED_OFF, "limit": _MANY})


def _fail(statement: str, values: dict[str, Any]) -> int:
    """Fail the messages that the statement chooses, and cancel the parts that follow. Returns how many failed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            ids = [pk for (pk,) in cursor.fetchall()]
        if ids:
            cancel_following(ids, values["now"])
    return len(ids)


def _give_up(now: datetime) -> int:
    """Fail messages that a broken channel has kept waiting for too long, with the channel's reason.

    Not at the channel's first trouble: a system that starts again after days may still send what has gathered.
    """
    failed = 0
    for channel, paused in channel_pauses(now=now).items():
        if paused.troubles < _TROUBLES:
            continue
        limit = now - timedelta(hours=settings.OUTBOX_GIVE_UP_HOURS)
        values = {"channel": channel, "now": now, "limit": limit, "many": _MANY, "reason": paused.reason}
        failed += _fail(_GIVE_UP, values)
    return failed


def set_aside(*, now: datetime | None = None) -> int:
    """While no mail server is configured, mark mails that are due as unsent. Returns how many."""
    return execute(_SET_ASIDE, {"now": now or timezone.now(), "many": _MANY})


def bring_back(*, now: datetime | None = None) -> int:
    """Where a mail server is configured, let unsent mails be sent; those beyond the limit of giving up fail.

    Returns how many mails were unsent.
    """
    if not settings.EMAIL_URL:
        return 0
    now, hours = now or timezone.now(), settings.OUTBOX_GIVE_UP_HOURS
    limit = now - timedelta(hours=hours)
    return execute(_BRING_BACK, {"now": now, "many": _MANY, "limit": limit, "reason": TOO_OLD.format(hours=hours)})

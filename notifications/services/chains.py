"""Statements that change many messages, and the parts of a text that follow a message whose fate is decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from notifications.models import OutboxMessage

WITH_ITS_PREDECESSOR = "前一則沒有寄出，這一則隨之取消"

_CANCEL_FOLLOWING = """
WITH RECURSIVE following AS (
    SELECT id FROM notifications_outboxmessage WHERE after_id = ANY(%(ids)s)
    UNION
    SELECT m.id FROM notifications_outboxmessage m JOIN following ON m.after_id = following.id
)
UPDATE notifications_outboxmessage m SET status = 'cancelled', finished_at = %(now)s, reason = %(reason)s
FROM following WHERE m.id = following.id AND m.status = 'waiting'
"""
# Only what fell with its predecessor, or failed although that was never sent, and only as far as that goes: what a
# person cancelled stays so.
_REVIVE_FOLLOWING = """
WITH RECURSIVE following AS (
    SELECT id FROM notifications_outboxmessage
    WHERE after_id = ANY(%(ids)s) AND (status = 'failed' OR (status = 'cancelled' AND reason = %(reason)s))
    UNION
    SELECT m.id FROM notifications_outboxmessage m JOIN following ON m.after_id = following.id
    WHERE m.status = 'failed' OR (m.status = 'cancelled' AND m.reason = %(reason)s)
)
UPDATE notifications_outboxmessage m SET status = 'waiting', finished_at = NULL,
    reason = CASE WHEN m.status = 'failed' THEN m.reason ELSE '' END
FROM following WHERE m.id = following.id
"""


def execute(statement: str, values: Mapping[str, Any]) -> int:
    """Run a statement. Returns how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        changed: int = cursor.rowcount
        return changed


def release_following(ids: Collection[int], now: datetime) -> int:
    """What waits for these messages, which were sent, may be sent as well. Returns how many."""
    following = OutboxMessage.objects.filter(after__in=list(ids), status="waiting")
    return following.update(status="pending", next_attempt_at=now, due_at=now)


def cancel_following(ids: Collection[int], now: datetime) -> int:
    """What waits for these messages will never be sent. Returns how many."""
    return execute(_CANCEL_FOLLOWING, {"ids": list(ids), "now": now, "reason": WITH_ITS_PREDECESSOR})


def revive_following(ids: Collection[int]) -> int:
    """What was cancelled with these messages waits for them again. Returns how many."""
    return execute(_REVIVE_FOLLOWING, {"ids": list(ids), "reason": WITH_ITS_PREDECESSOR})

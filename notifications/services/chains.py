"""Parts of one text: what becomes of those that follow, and what is written about a message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from notifications.models import OutboxMessage

WITH_ITS_PREDECESSOR = "前一則沒有寄出，這一則隨之取消"
_PEOPLE = "由 "  # how a line begins that says what a person decided
_LINES = 20  # of those that are kept
_WORDS = 2000  # letters of what a server says

_CANCEL_REST = """
WITH RECURSIVE rest AS (
    SELECT id FROM notifications_outboxmessage WHERE after_id = ANY(%(ids)s)
    UNION
    SELECT m.id FROM notifications_outboxmessage m JOIN rest ON m.after_id = rest.id
)
UPDATE notifications_outboxmessage m SET status = 'cancelled', finished_at = %(now)s, reason = %(reason)s
FROM rest WHERE m.id = rest.id AND m.status = 'waiting'
"""
# Only what fell with its predecessor, or failed although that was never sent, and only as far as that goes: what a
# person cancelled stays so.
_REVIVE_REST = """
WITH RECURSIVE rest AS (
    SELECT id FROM notifications_outboxmessage
    WHERE after_id = ANY(%(ids)s) AND (status = 'failed' OR (status = 'cancelled' AND reason = %(reason)s))
    UNION
    SELECT m.id FROM notifications_outboxmessage m JOIN rest ON m.after_id = rest.id
    WHERE m.status = 'failed' OR (m.status = 'cancelled' AND m.reason = %(reason)s)
)
UPDATE notifications_outboxmessage m SET status = 'waiting', finished_at = NULL,
    reason = CASE WHEN m.status = 'failed' THEN m.reason ELSE '' END
FROM rest WHERE m.id = rest.id
"""


# `with_reason` for many rows at once, of the table's alias `m`.
REASON_KEPT = f"""concat_ws(E'\\n', (
    SELECT string_agg(line, E'\\n') FROM regexp_split_to_table(m.reason, E'\\n') AS line WHERE line LIKE '{_PEOPLE}%%'
), nullif({{reason}}, ''))"""  # noqa: S608 - our own text


def go_on(ids: Collection[int], now: datetime) -> int:
    """What waits for these messages, which were sent, may be sent as well. Returns how many."""
    following = OutboxMessage.objects.filter(after__in=list(ids), status="waiting")
    return following.update(status="pending", next_attempt_at=now, due_at=now)


def cancel_rest(ids: Collection[int], now: datetime) -> int:
    """What waits for these messages will never be sent. Returns how many."""
    return _run(_CANCEL_REST, {"ids": list(ids), "now": now, "reason": WITH_ITS_PREDECESSOR})


def revive_rest(ids: Collection[int]) -> int:
    """What was cancelled with these messages waits for them again. Returns how many."""
    return _run(_REVIVE_REST, {"ids": list(ids), "reason": WITH_ITS_PREDECESSOR})


def with_reason(before: str, reason: str) -> str:
    """What is kept of a message's reason when there is a new one: what people decided stays above it."""
    decided = [line for line in before.splitlines() if line.startswith(_PEOPLE)]
    words = " ".join(reason.split())[:_WORDS]
    return "\n".join([*decided[-_LINES:], *([words] if words else [])])


def decision(who: str, did: str) -> str:
    """The line that says what a person decided."""
    return f"{_PEOPLE}{who} {did}"


def is_decided(reason: str) -> bool:
    """Whether what a person decided is the last that is known of a message: nobody has tried it since."""
    return reason.rpartition("\n")[2].startswith(_PEOPLE)


def _run(statement: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount

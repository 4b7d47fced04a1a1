"""What of notifications may be deleted, for the clean-up of the whole system to count or delete."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from notifications.services.chains import execute

_BATCH = 5_000
STRAY_AFTER = dt.timedelta(days=1)  # by then the message of a file is committed, if it ever will be

# A text of several parts goes as a whole, or not yet: `kept` are those that a part follows which is not old. A mail
# that stayed unsent for so long would fail as soon as there is a server.
_OLD = """
WITH RECURSIVE old AS (
    SELECT id, after_id FROM notifications_outboxmessage
    WHERE status IN ('sent', 'failed', 'cancelled') AND finished_at < %(before)s
    UNION ALL
    SELECT id, after_id FROM notifications_outboxmessage WHERE status = 'unsent' AND due_at < %(before)s
), kept AS (
    SELECT m.after_id AS id FROM notifications_outboxmessage m
    WHERE m.after_id IS NOT NULL
      AND NOT (m.status IN ('sent', 'failed', 'cancelled') AND coalesce(m.finished_at < %(before)s, false))
    UNION
    SELECT m.after_id FROM notifications_outboxmessage m JOIN kept ON m.id = kept.id WHERE m.after_id IS NOT NULL
)
"""
_FORGETTABLE = "FROM old WHERE NOT EXISTS (SELECT FROM kept WHERE kept.id = old.id)"
_COUNT = f"{_OLD} SELECT count(*) {_FORGETTABLE}"
# The last parts first, whose numbers are the highest, so that no part is left without the one that it follows.
_DELETE = f"""{_OLD}, chosen AS MATERIALIZED (
    SELECT id {_FORGETTABLE} ORDER BY id DESC LIMIT %(limit)s
), untied AS (
    DELETE FROM notifications_outboxmessage_attachments WHERE outboxmessage_id IN (SELECT id FROM chosen)
), undecided AS (
    DELETE FROM notifications_outboxdecision WHERE message_id IN (SELECT id FROM chosen)
)
DELETE FROM notifications_outboxmessage WHERE id IN (SELECT id FROM chosen)
"""  # noqa: S608 - our own text


# A message that is written with such a file at this moment makes the file younger, which keeps it.
_STRAY = """
FROM notifications_attachment a WHERE a.created_at < %(before)s
  AND NOT EXISTS (SELECT FROM notifications_outboxmessage_attachments t WHERE t.attachment_id = a.id)
"""
_COUNT_STRAY = f"SELECT count(*) {_STRAY}"
_DELETE_STRAY = f"""
DELETE FROM notifications_attachment WHERE id IN (SELECT a.id {_STRAY} LIMIT %(limit)s FOR UPDATE OF a SKIP LOCKED)
"""  # noqa: S608 - our own text


@dataclass(frozen=True)
class Expired:
    """Rows of `model` that nothing needs since `before`. Counted and deleted as a queryset is."""

    model: str
    before: dt.datetime
    counting: str
    deleting: str

    def count(self) -> int:
        """Rows."""
        with connection.cursor() as cursor:
            cursor.execute(self.counting, {"before": self.before})
            rows: int = cursor.fetchone()[0]
            return rows

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete them, some thousands at a time. Returns how many, as a queryset does."""
        deleted = 0
        while True:
            changed = execute(self.deleting, {"before": self.before, "limit": _BATCH})
            deleted += changed
            if changed < _BATCH:
                return deleted, {self.model: deleted}


def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """What nothing needs any more at `now`, by a name for people. What can still be sent stays, however old."""
    keep = dt.timedelta(days=settings.OUTBOX_KEEP_DAYS)
    return {
        "結束的訊息": Expired("notifications.OutboxMessage", now - keep, _COUNT, _DELETE),
        "沒有訊息的附件": Expired("notifications.Attachment", now - STRAY_AFTER, _COUNT_STRAY, _DELETE_STRAY),
    }

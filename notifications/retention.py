"""What of notifications may be deleted, for the clean-up of the whole system to count or delete."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from momo.core.retention import Expired, OldRows, SqlRows, register
from notifications.models import Attachment, Chat, OutboxMessage

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
_COUNT = f"""{_OLD} SELECT count(*), coalesce(sum(pg_column_size(m.*)), 0)
FROM notifications_outboxmessage m WHERE m.id IN (SELECT id {_FORGETTABLE})
"""  # noqa: S608 - our own text
# The last parts first, whose numbers are the highest, so that no part is left without the one that it follows.
_DELETE = f"""{_OLD}, chosen AS MATERIALIZED (
    SELECT id {_FORGETTABLE} ORDER BY id DESC LIMIT %(limit)s
), untied AS (
    DELETE FROM notifications_outboxmessage_attachments WHERE outboxmessage_id IN (SELECT id FROM chosen)
), undecided AS (
    DELETE FROM notifications_outboxdecision WHERE message_id IN (SELECT id FROM chosen)
), gone AS (
    DELETE FROM notifications_outboxmessage m WHERE id IN (SELECT id FROM chosen) RETURNING pg_column_size(m.*) AS bytes
)
SELECT count(*), coalesce(sum(bytes), 0) FROM gone
"""  # noqa: S608 - our own text


# A message that is written with such a file at this moment makes the file younger, which keeps it.
_STRAY = """
FROM notifications_attachment a WHERE a.created_at < %(before)s
  AND NOT EXISTS (SELECT FROM notifications_outboxmessage_attachments t WHERE t.attachment_id = a.id)
"""
_COUNT_STRAY = f"SELECT count(*), coalesce(sum(pg_column_size(a.*)), 0) {_STRAY}"
_DELETE_STRAY = f"""
WITH gone AS (
    DELETE FROM notifications_attachment t
    WHERE id IN (SELECT a.id {_STRAY} LIMIT %(limit)s FOR UPDATE OF a SKIP LOCKED)
    RETURNING pg_column_size(t.*) AS bytes
)
SELECT count(*), coalesce(sum(bytes), 0) FROM gone
"""  # noqa: S608 - our own text


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """What nothing needs any more at `now`, by a name for people; what messages keep stands before the messages.

    What can still be sent stays, however old.
    """
    over = now - dt.timedelta(days=settings.OUTBOX_KEEP_DAYS)
    guests = Chat.objects.filter(standing=Chat.Standing.GUEST, created_at__lt=over, messages=None, subscriptions=None)
    return {
        "未連結帳號的聊天室": OldRows(guests),
        "沒有訊息的附件": SqlRows(Attachment, now - STRAY_AFTER, _COUNT_STRAY, _DELETE_STRAY),
        "結束的訊息": SqlRows(OutboxMessage, over, _COUNT, _DELETE),
    }

"""What notifications may forget, for the clean-up of the whole system to count or delete."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from notifications.models import Attachment

_BATCH = 5_000
STRAY_AFTER = dt.timedelta(days=1)  # by then the message of a file is committed, if it ever will be

# A text of several parts goes as a whole, or not yet: `kept` are those that an unforgettable part follows.
_OLD = """
WITH RECURSIVE old AS (
    SELECT id, after_id FROM notifications_outboxmessage
    WHERE status IN ('sent', 'failed', 'cancelled') AND finished_at < %(before)s
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
)
DELETE FROM notifications_outboxmessage WHERE id IN (SELECT id FROM chosen)
"""  # noqa: S608 - our own text


@dataclass(frozen=True)
class OldMessages:
    """Messages that were over before a moment. Counted and deleted as a queryset is."""

    before: dt.datetime

    def count(self) -> int:
        """Messages."""
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"before": self.before})
            return cursor.fetchone()[0]

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete them, some thousands at a time. Returns how many, as a queryset does."""
        deleted = 0
        while True:
            with connection.cursor() as cursor:
                cursor.execute(_DELETE, {"before": self.before, "limit": _BATCH})
                deleted += cursor.rowcount
                if cursor.rowcount < _BATCH:
                    return deleted, {"notifications.OutboxMessage": deleted}


@dataclass(frozen=True)
class StrayFiles:
    """Attachments that no message carries (any more), last asked for before a moment."""

    before: dt.datetime

    def _all(self) -> Any:
        return Attachment.objects.filter(messages=None, created_at__lt=self.before)

    def count(self) -> int:
        """Files."""
        return self._all().count()

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete them. Returns how many, as a queryset does."""
        deleted = 0
        while True:
            with transaction.atomic():
                # Who writes a message with such a file at this moment has made it younger, and keeps it.
                stray = self._all().select_for_update(of=("self",), skip_locked=True)
                ids = list(stray.values_list("pk", flat=True)[:_BATCH])
                Attachment.objects.filter(pk__in=ids).delete()
            deleted += len(ids)
            if len(ids) < _BATCH:
                return deleted, {"notifications.Attachment": deleted}


def expired(*, now: dt.datetime) -> dict[str, OldMessages | StrayFiles]:
    """What nothing needs any more at `now`, by a name for people. What is not over stays, however old."""
    return {
        "結束的訊息": OldMessages(now - dt.timedelta(days=settings.OUTBOX_KEEP_DAYS)),
        "沒有訊息的附件": StrayFiles(now - STRAY_AFTER),
    }

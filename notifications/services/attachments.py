"""Files that messages carry, each kept once however many messages carry it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from notifications.models import OutboxMessage

MAX_NAME = 200
MAX_TYPE = 100

# A file that is found is as good as new, so that the clean-up does not take it before its message is committed.
_FIND = """
UPDATE notifications_attachment a SET created_at = %s
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS given (sha256, name)) given
WHERE a.sha256 = given.sha256 AND a.name = given.name
RETURNING a.sha256, a.name, a.id
"""
# Somebody else may write the same file at this moment.
_WRITE = """
INSERT INTO notifications_attachment (sha256, name, content_type, size, content, created_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (sha256, name) DO UPDATE SET created_at = excluded.created_at
RETURNING id
"""


@dataclass(frozen=True)
class File:
    """A file as a caller hands it over; `name` is what the recipient sees."""

    name: str
    content: bytes
    content_type: str

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two files the same."""
        return hashlib.sha256(self.content).hexdigest(), self.name


def keep_files(files: Iterable[File], now: datetime) -> dict[tuple[str, str], int]:
    """Write those that are not kept yet. Returns the ids of all, by `File.identity`."""
    # In one order for everybody, so that two callers wait for each other and never in a circle.
    given = dict(sorted({file.identity: file for file in files}.items()))
    if not given:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [now, [sha for sha, _ in given], [name for _, name in given]])
        known = {(sha, name): pk for sha, name, pk in cursor.fetchall()}
        for (sha, name), file in given.items():
            if (sha, name) in known:
                continue
            cursor.execute(_WRITE, [sha, name, file.content_type, len(file.content), file.content, now])
            known[sha, name] = cursor.fetchone()[0]
    return known


def attach(pairs: Sequence[tuple[int, int]]) -> None:
    """Tie messages to attachments: (message, attachment)."""
    through = OutboxMessage.attachments.through
    through.objects.bulk_create(
        [through(outboxmessage_id=message, attachment_id=attachment) for message, attachment in pairs], batch_size=5000
    )


def size_of(files: Iterable[File]) -> int:
    """Bytes of all of them."""
    return sum(len(file.content) for file in files)

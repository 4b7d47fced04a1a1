"""Keeps the answers of requests with an `Idempotency-Key`; the rules are told in `momo.rest.idempotency`."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import IdempotencyRecord
from momo.rest.encoding import dumps
from momo.rest.errors import Conflict
from momo.rest.idempotency import Answer, Claim

# As long as a client may sensibly repeat a request.
KEEP = dt.timedelta(hours=24)
WAIT_SECONDS = 10
LOCK_NOT_AVAILABLE = "55P03"


class DatabaseStore:
    """A row for each key, made in the same transaction as what the request does."""

    def claim(self, *, user: Any, key: str, method: str, path: str, digest: str) -> Claim:
        """Raises Conflict for another body under the same key, or when the first request is still at work."""
        path = path[:400]
        for _ in range(2):
            record_id = self._insert(user_id=user.pk, key=key, method=method, path=path, digest=digest)
            if record_id is not None:
                return Claim(record_id, None)
            record = IdempotencyRecord.objects.filter(user=user, key=key, path=path).first()
            if record is None:
                continue
            if record.created_at < timezone.now() - KEEP:
                record.delete()
                continue
            if record.digest != digest or record.method != method:
                raise Conflict("這個 Idempotency-Key 已用於內容不同的請求，請換一個新的鍵")
            return Claim(record.pk, Answer(record.status or 200, record.body, record.message))
        raise Conflict("相同的請求正在處理中，請稍後再試")

    @staticmethod
    def _insert(*, user_id: int, key: str, method: str, path: str, digest: str) -> int | None:
        """Id of the new row, or None when the key is taken. Waits for a transaction that holds the same key."""
        table = connection.ops.quote_name(IdempotencyRecord._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
            try:
                cursor.execute(
                    f"INSERT INTO {table} (user_id, key, method, path, digest, message, created_at)"  # noqa: S608
                    " VALUES (%s, %s, %s, %s, %s, '', %s) ON CONFLICT (user_id, key, path) DO NOTHING RETURNING id",
                    [user_id, key, method, path, digest, timezone.now()],
                )
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                    raise Conflict("相同的請求正在處理中，請稍後再試") from error
                raise
            row = cursor.fetchone()
            # The limit was for this wait only, not for what the view does.
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
        return row[0] if row else None

    def finish(self, *, record_id: int, answer: Answer) -> None:
        IdempotencyRecord.objects.filter(pk=record_id).update(
            status=answer.status, body=json.loads(dumps(answer.data)), message=answer.message[:500]
        )

    def forget(self, *, record_id: int) -> None:
        IdempotencyRecord.objects.filter(pk=record_id).delete()

"""`Idempotency-Key`: a POST that starts or sends something takes effect once, however often its client repeats it.

The view and the record of its answer share one transaction, so that both exist or neither: after a crash, a failure or
a rollback the next request starts fresh. A second request with the same key waits in PostgreSQL for the first (the
key's row is unique), then gets the answer of the first. Only for views whose effects are rows (jobs, outbox, runs); a
view that calls an outside service would keep the transaction open during the call.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError, connection, transaction
from django.http import QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdempotencyRecord, User
from momo.core.errors import Conflict, ValidationFailed
from momo.core.work import TRANSIENT
from momo.rest.encoding import dumps
from momo.rest.schema import IDEMPOTENCY_KEY, IDEMPOTENT_REPLAYED
from momo.rest.views import ApiView

# The longest time after which a client repeats a request.
KEEP = dt.timedelta(hours=24)
WAIT_SECONDS = 10
LOCK_NOT_AVAILABLE = "55P03"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
STILL_RUNNING = "相同的請求正在處理中，請稍後再試"


class IdempotentView(ApiView):
    """Base of views whose POST honours `Idempotency-Key`."""

    idempotent = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and IDEMPOTENCY_KEY in request.headers:
            # Django looks the handler up on the instance, which serves one request only.
            first: Any = getattr(self, "post", self.http_method_not_allowed)
            setattr(self, "post", functools.partial(_replay_or_run, handler=first))  # noqa: B010


def _replay_or_run(request: Request, *args: Any, handler: Callable[..., Response], **kwargs: Any) -> Response:
    """Return the stored answer of this key, or run `handler` and store its answer (successes only).

    Raises ValidationFailed for a malformed key, Conflict as `_claim` does, and whatever `handler` raises.
    """
    key = request.headers[IDEMPOTENCY_KEY]
    if not KEY.fullmatch(key):
        raise ValidationFailed(fields={IDEMPOTENCY_KEY: ["請使用 1 到 200 個可見的 ASCII 字元"]})
    digest = _body_digest(request)
    finished: IdempotencyRecord | None = None
    try:
        with transaction.atomic():
            record = _claim(request, key=key, digest=digest)
            if record.status is not None:
                replayed = Response(record.body, status=record.status, headers={IDEMPOTENT_REPLAYED: "true"})
                replayed.message = record.message  # type: ignore[attr-defined]
                return replayed
            response = handler(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
                return response
            IdempotencyRecord.objects.filter(pk=record.pk).update(
                status=response.status_code,
                body=json.loads(dumps(response.data)),
                message=(getattr(response, "message", None) or "")[:500],
            )
            finished = record
    except TRANSIENT:
        # Lost while it committed: the rows and the record are both there, or neither is.
        raise
    except Exception:
        # For example a task that could not be enqueued on commit: the request failed, but its rows are committed.
        if finished is not None:
            finished.delete()
        raise
    return response


def _claim(request: Request, *, key: str, digest: str) -> IdempotencyRecord:
    """Insert a record without `status`, or return the stored one.

    Raises Conflict if the key was used for another body, or its first request takes too long.
    """
    user_id, method, path = cast(User, request.user).pk, request.method or "", request.path[:400]
    for _ in range(2):
        record_id = _insert(user_id=user_id, key=key, method=method, path=path, digest=digest)
        if record_id is not None:
            return IdempotencyRecord(pk=record_id)
        record = IdempotencyRecord.objects.filter(user_id=user_id, key=key, path=path).first()
        if record is None:
            continue
        if record.created_at < timezone.now() - KEEP:
            record.delete()
            continue
        if record.digest != digest or record.method != method:
            raise Conflict("這個 Idempotency-Key 已用於內容不同的請求，請換一個新的鍵")
        return record
    raise Conflict(STILL_RUNNING)


def _insert(*, user_id: int, key: str, method: str, path: str, digest: str) -> int | None:
    """Id of the new row, or None if the key exists. Waits for a transaction that has inserted the same key."""
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
                raise Conflict(STILL_RUNNING) from error
            raise
        row = cursor.fetchone()
        # The limit is for this wait only, not for the view.
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return row[0] if row else None


def _body_digest(request: Request) -> str:
    """SHA-256 of the body: the bytes of a JSON body; names, values and file contents of a form."""
    content_type = (request.content_type or "").partition(";")[0].strip().lower()
    if not content_type.startswith("multipart/"):
        return hashlib.sha256(request.body).hexdigest()
    digest, form = hashlib.sha256(), cast("QueryDict", request.data)
    for name in sorted(form):
        for value in form.getlist(name):
            digest.update(f"{len(name)}:{name}=".encode())
            if isinstance(value, UploadedFile):
                digest.update(f"{value.name}:{value.size}:".encode())
                for chunk in value.chunks():
                    digest.update(chunk)
                value.seek(0)
            else:
                digest.update(f"{len(value)}:{value}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()

"""`Idempotency-Key`: a POST that starts or sends something takes effect once, however often its client repeats it.

The view runs inside one transaction with the record of its answer. So both are there or neither: a crash, a failure
or a rollback leaves nothing, and the next try starts fresh. A second request with the same key waits inside PostgreSQL
for the first (its row is unique), then gets the first one's answer. Only for views whose effects are rows (jobs,
outbox, runs); a view that calls an outside service would hold the transaction open meanwhile.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import QueryDict
from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from momo.rest.encoding import dumps
from momo.rest.errors import ValidationFailed

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True)
class Answer:
    """What was answered the first time."""

    status: int
    data: Any
    message: str


@dataclass(frozen=True)
class Claim:
    """A key of ours from now on (`answer` is None), or one that has its answer already."""

    record_id: int
    answer: Answer | None


class Store(Protocol):
    """Where answers are kept; `IDEMPOTENCY_STORE` names the class. All but `forget` run in the view's transaction."""

    def claim(self, *, user: Any, key: str, method: str, path: str, digest: str) -> Claim:
        """Raises Conflict when the key was used for another body, or its first request takes too long."""

    def finish(self, *, record_id: int, answer: Answer) -> None: ...

    def forget(self, *, record_id: int) -> None:
        """Outside of the transaction: what came after the commit failed, so the next try starts fresh."""


def body_digest(request: Request) -> str:
    """SHA-256 of what was sent: the bytes of a JSON body, names, values and content of a form."""
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


def replay_or_run(request: Request, *args: Any, handler: Callable[..., Response], **kwargs: Any) -> Response:
    """Answer as `handler` did for this key before, or run it and keep its answer (successes only).

    Raises ValidationFailed for a malformed key, Conflict as `Store.claim` does, and whatever `handler` raises.
    """
    key = request.headers[HEADER]
    if not KEY.fullmatch(key):
        raise ValidationFailed(fields={HEADER: ["請使用 1 到 200 個可見的 ASCII 字元"]})
    digest = body_digest(request)
    store: Store = import_string(settings.IDEMPOTENCY_STORE)()
    kept: int | None = None
    try:
        with transaction.atomic():
            claim = store.claim(
                user=request.user, key=key, method=request.method or "", path=request.path, digest=digest
            )
            if claim.answer is not None:
                return _again(claim.answer)
            response = handler(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
                return response
            answer = Answer(response.status_code, response.data, getattr(response, "message", None) or "")
            dumps(answer.data)  # a body that cannot be written fails here, before anything is kept
            store.finish(record_id=claim.record_id, answer=answer)
            kept = claim.record_id
    except Exception:
        # A task that could not be sent on commit: the request failed although its rows were written.
        if kept is not None:
            store.forget(record_id=kept)
        raise
    return response


def _again(answer: Answer) -> Response:
    response = Response(answer.data, status=answer.status, headers={REPLAYED: "true"})
    response.message = answer.message  # type: ignore[attr-defined]
    return response

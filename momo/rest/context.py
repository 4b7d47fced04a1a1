"""The request that is being answered, for code that has no request at hand: log lines and the audit trail."""

from __future__ import annotations

import logging
from contextvars import ContextVar

from django.http import HttpRequest

current_request: ContextVar[HttpRequest | None] = ContextVar("momo_current_request", default=None)
_request_id: ContextVar[str | None] = ContextVar("momo_request_id", default=None)


def request_id() -> str | None:
    """Id of the request being answered, or None outside of one (commands, tasks)."""
    return _request_id.get()


def enter(request: HttpRequest, identifier: str) -> None:
    """Begin answering `request`; ends with `leave`."""
    current_request.set(request)
    _request_id.set(identifier)


def leave(sender: object = None, **kwargs: object) -> None:
    """The request is answered; threads are used again, so nothing of it may stay."""
    current_request.set(None)
    _request_id.set(None)


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to log records; `-` outside of a request. Here, since logging starts before the apps do."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id() or "-"
        return True

"""The current request, for code that gets no request passed: log lines and the audit log."""

from __future__ import annotations

import logging
from contextvars import ContextVar

from django.http import HttpRequest

current_request: ContextVar[HttpRequest | None] = ContextVar("momo_current_request", default=None)
_request_id: ContextVar[str | None] = ContextVar("momo_request_id", default=None)


def request_id() -> str | None:
    """Id of the current request, None outside of a request (commands, tasks)."""
    return _request_id.get()


def enter(request: HttpRequest, identifier: str) -> None:
    """Make `request` the current request, until `leave`."""
    current_request.set(request)
    _request_id.set(identifier)


def leave(sender: object = None, **kwargs: object) -> None:
    """Forget the current request: its thread serves other requests next. Also a receiver of `request_finished`."""
    current_request.set(None)
    _request_id.set(None)


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to log records, `-` outside of a request. Django configures logging before it loads apps."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id() or "-"
        return True

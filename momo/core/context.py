"""The current request, for code that gets no request passed: log lines and the audit log."""

from __future__ import annotations

from contextvars import ContextVar

from django.http import HttpRequest
from django.utils.functional import empty

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


def current_user_name() -> str | None:
    """Name of the current request's user, if it was read already: a log line asks no database."""
    user = getattr(current_request.get(), "user", None)
    if user is None or getattr(user, "_wrapped", None) is empty:
        return None
    name: str = user.get_username()
    return name or None

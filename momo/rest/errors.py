"""Turns exceptions into the failure envelope of the API contract: status, headers, body, and the exception handler."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import kombu.exceptions
import psycopg
import redis.exceptions
from django.core import exceptions as django_errors
from django.core.signals import got_request_exception
from django.db import Error as DatabaseError
from django.db import IntegrityError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from momo.core.errors import (
    NO_FIELD,
    AuthFailed,
    AuthRequired,
    Conflict,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    ServerError,
    ServiceError,
    Unavailable,
    UpstreamError,
    ValidationFailed,
    validation_failed,
)
from momo.core.work import TRANSIENT

logger = logging.getLogger("momo.rest")

CHALLENGE = 'Bearer realm="MOMO Pro"'  # WWW-Authenticate
UNIQUE_VIOLATION = "23505"
# The server answers but is busy: deadlock, serialisation failure, lock timeout, statement timeout.
BUSY_STATES = frozenset({"40001", "40P01", "55P03", "57014"})

# The error that a status without a body of ours means. 401 also has AuthFailed, which only the login raises.
BY_STATUS: dict[int, type[ServiceError]] = {
    400: ValidationFailed,
    401: AuthRequired,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    409: Conflict,
    413: PayloadTooLarge,
    429: RateLimited,
    500: ServerError,
}
STATUSES: dict[str, int] = {
    **{kind.code: status for status, kind in BY_STATUS.items()},
    AuthFailed.code: 401,
    UpstreamError.code: 502,
    Unavailable.code: 503,
}


def status_of(failure: ServiceError) -> int:
    """The HTTP status of an error's code."""
    return STATUSES[failure.code]


def failure_of(status: int) -> ServiceError:
    """The error that an answer without a body of ours means."""
    return BY_STATUS.get(status, ServerError if status >= 500 else ValidationFailed)()


def headers_of(failure: ServiceError) -> dict[str, str]:
    """Headers that belong to the status: `WWW-Authenticate` of a 401, `Retry-After` of a 429 or 503."""
    headers = {}
    if isinstance(failure, AuthRequired):
        # The scheme that programs use; RFC 9110 (11.6.1) demands one with a 401.
        headers["WWW-Authenticate"] = CHALLENGE
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    return headers


def body_of(failure: ServiceError) -> dict[str, Any]:
    """The failure envelope."""
    body: dict[str, Any] = {"success": False, "error": failure.message, "code": failure.code}
    if failure.fields:
        body["fields"] = failure.fields
    return body


def flatten(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """REST framework's nested error details as `{"items.0.name": ["…"]}`; empty rows of a list are left out.

    An error without a field gets the key of its container, `items.0`; an error of the whole body, `non_field_errors`.
    """
    if isinstance(detail, (list, tuple)):
        if all(isinstance(item, str) for item in detail):
            return {prefix or NO_FIELD: [str(item) for item in detail]} if detail else {}
        detail = dict(enumerate(detail))
    if not isinstance(detail, Mapping):
        return {prefix or NO_FIELD: [str(detail)]}
    merged: dict[str, list[str]] = {}
    for name, value in detail.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        for key, texts in flatten(value, prefix if prefix and name == NO_FIELD else path).items():
            merged.setdefault(key, []).extend(texts)
    return merged


def _of_database(error: BaseException) -> ServiceError | None:
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, IntegrityError):
        return Conflict("這筆資料已經存在") if state == UNIQUE_VIOLATION else None
    if isinstance(error, TRANSIENT):
        advice = "正忙於其他工作，請稍後再試" if state in BUSY_STATES else "請稍後再試"
        return Unavailable("資料庫", advice, retry_after=5)
    return None


_Kinds = type[BaseException] | tuple[type[BaseException], ...]
# The first entry whose kinds match applies, so subclasses stand before their bases.
_CONVERSIONS: tuple[tuple[_Kinds, Callable[[Any], ServiceError | None]], ...] = (
    (ServiceError, lambda error: error),
    (drf.ValidationError, lambda error: ValidationFailed(fields=flatten(error.detail))),
    (drf.ParseError, lambda _: ValidationFailed("送出的內容格式錯誤，無法解析")),
    (drf.UnsupportedMediaType, lambda _: ValidationFailed("不支援這種 Content-Type；請使用這個網址說明文件中的格式")),
    (drf.NotAuthenticated, lambda _: AuthRequired()),
    (drf.AuthenticationFailed, lambda _: AuthRequired("登入狀態或 API 權杖無效，請重新登入或更換權杖")),
    (drf.Throttled, lambda error: RateLimited(retry_after=error.wait or 60)),
    (drf.APIException, lambda error: failure_of(error.status_code) if error.status_code < 500 else None),
    (Http404, lambda _: NotFound()),
    (django_errors.PermissionDenied, lambda _: Forbidden()),
    (django_errors.ValidationError, validation_failed),
    (django_errors.RequestDataTooBig, lambda _: PayloadTooLarge()),
    (
        (django_errors.TooManyFieldsSent, django_errors.TooManyFilesSent),
        lambda _: PayloadTooLarge("送出的欄位或檔案太多"),
    ),
    (
        (django_errors.BadRequest, django_errors.SuspiciousOperation, MultiPartParserError),
        lambda _: ValidationFailed("請求的格式不正確"),
    ),
    (UnreadablePostError, lambda _: ValidationFailed("請求的內容沒有完整送達")),
    ((ProtectedError, RestrictedError), lambda _: Conflict("這筆資料仍被其他資料使用，無法刪除")),
    ((redis.exceptions.RedisError, kombu.exceptions.KombuError), lambda _: Unavailable("訊息佇列", retry_after=5)),
    ((DatabaseError, psycopg.Error), _of_database),
)


def to_service_error(error: BaseException) -> ServiceError | None:
    """The error of the API contract that `error` means to the client; None for a fault of this system (500)."""
    return next((convert(error) for kinds, convert in _CONVERSIONS if isinstance(error, kinds)), None)


def failure_response(failure: ServiceError) -> Response:
    """The failure envelope as a response of REST framework; `is_failure` makes the renderer write it unchanged."""
    response = Response(body_of(failure), status=status_of(failure), headers=headers_of(failure))
    response.is_failure = True  # type: ignore[attr-defined]
    return response


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's hook: any exception of a view becomes the failure envelope, without the exception's own text."""
    request = context.get("request")
    failure = to_service_error(error)
    if failure is None:
        logger.error("Unhandled exception in %s", _request_line(request), exc_info=error)
        # Error trackers and Django's test client listen to this signal.
        got_request_exception.send(sender=None, request=getattr(request, "_request", None))
        failure = ServerError()
    elif status_of(failure) >= 500:
        logger.warning("%s in %s: %s", failure.code, _request_line(request), error)
    return failure_response(failure)


def _request_line(request: Any) -> str:
    return f"{request.method} {request.path}" if request is not None else "a view"

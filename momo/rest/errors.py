"""Every way a request can fail: the codes of the contract, the exceptions that carry them, and the handler.

Services raise the exceptions below (or Django's own); whoever answers turns them into its form: the API into the
failure envelope, the admin and the bot into a message. `str(error)` is always fit for people.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import kombu.exceptions
import psycopg
import redis.exceptions
from django.core import exceptions as django_errors
from django.core.signals import got_request_exception
from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, connections
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.response import Response

logger = logging.getLogger("momo.rest")

UNIQUE_VIOLATION = "23505"
# Not away, only busy with somebody else: deadlock, serialisation, lock and statement time limits.
BUSY_STATES = frozenset({"40001", "40P01", "55P03", "57014"})


class ApiError(Exception):
    """A failure with a code of the contract. Never made itself; a subclass says which."""

    status_code: ClassVar[int]
    code: ClassVar[str]
    default_message: ClassVar[str]

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.fields = {name: [str(text) for text in texts] for name, texts in (fields or {}).items()}
        self.headers = dict(headers or {})
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """The failure envelope."""
        body: dict[str, Any] = {"success": False, "error": self.message, "code": self.code}
        if self.fields:
            body["fields"] = self.fields
        return body


class ValidationFailed(ApiError):
    """A parameter, a body or a file is not acceptable; `fields` names which and why."""

    status_code = 400
    code = "VALIDATION_ERROR"
    default_message = "輸入的資料不正確"

    def __init__(self, message: str | None = None, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message or _summary(fields or {}), fields=fields)


class AuthRequired(ApiError):
    """No valid session or token."""

    status_code = 401
    code = "AUTH_REQUIRED"
    default_message = "請先登入，或附上有效的 API 權杖"

    def __init__(self, message: str | None = None) -> None:
        # The scheme that a program can use; without it a 401 would break HTTP's rules.
        super().__init__(message, headers={"WWW-Authenticate": 'Bearer realm="MOMO Pro"'})


class AuthFailed(ApiError):
    """Wrong name or password."""

    status_code = 401
    code = "AUTH_FAILED"
    default_message = "帳號或密碼錯誤"


class Forbidden(ApiError):
    """The role does not allow it, or the request comes from another site."""

    status_code = 403
    code = "PERMISSION_DENIED"
    default_message = "您的權限不足，無法執行這個操作"


class NotFound(ApiError):
    """No such path or object."""

    status_code = 404
    code = "NOT_FOUND"
    default_message = "找不到這筆資料"


class MethodNotAllowed(ApiError):
    """The path exists, but not for this method."""

    status_code = 405
    code = "METHOD_NOT_ALLOWED"
    default_message = "這個網址不支援這種請求方法"


class Conflict(ApiError):
    """The state forbids it: last admin, import already undone, …"""

    status_code = 409
    code = "CONFLICT"
    default_message = "目前的狀態不允許這個操作"


class PayloadTooLarge(ApiError):
    """Body or file beyond the limit."""

    status_code = 413
    code = "PAYLOAD_TOO_LARGE"
    default_message = "送出的資料太大"


class RateLimited(ApiError):
    """Too many requests; `retry_after` is in seconds."""

    status_code = 429
    code = "RATE_LIMITED"
    default_message = "請求太頻繁"

    def __init__(self, message: str | None = None, *, retry_after: float = 60) -> None:
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(
            message or f"{self.default_message}，請於 {self.retry_after} 秒後再試",
            headers={"Retry-After": str(self.retry_after)},
        )


class ServerError(ApiError):
    """Our fault; the reason is in the log only."""

    status_code = 500
    code = "SERVER_ERROR"
    default_message = "系統發生錯誤，請稍後再試；若持續發生，請把回應標頭 X-Request-ID 提供給管理員"


class UpstreamError(ApiError):
    """A service outside failed or timed out. `service` names it, `advice` says what to do."""

    status_code = 502
    code = "UPSTREAM_ERROR"
    default_message = "外部服務沒有正常回應，請稍後再試"

    def __init__(self, service: str, advice: str = "請稍後再試") -> None:
        self.service = service
        super().__init__(f"{service} 沒有正常回應，{advice}")


class Unavailable(ApiError):
    """Database, broker or a required setting is missing. `what` names it, `advice` says what to do."""

    status_code = 503
    code = "UNAVAILABLE"
    default_message = "服務目前無法使用"

    def __init__(self, what: str, advice: str = "請稍後再試", *, retry_after: int | None = None) -> None:
        self.what = what
        super().__init__(
            f"{what}目前無法使用，{advice}",
            headers={"Retry-After": str(retry_after)} if retry_after else None,
        )


BY_STATUS: dict[int, type[ApiError]] = {
    kind.status_code: kind
    for kind in (
        ValidationFailed,
        AuthRequired,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        PayloadTooLarge,
        RateLimited,
        ServerError,
    )
}


def _summary(fields: Mapping[str, Sequence[str]]) -> str:
    """One line for people who see no fields: the first complaint, and how many more there are."""
    for name, texts in fields.items():
        if texts:
            first = texts[0] if name == "non_field_errors" else f"{name}：{texts[0]}"
            more = sum(map(len, fields.values())) - 1
            return f"{first}（另有 {more} 項）" if more else first
    return ValidationFailed.default_message


def _path(prefix: str, name: str) -> str:
    if not prefix:
        return name
    return prefix if name == "non_field_errors" else f"{prefix}.{name}"


def flatten(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """REST framework's nested error details as `{"items.0.name": ["…"]}`; empty rows of a list are left out.

    What is said of no field is said of what it stands in, `items.0`; of the body itself as `non_field_errors`.
    """
    if isinstance(detail, Mapping):
        pairs = [(_path(prefix, str(name)), value) for name, value in detail.items()]
    elif isinstance(detail, (list, tuple)):
        if all(isinstance(item, str) for item in detail):
            return {prefix or "non_field_errors": [str(item) for item in detail]} if detail else {}
        pairs = [(f"{prefix}.{row}" if prefix else str(row), value) for row, value in enumerate(detail)]
    else:
        return {prefix or "non_field_errors": [str(detail)]}
    merged: dict[str, list[str]] = {}
    for name, value in pairs:
        for key, texts in flatten(value, name).items():
            merged.setdefault(key, []).extend(texts)
    return merged


def _from_django_validation(error: django_errors.ValidationError) -> ValidationFailed:
    if hasattr(error, "error_dict"):
        fields = {
            "non_field_errors" if name == django_errors.NON_FIELD_ERRORS else name: texts
            for name, texts in error.message_dict.items()
        }
        return ValidationFailed(fields=fields)
    return ValidationFailed(fields={"non_field_errors": error.messages})


def _from_rest_framework(error: drf.APIException) -> ApiError | None:
    match error:
        case drf.ValidationError():
            return ValidationFailed(fields=flatten(error.detail))
        case drf.ParseError():
            return ValidationFailed("送出的內容格式錯誤，無法解析")
        case drf.UnsupportedMediaType():
            return ValidationFailed("不支援這種 Content-Type；請使用這個網址說明文件中的格式")
        case drf.NotAuthenticated():
            return AuthRequired()
        case drf.AuthenticationFailed():
            return AuthRequired("登入狀態或 API 權杖無效，請重新登入或更換權杖")
        case drf.PermissionDenied():
            return Forbidden()
        case drf.NotFound():
            return NotFound()
        case drf.MethodNotAllowed():
            return MethodNotAllowed()
        case drf.Throttled():
            return RateLimited(retry_after=getattr(error, "wait", None) or 60)
    if 400 <= error.status_code < 500:
        return BY_STATUS.get(error.status_code, ValidationFailed)()
    return None


def _from_database(error: BaseException) -> ApiError | None:
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, IntegrityError):
        return Conflict("這筆資料已經存在") if state == UNIQUE_VIOLATION else None
    if isinstance(error, (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)):
        advice = "正忙於其他工作，請稍後再試" if state in BUSY_STATES else "請稍後再試"
        return Unavailable("資料庫", advice, retry_after=5)
    return None


def describe(error: BaseException) -> ApiError | None:
    """The failure of the contract that `error` stands for, or None when it is our fault (500)."""
    match error:
        case ApiError():
            return error
        case drf.APIException():
            return _from_rest_framework(error)
        case Http404():
            return NotFound()
        case django_errors.PermissionDenied():
            return Forbidden()
        case django_errors.ValidationError():
            return _from_django_validation(error)
        case django_errors.RequestDataTooBig():
            return PayloadTooLarge()
        case django_errors.TooManyFieldsSent() | django_errors.TooManyFilesSent():
            return PayloadTooLarge("送出的欄位或檔案太多")
        case django_errors.BadRequest() | django_errors.SuspiciousOperation() | MultiPartParserError():
            return ValidationFailed("請求的格式不正確")
        case UnreadablePostError():
            return ValidationFailed("請求的內容沒有完整送達")
        case ProtectedError() | RestrictedError():
            return Conflict("這筆資料仍被其他資料使用，無法刪除")
        case redis.exceptions.RedisError() | kombu.exceptions.KombuError():
            return Unavailable("訊息佇列", retry_after=5)
        case DatabaseError() | psycopg.Error():
            return _from_database(error)
    return None


def failure_response(failure: ApiError) -> Response:
    """The failure envelope as REST framework's response; the renderer knows it by its mark."""
    response = Response(failure.body(), status=failure.status_code, headers=failure.headers)
    response.is_failure = True  # type: ignore[attr-defined]
    return response


def _set_rollback() -> None:
    """REST framework's own stands in a module that imports its settings, which import this one."""
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's hook: any exception of a view becomes the failure envelope; none of its text leaks."""
    request = context.get("request")
    failure = describe(error)
    if failure is None:
        logger.error("Unhandled exception in %s", _line(request), exc_info=error)
        # Django's own word for "a view crashed": error trackers and the test client listen to it.
        got_request_exception.send(sender=None, request=getattr(request, "_request", None))
        failure = ServerError()
    elif failure.status_code >= 500:
        logger.warning("%s in %s: %s", failure.code, _line(request), error)
    _set_rollback()
    return failure_response(failure)


def _line(request: Any) -> str:
    return f"{request.method} {request.path}" if request is not None else "a view"

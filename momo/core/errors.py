"""The errors that services raise, with the codes of the API contract.

The API turns them into the failure envelope (`momo.rest.errors`), the admin and the bot into a message.
`str(error)` is Traditional Chinese for the user. Only `momo.rest` knows which HTTP status a code has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

NO_FIELD = "non_field_errors"


class ServiceError(Exception):
    """Base of all errors; only subclasses are raised.

    `fields` maps field names to messages. `retry_after` is in seconds, None if the caller need not wait.
    """

    code: ClassVar[str]
    default_message: ClassVar[str]

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.fields = {name: [str(text) for text in texts] for name, texts in (fields or {}).items()}
        self.retry_after = None if retry_after is None else max(1, math.ceil(retry_after))
        super().__init__(self.message)


class ValidationFailed(ServiceError):
    """A parameter, a body or a file is not acceptable; `fields` names which and why."""

    code = "VALIDATION_ERROR"
    default_message = "輸入的資料不正確"

    def __init__(self, message: str | None = None, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message or _summary(fields or {}), fields=fields)


class AuthRequired(ServiceError):
    """No valid session or token."""

    code = "AUTH_REQUIRED"
    default_message = "請先登入，或附上有效的 API 權杖"


class AuthFailed(ServiceError):
    """Wrong name or password."""

    code = "AUTH_FAILED"
    default_message = "帳號或密碼錯誤"


class Forbidden(ServiceError):
    """The role does not allow the action, or the request comes from another site."""

    code = "PERMISSION_DENIED"
    default_message = "您的權限不足，無法執行這個操作"


class NotFound(ServiceError):
    """No such path or object."""

    code = "NOT_FOUND"
    default_message = "找不到這筆資料"


class MethodNotAllowed(ServiceError):
    """The path exists, but not for this method."""

    code = "METHOD_NOT_ALLOWED"
    default_message = "這個網址不支援這種請求方法"


class Conflict(ServiceError):
    """The current state forbids the change: last admin, import already undone, …"""

    code = "CONFLICT"
    default_message = "目前的狀態不允許這個操作"


class PayloadTooLarge(ServiceError):
    """Body or file beyond the limit."""

    code = "PAYLOAD_TOO_LARGE"
    default_message = "送出的資料太大"


class RateLimited(ServiceError):
    """Too many requests."""

    code = "RATE_LIMITED"
    default_message = "請求太頻繁"
    retry_after: int

    def __init__(self, message: str | None = None, *, retry_after: float = 60) -> None:
        super().__init__(
            message or f"{self.default_message}，請於 {max(1, math.ceil(retry_after))} 秒後再試",
            retry_after=retry_after,
        )


class ServerError(ServiceError):
    """A fault of this system; only the log has the reason."""

    code = "SERVER_ERROR"
    default_message = "系統發生錯誤，請稍後再試；若持續發生，請把回應標頭 X-Request-ID 提供給管理員"


class UpstreamError(ServiceError):
    """An external service failed or timed out. `service` is its name, `advice` tells the user what to do."""

    code = "UPSTREAM_ERROR"
    default_message = "外部服務沒有正常回應，請稍後再試"

    def __init__(self, service: str, advice: str = "請稍後再試") -> None:
        super().__init__(f"{service} 沒有正常回應，{advice}")


class Unavailable(ServiceError):
    """Database, broker or a required setting is missing. `what` is its name, `advice` tells the user what to do."""

    code = "UNAVAILABLE"
    default_message = "服務目前無法使用"

    def __init__(self, what: str, advice: str = "請稍後再試", *, retry_after: float | None = None) -> None:
        super().__init__(f"{what}目前無法使用，{advice}", retry_after=retry_after)


def validation_failed(error: ValidationError) -> ValidationFailed:
    """Django's ValidationError as a ValidationFailed with the same messages by field."""
    if hasattr(error, "error_dict"):
        fields = {NO_FIELD if name == NON_FIELD_ERRORS else name: texts for name, texts in error.message_dict.items()}
        return ValidationFailed(fields=fields)
    return ValidationFailed(fields={NO_FIELD: error.messages})


def _summary(fields: Mapping[str, Sequence[str]]) -> str:
    """One line for users who do not see fields: the first message and the number of others."""
    for name, texts in fields.items():
        if texts:
            first = texts[0] if name == NO_FIELD else f"{name}：{texts[0]}"
            more = sum(map(len, fields.values())) - 1
            return f"{first}（另有 {more} 項）" if more else first
    return ValidationFailed.default_message

"""The OpenAPI description: envelope, failures, roles and both ways in, added to what each view states."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ResolvedComponent

from momo.rest.errors import BY_STATUS as PLAIN_BY_STATUS
from momo.rest.errors import ApiError, Unavailable, UpstreamError
from momo.rest.permissions import LABELS, PUBLIC, stated_role
from momo.rest.renderers import is_bare

JSON = "application/json"
BY_STATUS: dict[int, type[ApiError]] = {**PLAIN_BY_STATUS, 502: UpstreamError, 503: Unavailable}
FAILURE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "失敗時的回應",
    "required": ["success", "error", "code"],
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "error": {"type": "string", "description": "發生了什麼事"},
        "code": {
            "type": "string",
            "enum": [
                "AUTH_REQUIRED",
                "AUTH_FAILED",
                "PERMISSION_DENIED",
                "NOT_FOUND",
                "VALIDATION_ERROR",
                "RATE_LIMITED",
                "SERVER_ERROR",
                "METHOD_NOT_ALLOWED",
                "CONFLICT",
                "PAYLOAD_TOO_LARGE",
                "UPSTREAM_ERROR",
                "UNAVAILABLE",
            ],
        },
        "fields": {
            "type": "object",
            "description": "資料驗證失敗時，各欄位的錯誤訊息",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}


class BearerScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer <token>`."""

    target_class = "momo.rest.authentication.BearerAuthentication"
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "API 權杖（momo_ 開頭）"}


class SessionScheme(OpenApiAuthenticationExtension):
    """The cookie of `POST /login`."""

    target_class = "momo.rest.authentication.SessionAuthentication"
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class AutoSchema(SpectacularSchema):
    """Views describe only their own data; this adds what is the same everywhere."""

    def get_description(self) -> str:  # type: ignore[override]
        role = stated_role(self.view, self.method)
        who = "不需登入" if role == PUBLIC else f"需要角色：{LABELS.get(role or '', '—')}"
        return "\n\n".join(filter(None, [super().get_description().strip(), who]))

    def get_extensions(self) -> dict[str, Any]:
        role = stated_role(self.view, self.method)
        return {**super().get_extensions(), **({"x-role": role} if role else {})}

    def get_auth(self) -> list[dict[str, Any]]:
        if stated_role(self.view, self.method) == PUBLIC:
            return [{}]
        return super().get_auth()

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction=direction)
        if not is_bare(self.view, self.method):
            for code, response in bodies.items():
                if code.startswith("2") and JSON in response.get("content", {}):
                    media = response["content"][JSON]
                    media["schema"] = self._enveloped(media.get("schema", {}))
                    for example in media.get("examples", {}).values():
                        example["value"] = {"success": True, "data": example.get("value"), "message": "操作成功"}
                elif code.startswith("2") and not response.get("content") and code != "204":
                    response["content"] = {JSON: {"schema": self._enveloped({})}}
        for code, response in bodies.items():
            if not response.get("description"):
                response["description"] = "成功" if code.startswith("2") else ""
        for status in sorted(self._failures()):
            bodies.setdefault(str(status), self._failure(status))
        return bodies

    @staticmethod
    def _enveloped(schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["success", "data", "message"],
            "properties": {
                "success": {"type": "boolean", "enum": [True]},
                "data": schema or {"nullable": True},
                "message": {"type": "string"},
            },
        }

    def _failures(self) -> set[int]:
        statuses = {429, 500, 503} | set(getattr(self.view, "failures", ()))
        if stated_role(self.view, self.method) != PUBLIC:
            statuses |= {401, 403}
        if "{" in self.path:
            statuses.add(404)
        # NUL in a path or query is refused everywhere.
        statuses.add(400)
        if self.method in {"POST", "PUT", "PATCH"}:
            statuses |= {403, 409, 413}
        elif self.method == "DELETE":
            statuses |= {403, 409}
        return statuses

    def _failure(self, status: int) -> dict[str, Any]:
        component = ResolvedComponent(
            name="Failure", type=ResolvedComponent.SCHEMA, object="Failure", schema=FAILURE_SCHEMA
        )
        self.registry.register_on_missing(component)
        kind = BY_STATUS[status]
        response: dict[str, Any] = {
            "description": f"{kind.default_message}（{kind.code}）",
            "content": {JSON: {"schema": component.ref}},
        }
        if status == 429:
            response["headers"] = {"Retry-After": {"description": "秒", "schema": {"type": "integer"}}}
        return response

"""The OpenAPI schema: adds envelope, failures, roles and authentication to what each view states."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import BaseSerializer

from momo.core.errors import AuthFailed, ServiceError, Unavailable, UpstreamError, ValidationFailed
from momo.core.roles import LABELS
from momo.rest.errors import BY_STATUS, body_of
from momo.rest.permissions import PUBLIC, stated_role
from momo.rest.renderers import DONE, is_bare

JSON = "application/json"
# An example failure for each status.
FAILURES: dict[int, ServiceError] = {
    **{status: kind() for status, kind in BY_STATUS.items()},
    400: ValidationFailed(fields={"page": ["請輸入 1 以上的整數"]}),
    502: UpstreamError("Ollama", "請確認 OLLAMA_URL 的服務後再試"),
    503: Unavailable("資料庫"),
}
CODES = [failure.code for failure in (*FAILURES.values(), AuthFailed())]
FAILURE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "失敗時的回應",
    "required": ["success", "error", "code"],
    "additionalProperties": False,
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "error": {"type": "string", "description": "發生了什麼事"},
        "code": {"type": "string", "enum": CODES},
        "fields": {
            "type": "object",
            "description": "資料驗證失敗時，各欄位的錯誤訊息",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}

# Name of a bound in django-filter → its name in OpenAPI.
BOUNDS = {"max_length": "maxLength", "min_length": "minLength", "min_value": "minimum", "max_value": "maximum"}
HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "可用的登入方式", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "幾秒後可再試", "schema": {"type": "integer", "minimum": 1}}},
    500: {"X-Request-ID": {"description": "這次請求的編號，回報問題時請提供", "schema": {"type": "string"}}},
}
IDEMPOTENCY_KEY = "Idempotency-Key"
IDEMPOTENT_REPLAYED = "Idempotent-Replayed"
IDEMPOTENCY = [
    OpenApiParameter(
        IDEMPOTENCY_KEY,
        str,
        OpenApiParameter.HEADER,
        pattern=r"^[!-~]{1,200}$",
        description="同一個鍵重送相同內容，24 小時內得到第一次的回應，不會重複執行；內容不同則為 409",
    ),
    OpenApiParameter(
        IDEMPOTENT_REPLAYED,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        response=[200, 201, 202],
        description="這是第一次的回應，沒有重新執行",
    ),
]


class AutoSchema(SpectacularSchema):
    """Adds to each view's own description the parts that all views have in common."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            role = stated_role(self.view, self.method)
            who = "不需登入" if role == PUBLIC else f"需要角色：{LABELS.get(role or '', '—')}"
            operation["description"] = f"{operation.get('description', '').strip()}\n\n{who}".strip()
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    # Browsers send an empty form field so; it means the same as a missing parameter.
                    parameter["allowEmptyValue"] = True
        return operation

    def get_extensions(self) -> dict[str, Any]:
        role = stated_role(self.view, self.method)
        return {**super().get_extensions(), **({"x-role": role} if role else {})}

    def get_auth(self) -> list[dict[str, Any]]:
        if stated_role(self.view, self.method) == PUBLIC:
            return [{}]
        return super().get_auth()

    def get_override_parameters(self) -> list[Any]:
        given: list[Any] = super().get_override_parameters()
        return [*given, *IDEMPOTENCY] if self.method == "POST" and getattr(self.view, "idempotent", False) else given

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        """Adds the bounds of the filters, and choices that are known only after all apps are loaded."""
        hooks: Any = super()  # without annotations
        parameters: list[dict[str, Any]] = hooks._get_filter_parameters()
        known = getattr(getattr(self.view, "filterset_class", None), "base_filters", {})
        for parameter in parameters:
            extra = known[parameter["name"]].extra if parameter["name"] in known else {}
            if extra.get("decimal_places") == 0:
                parameter["schema"]["type"] = "integer"
            if callable(extra.get("choices")):
                parameter["schema"]["enum"] = [value for value, _ in extra["choices"]()]
            parameter["schema"].update({BOUNDS[name]: extra[name] for name in BOUNDS if name in extra})
        return parameters

    def _get_request_for_media_type(self, serializer: Any, direction: str = "request") -> tuple[Any, bool]:
        """A body of which one of several names is needed is needed itself."""
        hooks: Any = super()  # without annotations
        schema, required = hooks._get_request_for_media_type(serializer, direction)
        return schema, required or bool(getattr(serializer, "any_of", ()))

    def _map_basic_serializer(self, serializer: BaseSerializer[Any], direction: str) -> dict[str, Any]:
        """Requires all fields of an answer, and drops the serializer's docstring, which is for readers of the code."""
        hooks: Any = super()  # without annotations
        schema: dict[str, Any] = hooks._map_basic_serializer(serializer, direction)
        schema.pop("description", None)
        if direction == "response" and schema.get("properties"):
            schema["required"] = sorted(schema["properties"])
            for field in schema["properties"].values():
                # A rule for input only; clients read `\w` as ASCII, and names here are Chinese.
                field.pop("pattern", None)
        return schema

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction=direction)
        for code, response in bodies.items():
            if not response.get("description") or not response.get("content"):
                response["description"] = "成功" if code.startswith("2") else ""
        if not is_bare(self.view, self.method):
            for code, response in bodies.items():
                if code.startswith("2") and JSON in response.get("content", {}):
                    media = response["content"][JSON]
                    media["schema"] = self._enveloped(media.get("schema", {}))
                    for example in media.get("examples", {}).values():
                        example["value"] = self._in_envelope(example.get("value"))
                elif code.startswith("2") and not response.get("content") and code != "204":
                    example = {"value": self._in_envelope(None)}
                    response["content"] = {JSON: {"schema": self._enveloped({}), "examples": {"Done": example}}}
        for status in sorted(self._failures()):
            bodies.setdefault(str(status), self._failure(status))
        return bodies

    def _in_envelope(self, data: Any) -> dict[str, Any]:
        return {"success": True, "data": data, "message": getattr(self.view, "message", None) or DONE}

    @staticmethod
    def _enveloped(schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["success", "data", "message"],
            "properties": {
                "success": {"type": "boolean", "enum": [True]},
                "data": schema or {"enum": [None]},
                "message": {"type": "string"},
            },
        }

    def _failures(self) -> set[int]:
        # NUL in a path or a query string is 400 for every view.
        statuses = {400, 429, 500, 503} | set(getattr(self.view, "failures", ()))
        if stated_role(self.view, self.method) != PUBLIC:
            statuses |= {401, 403}
        if "{" in self.path:
            statuses.add(404)
        if self.method != "GET":
            statuses |= {403, 409} if self.method == "DELETE" else {403, 409, 413}
        return statuses

    def _failure(self, status: int) -> dict[str, Any]:
        # A copy, since the generator changes the enumerations in it.
        component = ResolvedComponent(
            name="Failure", type=ResolvedComponent.SCHEMA, object="Failure", schema=deepcopy(FAILURE_SCHEMA)
        )
        self.registry.register_on_missing(component)
        failure = FAILURES[status]
        response: dict[str, Any] = {
            "description": f"{failure.default_message}（{failure.code}）",
            "content": {JSON: {"schema": component.ref, "examples": {failure.code: {"value": body_of(failure)}}}},
        }
        if status in HEADERS:
            response["headers"] = HEADERS[status]
        return response

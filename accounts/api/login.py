"""POST /login in the OpenAPI description: the login page is no view of REST framework."""

from __future__ import annotations

from typing import Any

from momo.core.errors import AuthFailed, Forbidden, RateLimited, ServiceError, Unavailable
from momo.rest.errors import body_of
from momo.rest.schema import FAILURE_SCHEMA, JSON

FORM = "application/x-www-form-urlencoded"
REFUSED: dict[str, tuple[ServiceError, str]] = {
    "401": (AuthFailed(), "帳號或密碼錯誤"),
    "403": (Forbidden("拒絕來自其他網站的請求"), "請求來自其他網站"),
    "429": (RateLimited(retry_after=900), "這個帳號與位址失敗太多次，暫時鎖定"),
    "503": (Unavailable("資料庫"), "資料庫目前無法使用"),
}
_text = {"type": "string"}


def describe_login(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf_spectacular: adds the path."""
    failure = {"$ref": "#/components/schemas/Failure"}
    result["components"]["schemas"].setdefault("Failure", FAILURE_SCHEMA)
    fields = {
        "username": {**_text, "maxLength": 150},
        "password": {**_text, "format": "password"},
        "next": {**_text, "description": "登入後要去的頁面，只能是這個網站的", "maxLength": 2000},
    }
    result["paths"]["/login"] = {
        "post": {
            "operationId": "login",
            "tags": ["使用者"],
            "summary": "登入",
            "description": (
                "成功時設定 Session Cookie 並轉址。失敗時，`Accept: application/json` 得到失敗的信封，否則是登入頁。"
            ),
            "x-role": "public",
            "security": [{}],
            "requestBody": {
                "required": True,
                "content": {
                    FORM: {
                        "schema": {"type": "object", "required": ["username", "password"], "properties": fields},
                        "examples": {"登入": {"value": {"username": "amy", "password": "…", "next": "/admin/"}}},
                    }
                },
            },
            "responses": {
                "302": {
                    "description": "已登入",
                    "headers": {
                        name: {"description": text, "schema": _text}
                        for name, text in (("Location", "接著要去的頁面"), ("Set-Cookie", "sessionid"))
                    },
                },
                **{
                    status: {
                        "description": text,
                        "content": {JSON: {"schema": failure, "examples": {error.code: {"value": body_of(error)}}}},
                    }
                    for status, (error, text) in REFUSED.items()
                },
            },
        }
    }
    return result

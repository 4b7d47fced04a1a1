"""Authentication of API requests: a bearer token or the session cookie, with equal rights."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import services
from accounts.sessions import session_user
from momo.core.errors import AuthRequired
from momo.rest.errors import CHALLENGE


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. A header with an invalid token fails, even if the session is valid."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        raw = credentials.strip()
        if not raw or " " in raw or not raw.isascii():
            raise AuthRequired("API 權杖的格式不正確；請使用 Authorization: Bearer <權杖>")
        token = services.authenticate_token(raw=raw)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class SessionAuthentication(BaseAuthentication):
    """The cookie that `POST /login` sets. `CrossSiteMiddleware` refuses other sites; there is no CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        # The user itself, not Django's lazy object: each attribute of that would cost another call.
        user = session_user(request._request)
        return (user, None) if user.is_authenticated and user.is_active else None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class BearerScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer <token>`."""

    target_class = BearerAuthentication
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "API 權杖（momo_ 開頭）"}


class SessionScheme(OpenApiAuthenticationExtension):
    """The cookie of `POST /login`."""

    target_class = SessionAuthentication
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}

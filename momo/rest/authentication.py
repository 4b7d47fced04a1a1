"""Two ways in, equal everywhere: a bearer token or the session cookie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from momo.rest.errors import AuthRequired

Authenticator = Callable[..., Any]


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. A header with a bad token fails, even when a session would do.

    The token is looked up by the function that `API_TOKEN_AUTHENTICATOR` names: called with `raw`, it answers the
    token (with its `user` loaded) or raises AuthRequired.
    """

    def __init__(self) -> None:
        self.find: Authenticator = import_string(settings.API_TOKEN_AUTHENTICATOR)

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, rest = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        raw = rest.strip()
        if not raw or " " in raw or not raw.isascii():
            raise AuthRequired("API 權杖的格式不正確；請使用 Authorization: Bearer <權杖>")
        token = self.find(raw=raw)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="MOMO Pro"'


class SessionAuthentication(BaseAuthentication):
    """The cookie that `POST /login` sets. Other sites are kept out by `CrossSiteMiddleware`, not by a CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        user = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated or not user.is_active:
            return None
        # The user itself: each look through the lazy object that stands for it would cost a call.
        return getattr(request._request, "_cached_user", user), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="MOMO Pro"'

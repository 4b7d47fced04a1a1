"""Session lifetime, the session's user, and the redirect of users who must change their password."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts.sessions import extend_or_end, session_user
from momo.core.secret_paths import is_secret_path
from momo.rest.middleware import is_api_path

GetResponse = Callable[[HttpRequest], HttpResponse]


class SessionLifetimeMiddleware:
    """Ends sessions that are too old and extends used ones. Comes between session and authentication middleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Reading the session costs a query.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not is_secret_path(request.path_info):
            extend_or_end(request.session)
        return self.get_response(request)


class SessionUserMiddleware(AuthenticationMiddleware):
    """Django's own, with the user that was read together with the session."""

    def process_request(self, request: HttpRequest) -> None:
        request.user = SimpleLazyObject(lambda: session_user(request))  # type: ignore[assignment]


class PasswordChangeMiddleware:
    """Redirects browsers of users who must change their password; the API refuses such requests itself."""

    OPEN = frozenset({"/health", "/metrics"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        page = reverse("change_password")
        own = {settings.LOGIN_URL, reverse("logout"), page} | self.OPEN
        if (
            not is_api_path(path)
            and not is_secret_path(path)
            and path not in own
            and settings.SESSION_COOKIE_NAME in request.COOKIES
            and getattr(request.user, "must_change_password", False)
        ):
            return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")
        return self.get_response(request)

"""What every request passes: its id, the manner of failures below /api, and the rule about other sites."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.signals import got_request_exception, request_finished
from django.http import HttpRequest, HttpResponse
from django.utils.http import is_same_domain

from momo.rest import context
from momo.rest.encoding import dumps
from momo.rest.errors import BY_STATUS, ApiError, Forbidden, NotFound, ServerError, ValidationFailed, describe

GetResponse = Callable[[HttpRequest], HttpResponse]

SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
COOKIE_PATHS = frozenset({"/login", "/logout"})
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# Headers that describe the body, which a failure envelope replaces.
BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "content-disposition", "etag"})


def is_api_path(path: str) -> bool:
    """Whether the manner of the API rules at `path`."""
    return path == "/api" or path.startswith("/api/")


def wants_json(request: HttpRequest) -> bool:
    """Whether a client outside /api is a program: it accepts JSON and not HTML."""
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def envelope_response(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    """An envelope outside REST framework's views."""
    return HttpResponse(dumps(body), status=status, content_type="application/json", headers=headers)


def failure_envelope(failure: ApiError) -> HttpResponse:
    """A failure outside REST framework's views."""
    response = envelope_response(failure.body(), failure.status_code, failure.headers)
    response.is_failure = True  # type: ignore[attr-defined]
    return response


class RequestIdMiddleware:
    """Gives each request an id (the client's, when it is a sane one) for log lines and `X-Request-ID`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # Not when the middleware returns: Django logs failures after that, and streams are written after that.
        request_finished.connect(context.leave, dispatch_uid="momo.rest.context.leave")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        identifier = given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
        context.enter(request, identifier)
        response = self.get_response(request)
        response["X-Request-ID"] = identifier
        return response


def _remember_exception(sender: object, request: HttpRequest | None = None, **kwargs: object) -> None:
    """Keeps the exception that Django turned into an error page, so that its envelope can name the cause."""
    if request is not None:
        request.momo_exception = sys.exc_info()[1]  # type: ignore[attr-defined]


class ApiErrorMiddleware:
    """Below /api every failure is the failure envelope, whoever made it: resolver, middleware, crash, DEBUG page.

    A path with a trailing slash is answered as without, by rewriting it here: a redirect would lose the body of a POST.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        got_request_exception.connect(_remember_exception, dispatch_uid="momo.rest.remember_exception")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        api = is_api_path(request.path_info)
        if api:
            self._strip_slash(request)
            refusal = self._refuse_nul(request)
            if refusal is not None:
                return failure_envelope(refusal)
        response = self.get_response(request)
        if response.status_code < 400 or getattr(response, "is_failure", False):
            return response
        if api or (request.path_info in COOKIE_PATHS and wants_json(request)):
            return self._enveloped(request, response)
        return response

    @staticmethod
    def _strip_slash(request: HttpRequest) -> None:
        if request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
            request.path = request.path.rstrip("/")

    @staticmethod
    def _refuse_nul(request: HttpRequest) -> ApiError | None:
        """PostgreSQL's text knows no NUL, so no value with one can be found or stored."""
        if "\x00" in request.path_info:
            return NotFound("沒有這個路徑")
        if "%00" in request.META.get("QUERY_STRING", ""):
            return ValidationFailed("網址參數不可含有空字元")
        return None

    @staticmethod
    def _enveloped(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        failure: ApiError | None = None
        error = getattr(request, "momo_exception", None)
        if response.status_code == 404:
            failure = NotFound("沒有這個路徑")
        elif response.status_code >= 500 and error is not None:
            failure = describe(error)
        if failure is None:
            kind = BY_STATUS.get(response.status_code)
            failure = (kind or (ServerError if response.status_code >= 500 else ValidationFailed))()
        made = failure_envelope(failure)
        for name, value in response.items():
            if name.lower() not in BODY_HEADERS:
                made.headers.setdefault(name, value)
        made.cookies = response.cookies
        return made


class CrossSiteMiddleware:
    """Refuses unsafe requests that a browser sends for another site, in place of CSRF tokens.

    Holds for /login, /logout and /api, whose clients have only the cookie. Browsers add `Sec-Fetch-Site` or `Origin`
    themselves and pages cannot change them; programs (curl, n8n) send neither and pass. Origins of
    `CSRF_TRUSTED_ORIGINS` pass too. Everything else keeps Django's own CSRF check.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if (
            request.method not in SAFE_METHODS
            and (path in COOKIE_PATHS or is_api_path(path))
            and self._comes_from_elsewhere(request)
        ):
            return failure_envelope(Forbidden("拒絕來自其他網站的請求"))
        return self.get_response(request)

    def _comes_from_elsewhere(self, request: HttpRequest) -> bool:
        origin = request.headers.get("Origin")
        if origin is not None and self._trusted(origin):
            return False
        if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
            return True
        return origin is not None and not self._ours(request, origin)

    @staticmethod
    def _ours(request: HttpRequest, origin: str) -> bool:
        """Whether host and port of `origin` are those this request was sent to."""
        try:
            parts = urlsplit(origin)
            host = request.get_host().lower()
        except (ValueError, DisallowedHost):
            return False
        scheme = request.scheme or "http"
        return bool(parts.netloc) and (
            parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(parts.scheme, ":"))
            == host.removesuffix(DEFAULT_PORTS.get(scheme, ":"))
        )

    @staticmethod
    def _trusted(origin: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        for entry in settings.CSRF_TRUSTED_ORIGINS:
            allowed = urlsplit(entry)
            if allowed.scheme == parts.scheme and is_same_domain(parts.netloc.lower(), allowed.netloc.lstrip("*")):
                return True
        return False

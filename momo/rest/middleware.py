"""Middleware: compressed pages, request id, failure envelope below /api, encoding, refusal of cross-site requests."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.signals import got_request_exception, request_finished
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.http import is_same_domain

from momo.core import context
from momo.core.errors import Forbidden, NotFound, ServiceError, ValidationFailed
from momo.core.secret_paths import is_secret_path
from momo.rest.encoding import dumps
from momo.rest.errors import body_of, failure_of, headers_of, status_of, to_service_error

GetResponse = Callable[[HttpRequest], HttpResponse]

SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
COOKIE_PATHS = frozenset({"/login", "/logout"})
OTHER_CHARSET = "momo.other_charset"  # in the environment of a request
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# Headers that describe the body; the failure envelope replaces them with its own.
BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "content-disposition", "etag"})


def is_api_path(path: str) -> bool:
    """Whether `path` belongs to the API, so that failures are envelopes."""
    return path == "/api" or path.startswith("/api/")


def wants_json(request: HttpRequest) -> bool:
    """Whether the client is a program: it accepts JSON and not HTML. For paths outside /api."""
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def failure_envelope(failure: ServiceError) -> HttpResponse:
    """The failure envelope as a plain Django response."""
    response = HttpResponse(
        dumps(body_of(failure)),
        status=status_of(failure),
        content_type="application/json",
        headers=headers_of(failure),
    )
    response.is_failure = True  # type: ignore[attr-defined]
    return response


class CompressPagesMiddleware(GZipMiddleware):
    """Compresses HTML pages only: compressing answers of the API would cost more time than sending them.

    Django adds a random number of bytes to each page against BREACH, an attack on secrets in compressed pages.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed


class RequestIdMiddleware:
    """Gives each request an id for log lines and `X-Request-ID`; the client's own id, if it has the form SANE_ID."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # Not when the middleware returns: Django logs failures and writes streams after that.
        request_finished.connect(context.leave, dispatch_uid="momo.core.context.leave")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        identifier = given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
        context.enter(request, identifier)
        response = self.get_response(request)
        response["X-Request-ID"] = identifier
        return response


def _remember_exception(sender: object, request: HttpRequest | None = None, **kwargs: object) -> None:
    """Stores the exception that Django turned into an error page, so that the envelope can name the cause."""
    if request is not None:
        request.momo_exception = sys.exc_info()[1]  # type: ignore[attr-defined]


class ApiErrorMiddleware:
    """Below /api every failure is the failure envelope, also those of the resolver, other middleware and DEBUG pages.

    A trailing slash is cut off here; Django's redirect would lose the body of a POST.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        got_request_exception.connect(_remember_exception, dispatch_uid="momo.rest.remember_exception")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        api = is_api_path(request.path_info)
        if api:
            if request.path_info.endswith("/"):
                request.path_info = request.path_info.rstrip("/")
                request.path = request.path.rstrip("/")
            # Text in PostgreSQL has no NUL, so a value with NUL can be neither found nor stored.
            if "\x00" in request.path_info:
                return failure_envelope(NotFound("沒有這個路徑"))
            if "%00" in request.META.get("QUERY_STRING", ""):
                return failure_envelope(ValidationFailed("網址參數不可含有空字元"))
        response = self.get_response(request)
        if response.status_code < 400 or getattr(response, "is_failure", False):
            return response
        if api or (request.path_info in COOKIE_PATHS and wants_json(request)):
            return self._enveloped(request, response)
        return response

    @staticmethod
    def _enveloped(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        failure: ServiceError | None = None
        error = getattr(request, "momo_exception", None)
        if response.status_code == 404:
            failure = NotFound("沒有這個路徑")
        elif response.status_code >= 500 and error is not None:
            failure = to_service_error(error)
        made = failure_envelope(failure or failure_of(response.status_code))
        for name, value in response.items():
            if name.lower() not in BODY_HEADERS:
                made.headers.setdefault(name, value)
        made.cookies = response.cookies
        return made


class CharsetMiddleware:
    """Refuses forms in another encoding than UTF-8; `momo.wsgi` has marked requests that name one."""

    FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if OTHER_CHARSET in request.META and request.content_type in self.FORMS and request.method not in SAFE_METHODS:
            if is_api_path(request.path_info) or wants_json(request):
                return failure_envelope(ValidationFailed("表單請使用 UTF-8 編碼"))
            raise BadRequest("charset")
        return self.get_response(request)


class CrossSiteMiddleware:
    """Refuses unsafe requests that a browser sends for another site, in place of CSRF tokens.

    It applies to /login, /logout and /api, whose clients have only the cookie, and to secret paths. Browsers add
    `Sec-Fetch-Site` or `Origin` and pages cannot change these headers; programs (curl, n8n) send neither and pass.
    Origins in `CSRF_TRUSTED_ORIGINS` pass too. All other paths keep Django's own CSRF check.

    Pages of secret paths have the policy `no-referrer`, under which browsers send `Origin: null` with their own forms.
    There `Sec-Fetch-Site` decides, and a browser too old to send it passes: no other site knows the address.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if (
            request.method not in SAFE_METHODS
            and (path in COOKIE_PATHS or is_api_path(path) or is_secret_path(path))
            and self._is_cross_site(request)
        ):
            return failure_envelope(Forbidden("拒絕來自其他網站的請求"))
        return self.get_response(request)

    @staticmethod
    def _is_cross_site(request: HttpRequest) -> bool:
        origin = request.headers.get("Origin")
        from_here = request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}
        if origin is None or (origin == "null" and is_secret_path(request.path_info)):
            return not from_here
        try:
            parts = urlsplit(origin)
        except ValueError:
            return True
        place = parts.netloc.lower()
        if any(
            allowed.scheme == parts.scheme and is_same_domain(place, allowed.netloc.lstrip("*"))
            for allowed in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS)
        ):
            return False
        # Host and port of the origin must be those that the request was sent to.
        own = request.get_host().lower().removesuffix(DEFAULT_PORTS.get(request.scheme or "http", ":"))
        return not from_here or place.removesuffix(DEFAULT_PORTS.get(parts.scheme, ":")) != own

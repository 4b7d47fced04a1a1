"""Requests that nobody sends by mistake, of clients without a session: none may be a failure of the server."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_started
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler
from django.urls import URLPattern, get_resolver

from accounts.models import LoginAttempt
from momo.rest.routes import api_routes
from momo.wsgi import application

NUL_COOKIE = r'"\000aaaa"'  # an escape of cookies (RFC 2109) that stands for NUL
KEY = "a" * 32
HEADERS: list[dict[str, str]] = [
    {"Cookie": f"sessionid={NUL_COOKIE}"},
    {"Cookie": rf'sessionid="{KEY[:-1]}\000"; csrftoken={NUL_COOKIE}; messages={NUL_COOKIE}'},
    {"Cookie": f"sessionid={KEY}\xff; messages={'[' * 3000}; csrftoken={KEY * 9}"},
    {"X-Forwarded-For": "::1%" + "z" * 200, "X-Request-ID": "\xff" * 200, "Accept-Language": "\xff;q=x," * 9},
    {"Host": "a b%", "Origin": "http://[", "Referer": "http://[", "Sec-Fetch-Site": "\xff"},
    {"Authorization": "Bearer \xff\xfe", "Accept": "*/\xff;q=z", "Range": "bytes=a-", "If-Modified-Since": "x"},
    {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"},
    {"Content-Type": "multipart/form-data; charset=rot13"},
    {"Content-Type": "application/json; charset=idna"},
    {"Content-Type": "text/plain; charset*=nonsense''%41"},
]
QUERY = "q=%E4%00&page=%ED%A0%80&start_date=9999-12-31&next=//%00"
BODIES: list[tuple[str, bytes]] = [
    ("application/json", b"[" * 60_000),
    ("application/json", b"9" * 5000),
    (
        "application/json",
        rb'{"username": "\u0000\ud800", "password": "\ud800", "code": "\ud800", "variables": {"\u0000": 1e999}}',
    ),
    ("application/x-www-form-urlencoded", b"username=%00%ED%A0%80&password=%00&next=%00//"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="\0"\r\n\r\n\xff',
    ),
]


@pytest.fixture
def stranger(db: None, settings: Any, caplog: pytest.LogCaptureFixture) -> Iterator[Client]:
    caplog.set_level(logging.CRITICAL, logger="django")
    settings.ROOT_URLCONF = "momo.urls"
    settings.TRUSTED_PROXIES = 1
    settings.DEBUG = True  # its error pages read the request once more
    client = Client(raise_request_exception=False)
    client.handler = Server()
    request_started.disconnect(close_old_connections)  # it would close the test's transaction
    yield client
    request_started.connect(close_old_connections)


class Server(ClientHandler):
    """Our WSGI application in the place of the client's own: Django fails at some requests while it makes them."""

    def __call__(self, environ: dict[str, Any]) -> HttpResponse:
        seen: list[Any] = []
        body = b"".join(application(environ, lambda status, headers: seen.append((status, headers))))
        status, headers = seen[0]
        made = HttpResponse(body, status=int(status[:3]), headers=dict(headers))
        made.wsgi_request = None
        return made


def paths() -> Iterator[str]:
    """Every address outside of the admin, with extreme values for its parameters."""
    yield from (
        "/",
        "/admin/",
        "/admin/login/",
        "/static/admin/css/base.css",
        "/static/%00",
        "/%ED%A0%80%00",
        "/favicon.ico",
    )
    yield from (
        "/" + str(one.pattern) for one in get_resolver("accounts.urls").url_patterns if isinstance(one, URLPattern)
    )
    for path in sorted({route.path for route in api_routes()}):
        yield from dict.fromkeys(re.sub(r"{\w+}", value, path) for value in ("%00", "9" * 40, "%ED%A0%80"))


def failed(response: HttpResponse) -> bool:
    return response.status_code >= 500 and response.status_code != 503


def test_paths_and_queries(stranger: Client) -> None:
    assert [path for path in paths() if failed(stranger.get(f"{path}?{QUERY}"))] == []


def test_headers(stranger: Client) -> None:
    found = [
        f"{path}: {headers}"
        for path in (
            "/login",
            "/change_password",
            "/admin/",
            "/static/x.css",
            "/nothing",
            "/api/users",
            "/api/run_task",
        )
        for headers in HEADERS
        if failed(stranger.get(f"{path}?{QUERY}", headers=headers)) or failed(stranger.post(path, headers=headers))
    ]

    assert found == []


def test_bodies(stranger: Client) -> None:
    found = [
        f"{path}: {body[:60]!r}"
        for path in paths()
        for content_type, body in BODIES
        if failed(stranger.post(path, body, content_type=content_type))
    ]

    assert found == []


def test_a_cookie_that_is_no_key_is_nobody(stranger: Client) -> None:
    cookie = {"Cookie": f"sessionid={NUL_COOKIE}"}

    assert stranger.get("/login", headers=cookie).status_code == 200
    assert stranger.get("/api/products", headers=cookie).status_code == 401
    assert stranger.get("/admin/", headers=cookie)["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    ("forwarded", "expected"), [("::1%" + "z" * 200, "::1"), ("fe80::1%eth0", "fe80::1"), ("::1%", "203.0.113.9")]
)
def test_an_address_has_no_zone(stranger: Client, forwarded: str, expected: str) -> None:
    form = {"username": "ghost", "password": "x"}

    stranger.post("/login", form, headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR="203.0.113.9")

    assert LoginAttempt.objects.get().address == expected


def test_a_form_in_another_encoding_is_refused_with_a_reason(stranger: Client) -> None:
    big5 = "application/x-www-form-urlencoded; charset=big5"

    page = stranger.post("/login", b"username=a&password=b", content_type=big5)
    program = stranger.post("/login", b"username=a", content_type=big5, headers={"Accept": "application/json"})

    assert page.status_code == 400
    assert (program.status_code, program.json()["code"]) == (400, "VALIDATION_ERROR")
    assert "UTF-8" in program.json()["error"]

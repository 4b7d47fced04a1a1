"""The rule about other sites that stands in for CSRF tokens, and Django's own check everywhere else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.kit.users import PASSWORD, session_client
from tests.rest.test_failures import check

FORM = {"username": "amy", "password": PASSWORD}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://testserver"},
        {"Origin": "http://TESTSERVER:80"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://partner.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://a.wild.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_passes(user: User, headers: dict[str, str], settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://partner.example", "https://*.wild.example"]
    browser = session_client(user, enforce_csrf_checks=True)
    assert browser.post("/api/t/bare", headers=headers).status_code == 200
    assert Client(enforce_csrf_checks=True).post("/login", FORM, headers=headers).status_code == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://testserver:8080"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://[broken"},
        {"Origin": "http://partner.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    ],
)
def test_refused(user: User, headers: dict[str, str], settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://partner.example"]
    browser = session_client(user)
    for path in ("/api/t/bare", "/api/t/bare/", "/login", "/logout", "/api/nowhere"):
        check(browser.post(path, FORM, headers=headers), 403, "PERMISSION_DENIED")


def test_reading_from_elsewhere_is_no_matter(user: User) -> None:
    browser = session_client(user)
    assert browser.get("/api/t/bare", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_the_admin_keeps_djangos_check(admin: User) -> None:
    browser = session_client(admin, enforce_csrf_checks=True)
    assert browser.post("/admin/", {}).status_code == 403
    assert browser.post("/change_password", {}).status_code == 403


def test_cookie(user: User, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    cookie = Client().post("/login", FORM, secure=True).cookies["sessionid"]
    assert (cookie["samesite"], cookie["httponly"], cookie["secure"]) == ("Lax", True, True)

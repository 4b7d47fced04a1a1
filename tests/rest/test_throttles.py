"""Rate limits, and requests while Redis is down."""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest
import time_machine
from django.test import Client
from django_redis import get_redis_connection

from accounts.models import User
from momo.rest import throttles
from tests.kit.users import person, session_client, token_client
from tests.rest.test_failures import check


@pytest.fixture(autouse=True)
def _rates(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"default": "5/min", "ai": "2/min", "login": "3/min", "send": ""}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    # A database of its own: another worker's cache.clear() empties the shared one, counters and all.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    address = settings.CACHES["default"]["LOCATION"].rpartition("/")[0]
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"{address}/{4 + worker % 12}"}}
    get_redis_connection("default").flushdb()
    monkeypatch.setattr(throttles, "_paused_until", 0.0)


@pytest.mark.parametrize("rate", ["20/s", "20/sec", "20/min", "20/hour", "20/day"])
def test_rates(rate: str) -> None:
    assert throttles.parse_rate(rate)[0] == 20


def test_too_many_requests(user: User) -> None:
    client = token_client(user)
    with time_machine.travel("2026-01-29T06:00:50Z", tick=False) as clock:
        assert [client.get("/api/t/echo").status_code for _ in range(5)] == [200] * 5
        response = client.get("/api/t/echo")
        check(response, 429, "RATE_LIMITED")
        assert response["Retry-After"] == "10"
        assert token_client(user).get("/api/t/echo").status_code == 200, "another token counts for itself"
        assert session_client(user).get("/api/t/echo").status_code == 200, "and so does the browser"
        clock.shift(10)
        assert client.get("/api/t/echo").status_code == 200


def test_scope_of_a_view(user: User) -> None:
    client = token_client(user)
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False):
        assert [client.get("/api/t/slow").status_code for _ in range(3)] == [200, 200, 429]
        assert client.get("/api/t/echo").status_code == 200


def test_logins_count_by_address(user: User) -> None:
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False):
        tries = [Client().post("/login", {"username": f"n{n}", "password": "x"}).status_code for n in range(4)]
    assert tries == [401, 401, 401, 429]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer momo_guess"}, {"Authorization": "Bearer a b"}])
def test_nobody_counts_by_address(user: User, headers: dict[str, str]) -> None:
    """Also who guesses tokens, and not together with those who are inside."""
    inside = token_client(user)
    with time_machine.travel("2026-01-29T06:00:50Z", tick=False):
        assert [Client(headers=headers).get("/api/t/echo").status_code for _ in range(5)] == [401] * 5
        response = Client(headers=headers).get("/api/t/echo")
        check(response, 429, "RATE_LIMITED")
        assert response["Retry-After"] == "10"
        assert inside.get("/api/t/echo").status_code == 200
        assert Client().get("/api/t/echo", REMOTE_ADDR="10.9.8.7").status_code == 401, "another address"


def test_what_is_refused_counts(user: User) -> None:
    client = token_client(user)
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False):
        assert [client.delete("/api/t/echo").status_code for _ in range(6)] == [403] * 5 + [429]


def test_the_password_page_counts_by_person(user: User) -> None:
    """So one person's mistakes do not close it for the office; and together with the API's."""
    body = {"current_password": "x", "new_password": "y"}
    browser = session_client(user)
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False):
        assert [browser.post("/change_password", body).status_code for _ in range(2)] == [400] * 2
        assert browser.post("/api/user/change_password", body, content_type="application/json").status_code == 400
        assert "太頻繁" in browser.post("/change_password", body).content.decode()
        assert "太頻繁" not in session_client(person("bob")).post("/change_password", body).content.decode()


def test_redis_away_lets_pass_and_says_so(user: User, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    default = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"}
    settings.CACHES = {"default": default}
    client = token_client(user)
    with caplog.at_level(logging.WARNING, logger="momo.rest"):
        assert [client.get("/api/t/echo").status_code for _ in range(8)] == [200] * 8
        assert Client().post("/login", {"username": "amy", "password": "x"}).status_code == 401
    said = [record for record in caplog.records if "not counted" in record.getMessage()]
    assert len(said) == 1, "the pause keeps the log, and each request's wait, short"

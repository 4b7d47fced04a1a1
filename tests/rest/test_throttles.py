"""Rate limits, and requests while Redis is down."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from momo.rest import throttles
from tests.kit.users import PASSWORD, person, session_client, token_client
from tests.rest.test_failures import check


@pytest.fixture(autouse=True)
def _rates(settings: Any) -> None:
    rates = {"default": "5/min", "ai": "2/min", "login": "3/min", "send": ""}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


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


def test_wrong_names_do_not_shut_out_an_office(user: User) -> None:
    """Right passwords of accounts that are known at the address pass; guessing goes no further than before."""
    person("bob")

    def log_in(name: str, password: str = PASSWORD, address: str = "198.51.100.1") -> int:
        return Client().post("/login", {"username": name, "password": password}, REMOTE_ADDR=address).status_code

    with time_machine.travel("2026-01-29T06:00:00Z", tick=False) as clock:
        assert [log_in("amy") for _ in range(9)] == [302] * 9, "successes do not count"
        assert [log_in(f"n{number}", "x") for number in range(12)] == [401] * 3 + [429] * 9
        assert log_in("amy") == 302
        assert log_in("bob") == 429, "nobody has seen bob at this address: the right password is not told apart"
        assert log_in("bob", address="198.51.100.2") == 302, "another address"
        clock.shift(60)
        assert log_in("bob") == 302
        assert [log_in(f"n{number}", "x") for number in range(4)] == [401] * 3 + [429]
        assert [log_in("amy", f"guess-{number}") for number in range(5)] == [429] * 5
        assert log_in("amy") == 429, "five failures of a name and address lock the pair, as ever"
        clock.shift(31 * 86400)
        assert [log_in(f"n{number}", "x") for number in range(4)] == [401] * 3 + [429]
        assert log_in("amy") == 429, "not known here any more"


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
        refused = browser.post("/change_password", body)
        assert (refused.status_code, refused["Retry-After"]) == (429, "60")
        assert "太頻繁" in refused.content.decode()
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

"""Each try is in the history, also those that were not looked at; and it is kept as long as the settings say."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from accounts.models import LoginAttempt, User
from accounts.retention import expired
from tests.kit.users import PASSWORD, person


def log_in(name: str, password: str, address: str = "198.51.100.1") -> int:
    form = {"username": name, "password": password}
    return Client().post("/login", form, REMOTE_ADDR=address).status_code


def reasons() -> list[tuple[str, str]]:
    return list(LoginAttempt.objects.order_by("id").values_list("username", "reason"))


@pytest.fixture
def _few(settings: Any) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login": "6/min"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


@pytest.mark.usefixtures("_few")
def test_tries_that_were_too_many_are_written_down(user: User) -> None:
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False):
        assert [log_in(f"ghost{number}", "x") for number in range(8)] == [401] * 6 + [429] * 2
        assert log_in("amy", PASSWORD) == 429
    unknown = [(f"ghost{number}", "unknown_user") for number in range(6)]
    assert reasons() == [*unknown, ("ghost6", "locked"), ("ghost7", "locked"), ("amy", "locked")]
    assert LoginAttempt.objects.filter(user=user).count() == 1


@pytest.mark.usefixtures("_few")
def test_guessing_at_one_name_locks_out_no_other_user_of_the_office(user: User) -> None:
    """What the lock refuses does not count, nor does who gets in."""
    person("max")
    with time_machine.travel("2026-01-29T06:00:00Z", tick=False):
        assert [log_in("amy", "x") for _ in range(40)] == [401] * 5 + [429] * 35
        assert [log_in("max", PASSWORD) for _ in range(10)] == [302] * 10
        assert log_in("amy", PASSWORD) == 429
        assert log_in("amy", PASSWORD, "198.51.100.2") == 302
    assert reasons().count(("amy", "locked")) == 36


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_no_more_than_one_after_the_other(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    person("amy")

    def guess(number: int) -> int:
        try:
            return log_in("amy", f"guess-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answered = Counter(pool.map(guess, range(24)))
    assert answered == {401: 5, 429: 19}
    assert reasons().count(("amy", "locked")) == 19


def test_an_empty_password_is_a_try(user: User) -> None:
    assert [log_in("amy", "") for _ in range(6)] == [401] * 5 + [429]
    assert reasons() == [("amy", "wrong_password")] * 5 + [("amy", "locked")]


@pytest.mark.parametrize("days", [30, 400])
def test_kept_as_long_as_the_settings_say(user: User, days: int, settings: Any) -> None:
    settings.LOGIN_HISTORY_DAYS = days
    log_in("amy", PASSWORD)
    end = LoginAttempt.objects.get().time + dt.timedelta(days=days)
    assert not expired(now=end)["登入紀錄"].count()
    assert expired(now=end + dt.timedelta(seconds=1))["登入紀錄"].count()

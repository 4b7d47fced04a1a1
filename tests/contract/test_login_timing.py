"""Guessed passwords: the lockout is of one name from one address only, and time does not show which names exist."""

from __future__ import annotations

import gc
import time
from collections import Counter
from typing import Any

import pytest
from django.test import Client

from accounts.models import LoginAttempt, User
from accounts.services import update_user
from tests.kit.users import PASSWORD, person

pytestmark = pytest.mark.django_db

HERE, THERE = "198.51.100.1", "198.51.100.2"
SAMPLES = 9


@pytest.fixture
def program() -> Client:
    """A program; one for all attempts, since each new one reads the middleware anew."""
    return Client(headers={"Accept": "application/json"})


def log_in(program: Client, name: str, password: str, address: str) -> int:
    program.cookies.clear()
    return program.post("/login", {"username": name, "password": password}, REMOTE_ADDR=address).status_code


@pytest.mark.parametrize("attempts", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_many_wrong_logins(attempts: int, program: Client, settings: Any) -> None:
    """With the limits of the settings."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person("amy")
    person("max")
    answered = Counter(log_in(program, "amy", f"guess-{number}", HERE) for number in range(attempts))
    assert answered == {401: 5, 429: attempts - 5}
    assert LoginAttempt.objects.count() == attempts, "each is in the history"
    assert log_in(program, "amy", PASSWORD, HERE) == 429, "not even the right one"
    assert log_in(program, "amy", PASSWORD, THERE) == 302, "the same name from elsewhere"
    assert log_in(program, "amy", "wrong", THERE) == 401
    assert log_in(program, "max", PASSWORD, HERE) == 302, "another name from the same address"
    assert log_in(program, "ghost", "wrong", HERE) == 401
    assert log_in(program, "amy", PASSWORD, HERE) == 429, "and their success opens nothing"


def test_time_does_not_show_which_names_exist(program: Client) -> None:
    """With the real hasher, in processor time of this thread, which a busy machine does not stretch.

    Each attempt is of an address of its own, so that no lockout cuts it short; kinds take turns, so that whatever
    grows or slows down does so for all of them.
    """
    person("amy")
    person("max")
    update_user(user=person("gone"), actor=None, is_active=False)
    User.objects.create_user("robot")
    kinds = {"real": "amy", "unknown": "ghost", "inactive": "gone", "without password": "robot"}
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    gc.collect()
    gc.disable()
    try:
        for number in range(SAMPLES):
            for place, (kind, name) in enumerate(kinds.items()):
                address = f"203.0.113.{number * len(kinds) + place}"
                begun = time.thread_time()
                assert log_in(program, name, "wrong-guess-2026", address) == 401
                spent[kind].append(time.thread_time() - begun)
    finally:
        gc.enable()
    # The shortest: whatever shares the processor's caches only adds to some.
    least = {kind: min(times) for kind, times in spent.items()}
    for kind, seconds in least.items():
        assert 0.8 < seconds / least["unknown"] < 1.2, (kind, least)

"""A repeated POST with the same key takes effect once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import IdempotencyRecord, LoginAttempt, Role, User
from tests.kit.users import person, token_client
from tests.rest.test_failures import check

JSON = "application/json"


def start(client: Client, key: str, body: dict[str, Any] | None = None) -> Any:
    return client.post("/api/t/start", body or {}, content_type=JSON, headers={"Idempotency-Key": key})


@pytest.fixture
def client(manager: User) -> Client:
    return token_client(manager)


def test_first_answer_again(client: Client) -> None:
    first, second = start(client, "k1"), start(client, "k1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first.json()["message"] == "已開始"
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert LoginAttempt.objects.count() == 1


def test_other_key_other_user_or_none_runs_again(client: Client) -> None:
    start(client, "k1")
    start(client, "k2")
    start(token_client(person("mia", Role.MANAGER)), "k1")
    client.post("/api/t/start", {}, content_type=JSON)
    client.post("/api/t/start", {}, content_type=JSON)
    assert LoginAttempt.objects.count() == 5


def test_other_body_is_a_conflict(client: Client) -> None:
    start(client, "k1")
    check(start(client, "k1", {"categories": [1]}), 409, "CONFLICT")
    assert LoginAttempt.objects.count() == 1


@pytest.mark.parametrize(("body", "status"), [({"fail": True}, 409), ({"answer_400": True}, 400)])
def test_failures_leave_nothing(client: Client, body: dict[str, Any], status: int) -> None:
    assert start(client, "k1", body).status_code == status
    assert (LoginAttempt.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)
    assert start(client, "k1").status_code == 202


def test_key_is_forgotten_after_a_day(client: Client) -> None:
    start(client, "k1")
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)):
        assert "Idempotent-Replayed" not in start(client, "k1", {"categories": [1]})
    assert LoginAttempt.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "鍵"])
def test_malformed_key(client: Client, key: str) -> None:
    assert "Idempotency-Key" in check(start(client, key), 400, "VALIDATION_ERROR")["fields"]


def test_role_comes_first(user: User) -> None:
    check(start(token_client(user), "k1"), 403, "PERMISSION_DENIED")


def test_files_are_part_of_the_body(client: Client) -> None:
    def upload(content: bytes) -> Any:
        file = SimpleUploadedFile("a.xlsx", content)
        return client.post("/api/t/upload", {"file": file, "kind": "sales"}, headers={"Idempotency-Key": "k1"})

    assert upload(b"abc").json()["data"] == {"size": 3}
    assert upload(b"abc")["Idempotent-Replayed"] == "true"
    check(upload(b"abd"), 409, "CONFLICT")


@pytest.mark.django_db(transaction=True)
def test_at_once() -> None:
    """Eight threads, one key: one effect, one answer."""
    client = token_client(person("max", Role.MANAGER))

    def ask(_: int) -> Any:
        try:
            return start(client, "k1", {"sleep": 0.3})
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(ask, range(8)))
    assert {response.status_code for response in responses} == {202}
    assert len({response.content for response in responses}) == 1
    assert sum("Idempotent-Replayed" not in response for response in responses) == 1
    assert LoginAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_waiting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request does not wait for ever; its answer asks the client to retry."""
    monkeypatch.setattr("accounts.idempotency.WAIT_SECONDS", 1)
    client = token_client(person("max", Role.MANAGER))

    def ask(body: dict[str, Any]) -> Any:
        try:
            return start(client, "k1", {"sleep": 3})
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(response.status_code for response in pool.map(ask, [{}, {}]))
    assert statuses == [202, 409]
    assert LoginAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_connection_ends_after_the_commit() -> None:
    """The client hears of a failure, and repeats: what was committed is not done again."""
    client = token_client(person("max", Role.MANAGER))
    check(start(client, "k1", {"lost": True}), 503, "UNAVAILABLE")
    connection.close()
    again = start(client, "k1", {"lost": True})
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert LoginAttempt.objects.count() == 1

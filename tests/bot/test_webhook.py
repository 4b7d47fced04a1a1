"""The webhook: each update once, at once, and never 5xx."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from bot.models import Update
from notifications.models import OutboxMessage
from tests.bot.conftest import PATH, SECRET, Talk
from tests.fakes.telegram.updates import message, numbered
from tests.rest.test_failures import check


@pytest.mark.parametrize("secret", [None, "", "wrong-secret-of-it", SECRET[:-1], SECRET + "x", "密鑰"])
def test_only_telegram_may_send(talk: Talk, secret: str | None) -> None:
    check(
        talk.post(message(1, "/start"), secret.encode().decode("latin-1") if secret else secret), 401, "AUTH_REQUIRED"
    )
    assert not Update.objects.exists()


def test_rate_limits_count_only_what_is_not_telegrams(talk: Talk, settings: Any) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"default": "1/h"}}
    sender = {"REMOTE_ADDR": "203.0.113.77"}
    assert [talk.post(message(1, "/start"), **sender).status_code for _ in range(3)] == [200] * 3
    assert [talk.post(message(1, "/start"), "wrong", **sender).status_code for _ in range(2)] == [401, 429]


def test_a_missing_secret_is_named(talk: Talk, settings: Any) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = ""
    assert "TELEGRAM_WEBHOOK_SECRET" in check(talk.post(message(1, "/start"), ""), 503, "UNAVAILABLE")["error"]


def test_one_statement_and_one_row(talk: Talk) -> None:
    update = message(1, "/start")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert [talk.post(update).status_code for _ in range(3)] == [200, 200, 200]
    assert [query["sql"].split()[0] for query in queries] == ["INSERT"] * 3
    row = Update.objects.get()
    assert (row.update_id, row.kind, row.status, row.body) == (update["update_id"], "message", "pending", update)


def test_a_number_that_comes_again_after_days_is_another_update(talk: Talk, people: dict[str, User]) -> None:
    first = message(101, "/start")
    assert len(talk.say(first)) == 1
    # As if all of that had happened two days ago; the answer's key holds the second in which it was asked for.
    Update.objects.update(received_at=timezone.now() - dt.timedelta(days=2, seconds=1))
    OutboxMessage.objects.update(key="of two days ago")
    again = {**message(101, "/help"), "update_id": first["update_id"]}
    assert len(talk.say(again)) == 1
    assert talk.say(again) == []
    assert Update.objects.get().body == again


def test_a_connection_that_is_gone_is_made_anew(transactional_db: None, settings: Any, no_broker: None) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = SECRET
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    answer = Client(headers=headers).post(PATH, message(1, "/start"), content_type="application/json")
    assert (answer.status_code, Update.objects.count()) == (200, 1)


@pytest.mark.parametrize(
    "update",
    [
        numbered(edited_message=message(1, "/start")["message"]),
        numbered(channel_post=message(1, "/start")["message"]),
        numbered(poll={"id": "1"}),
        numbered(message="text"),
        numbered(),
    ],
    ids=lambda update: ",".join(update),
)
def test_other_kinds_are_ignored(talk: Talk, update: dict[str, Any]) -> None:
    assert talk.post(update).status_code == 200
    assert not Update.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "VALIDATION_ERROR"),
        (b"{", 400, "VALIDATION_ERROR"),
        (b"[" * 5000, 400, "VALIDATION_ERROR"),
        (b"null", 400, "VALIDATION_ERROR"),
        (b"[1]", 400, "VALIDATION_ERROR"),
        (b'{"message": {}}', 400, "VALIDATION_ERROR"),
        (b'{"update_id": "7", "message": {}}', 400, "VALIDATION_ERROR"),
        (b'{"update_id": true, "message": {}}', 400, "VALIDATION_ERROR"),
        (b'{"update_id": -1, "message": {}}', 400, "VALIDATION_ERROR"),
        (b'{"update_id": 9223372036854775808, "message": {}}', 400, "VALIDATION_ERROR"),
        (b'{"update_id": 7, "message": {"text": "\\u0000"}}', 400, "VALIDATION_ERROR"),
        (b'{"update_id": 7, "message": {"text": "\\ud800"}}', 400, "VALIDATION_ERROR"),
        ('{"update_id": 7, "message": {"text": "業績"}}'.encode("big5"), 400, "VALIDATION_ERROR"),
        (json.dumps({"update_id": 7, "message": {"text": "x" * 300_000}}).encode(), 413, "PAYLOAD_TOO_LARGE"),
        (b"x" * 3_000_000, 413, "PAYLOAD_TOO_LARGE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_bodies(talk: Talk, body: bytes, status: int, code: str) -> None:
    check(talk.post(body), status, code)
    assert not Update.objects.exists()


@pytest.mark.parametrize("member", [{}, {"chat": 7}, {"message_id": 1, "date": 10**30, "chat": {"id": 1, "type": "x"}}])
def test_updates_that_cannot_be_read_are_over_at_once(talk: Talk, member: dict[str, Any]) -> None:
    assert talk.say(numbered(message=member)) == []
    assert Update.objects.get().status == "done"


def test_without_a_broker_the_sweep_starts_it(db: None, settings: Any, no_broker: None) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = SECRET
    client = Client(headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})
    assert client.post(PATH, message(1, "/start"), content_type="application/json").status_code == 200
    assert Update.objects.get().status == "pending"

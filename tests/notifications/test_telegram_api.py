"""POST /api/notification/telegram: into the outbox, once for each request."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from notifications.models import Chat, OutboxMessage
from tests.kit.users import person, token_client
from tests.rest.test_failures import check

pytestmark = pytest.mark.django_db
PATH = "/api/notification/telegram"


@pytest.fixture(autouse=True)
def _telegram(settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = "1:secret"
    settings.TELEGRAM_CHAT_ID = "-100"


@pytest.fixture
def api() -> Client:
    return token_client(person("max", Role.MANAGER))


def post(client: Client, body: Any, **headers: Any) -> Any:
    return client.post(PATH, body, content_type="application/json", headers=headers)


def test_a_message(api: Client) -> None:
    response = post(api, {"message": "價格 < 100 & 特價"})
    assert response.status_code == 202, response.content
    message = OutboxMessage.objects.get()
    assert response.json() == {
        "success": True,
        "data": {"queued": 1, "message_ids": [message.pk], "chat_id": "-100"},
        "message": "訊息已排入待寄",
    }
    assert (message.body, message.recipient, message.status) == ("價格 &lt; 100 &amp; 特價", "-100", "pending")
    assert message.created_by is not None
    assert message.created_by.username == "max"


def test_html_is_cleaned(api: Client) -> None:
    text = '<b>漲價</b> <a href="https://x.tw">看</a><script>alert(1)</script><i onclick="x">斜</i>'
    post(api, {"message": text, "format": "telegram_html", "chat_id": "42"})
    body = OutboxMessage.objects.get().body
    assert '<b>漲價</b> <a href="https://x.tw">看</a>' in body
    assert "<i>斜</i>" in body
    assert "script" not in body


def test_a_long_text_is_several_messages(api: Client) -> None:
    text = "\n".join(f"第 {number} 行 " + "字" * 90 for number in range(100))
    queued = post(api, {"message": text, "chat_id": "42"}).json()["data"]
    parts = list(OutboxMessage.objects.order_by("pk"))
    assert queued["message_ids"] == [part.pk for part in parts]
    assert queued["queued"] == len(parts) >= 3
    assert "\n".join(part.body for part in parts) == text
    assert [part.status for part in parts] == ["pending", *["waiting"] * (len(parts) - 1)]


def test_a_request_that_is_sent_again_sends_once(api: Client) -> None:
    answers = [post(api, {"message": "一次"}, idempotency_key="n8n-7").json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert OutboxMessage.objects.count() == 1
    post(api, {"message": "一次"})
    assert OutboxMessage.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": " \n"}, "message"),
        ({"message": "x" * 20_001}, "message"),
        ({"message": "<script>x</script>", "format": "telegram_html"}, "message"),
        ({"message": "<b>&#8203;</b>", "format": "telegram_html"}, "message"),
        ({"message": "\u200b\u2060"}, "message"),
        ({"message": "x", "chat_id": "here"}, "chat_id"),
        ({"message": "x", "format": "markdown"}, "format"),
    ],
)
def test_what_is_refused(body: dict[str, Any], field: str, api: Client) -> None:
    assert field in check(post(api, body), 400, "VALIDATION_ERROR")["fields"]
    assert not OutboxMessage.objects.exists()


def test_a_chat_that_was_switched_off(api: Client) -> None:
    Chat.objects.create(chat_id="42", is_active=False, note="機器人被封鎖")
    assert "機器人被封鎖" in check(post(api, {"message": "x", "chat_id": "42"}), 409, "CONFLICT")["error"]


@pytest.mark.parametrize("missing", ["TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"])
def test_what_is_not_set_is_named(missing: str, api: Client, settings: Any) -> None:
    setattr(settings, missing, "")
    assert missing in check(post(api, {"message": "x"}), 503, "UNAVAILABLE")["error"]


def test_readers_may_not() -> None:
    check(post(token_client(person("reader", Role.USER)), {"message": "x"}), 403, "PERMISSION_DENIED")

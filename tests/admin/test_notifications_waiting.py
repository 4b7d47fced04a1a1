"""The page of a waiting message shows until when it waits, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from momo.admin.kit.display import NO_VALUE
from notifications.models import Channel, Chat, OutboxMessage, Pace
from tests.admin import makers_notifications as makers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ways(settings: Any) -> None:
    settings.EMAIL_URL, settings.TELEGRAM_BOT_TOKEN = "smtp+tls://mail.example:587", "1:secret"


def next_attempt(client: Client, message: OutboxMessage) -> str:
    page = client.get(reverse("admin:notifications_outboxmessage_change", args=[message.pk]))
    return str(dict(page.context["facts"])["下次嘗試"])


def at(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def test_a_message_that_waits_says_until_when_and_why(as_reader: Client) -> None:
    now = timezone.now()
    soon, later = now + timedelta(minutes=5), now + timedelta(hours=8)
    due = makers.mail(next_attempt_at=now, due_at=now)
    quiet = makers.mail(next_attempt_at=later, due_at=later, attempts=0)
    again = makers.mail(next_attempt_at=soon, due_at=now, reason="450 稍後再試")

    assert next_attempt(as_reader, due) == "輪到時立即寄送"
    assert next_attempt(as_reader, quiet) == f"{at(later)}（勿擾時段）"
    assert next_attempt(as_reader, again) == f"{at(soon)}（前一次沒有成功）"
    assert next_attempt(as_reader, makers.mail("sent")) == NO_VALUE


def test_a_message_of_a_channel_at_rest_says_so(as_reader: Client) -> None:
    now = timezone.now()
    until, later = now + timedelta(minutes=20), now + timedelta(hours=8)
    Pace.objects.create(channel=Channel.EMAIL, paused_until=until, troubles=3, reason="535 登入被拒")
    due = makers.mail(next_attempt_at=now, due_at=now)
    quiet = makers.mail(next_attempt_at=later, due_at=later)

    assert next_attempt(as_reader, due) == f"{at(until)}（電子郵件暫停：535 登入被拒）"
    assert next_attempt(as_reader, quiet) == f"{at(later)}（勿擾時段）"


def test_a_message_to_a_chat_that_has_to_wait_says_so(as_reader: Client, settings: Any) -> None:
    (message,) = makers.parts(1, "pending")
    until = timezone.now() + timedelta(minutes=3)
    Chat.objects.update(next_at=until)

    assert next_attempt(as_reader, message).startswith(f"{at(until)}（這個聊天室")
    settings.TELEGRAM_BOT_TOKEN = ""
    assert "沒有設定 TELEGRAM_BOT_TOKEN" in next_attempt(as_reader, message)

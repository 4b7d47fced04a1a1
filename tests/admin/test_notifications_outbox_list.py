"""What the outbox's list says beside its rows: why something waits, that nothing does, and how much is chosen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.models import Channel, OutboxMessage, Pace
from tests.admin import makers_notifications as makers

pytestmark = pytest.mark.django_db
LIST = "admin:notifications_outboxmessage_changelist"
LATER = datetime(2099, 11, 25, 23, 59, tzinfo=timezone.get_default_timezone())


def listing(client: Client, query: str = "") -> Any:
    return client.get(f"{reverse(LIST)}{query}")


def reason_of(message: OutboxMessage, page: Any) -> str:
    changelist = page.context["cl"]
    row = next(row for row in changelist.result_list if row.pk == message.pk)
    return str(changelist.model_admin.why(row))


def test_all_pages_are_chosen_without_a_number(as_manager: Client) -> None:
    makers.mails(80)

    first, second = (listing(as_manager, query).content.decode() for query in ("", "?p=2"))

    for text in (first, second):
        assert "選取所有頁" in text
        assert "已選取所有頁" in text
        assert "9999999999" not in text


def test_the_only_page_has_nothing_more_to_choose(as_manager: Client) -> None:
    makers.mails(3)

    text = listing(as_manager).content.decode()

    assert "action-counter" in text
    assert "選取所有頁" not in text
    assert "9999999999" not in text


def test_a_list_that_is_counted_says_its_number(as_manager: Client) -> None:
    makers.templates(3)
    makers.chats(60)

    text = as_manager.get(reverse("admin:notifications_chat_changelist")).content.decode()

    assert "選取全部 60" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "沒有未完成或待處理的訊息"),
        ("?state=", "沒有未完成或待處理的訊息"),
        ("?q=team", "沒有符合條件的未完成或待處理的訊息"),
        ("?channel__exact=email", "沒有符合條件的未完成或待處理的訊息"),
    ],
)
def test_where_nothing_is_open_all_are_a_click_away(query: str, said: str, as_reader: Client) -> None:
    sent = makers.mail("sent")

    page = listing(as_reader, query)

    text = page.content.decode()
    url = page.context["cl"].all_url
    assert said in text
    assert "看全部訊息" in text
    assert "清除篩選" not in text
    assert parse_qs(urlsplit(url).query)["state"] == ["all"]
    assert [row.pk for row in listing(as_reader, url).context["cl"].result_list] == [sent.pk]


def test_where_a_state_was_asked_for_there_is_no_such_word(as_reader: Client) -> None:
    text = listing(as_reader, "?state=held").content.decode()

    assert "未完成或待處理的訊息" not in text
    assert "看全部訊息" not in text


def test_a_message_of_quiet_hours_says_when_it_goes(as_reader: Client) -> None:
    message = makers.mail(due_at=LATER, next_attempt_at=LATER)

    said = reason_of(message, listing(as_reader))

    assert "預定" in said
    assert "2099-11-25 23:59:00" in said
    assert "（勿擾時段）" in said


def test_a_message_that_is_tried_again_says_why_and_when(as_reader: Client) -> None:
    message = makers.mail(next_attempt_at=LATER, reason="450 稍後再試")

    said = reason_of(message, listing(as_reader))

    assert "450 稍後再試" in said
    assert "預定" in said
    assert "勿擾" not in said


def test_a_message_of_a_channel_at_rest_says_so(as_reader: Client) -> None:
    Pace.objects.create(channel=Channel.EMAIL, paused_until=LATER, troubles=3, reason="535")
    waiting, sent, (chat,) = makers.mail(), makers.mail("sent"), makers.parts(1, "pending")
    page = listing(as_reader, "?state=all")

    assert "電子郵件暫停到" in reason_of(waiting, page)
    assert [reason_of(one, page) for one in (sent, chat)] == ["－", "－"]


def test_what_can_go_now_has_no_reason(as_reader: Client) -> None:
    Pace.objects.create(channel=Channel.EMAIL, paused_until=timezone.now() - timedelta(minutes=1), troubles=3)
    message = makers.mail()

    assert reason_of(message, listing(as_reader)) == "－"


def test_a_page_does_not_lead_to_a_history_that_denies_decisions(as_manager: Client) -> None:
    message = makers.mail()

    text = as_manager.get(reverse("admin:notifications_outboxmessage_change", args=[message.pk])).content.decode()

    assert reverse("admin:notifications_outboxmessage_history", args=[message.pk]) not in text

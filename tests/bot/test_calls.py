"""Calls of the Bot API that are no messages: webhook, polling, menus; the commands of `manage.py`."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Role, User
from bot.models import Menu, Update
from bot.services.menus import sync_menus
from bot.services.webhook import poll
from tests.bot.conftest import NUMBERS, SECRET, Talk
from tests.fakes.telegram import TelegramStandIn
from tests.fakes.telegram.updates import message


def told(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_webhook_is_set_shown_and_deleted(telegram: TelegramStandIn, settings: Any) -> None:
    settings.PUBLIC_URL = "https://momo.test"
    assert "沒有設定" in told("telegram_webhook", "info")
    url = "https://momo.test/api/bot/telegram/webhook"
    assert url in told("telegram_webhook", "set")
    kinds = ["message", "callback_query", "my_chat_member"]
    assert telegram.bot.webhook == {"url": url, "secret": SECRET, "allowed": kinds}
    assert url in told("telegram_webhook", "info")
    with pytest.raises(CommandError, match="webhook delete"):
        told("telegram_poll")
    told("telegram_webhook", "delete")
    assert telegram.bot.webhook["url"] == ""


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PUBLIC_URL", "http://momo.test", "https"),
        ("TELEGRAM_WEBHOOK_SECRET", "", "TELEGRAM_WEBHOOK_SECRET"),
        ("TELEGRAM_BOT_TOKEN", "", "TELEGRAM_BOT_TOKEN"),
        ("TELEGRAM_BOT_TOKEN", "1:wrong", "沒有正常回應"),
    ],
)
def test_what_keeps_the_webhook_from_being_set(
    telegram: TelegramStandIn, settings: Any, name: str, value: str, words: str
) -> None:
    settings.PUBLIC_URL = "https://momo.test"
    setattr(settings, name, value)
    with pytest.raises(CommandError, match=words):
        told("telegram_webhook", "set")


def test_polled_updates_go_the_same_way(talk: Talk, people: dict[str, User]) -> None:
    late, early = message(101, "/help"), message(101, "/start")
    for update in (early, late, early):
        talk.telegram.bot.deliver(update)
    talk.telegram.bot.waiting.reverse()
    found = []
    for update_id in poll(stop=lambda: len(found) >= 2 and not talk.telegram.bot.waiting):
        found.append(update_id)
    assert found == sorted([early["update_id"], late["update_id"]])
    assert Update.objects.get(update_id=late["update_id"]).body["message"]["text"] == "/help"
    assert len(talk.work()) == 2


def test_menus_follow_roles(talk: Talk, people: dict[str, User]) -> None:
    assert sync_menus() == 4
    menus = talk.telegram.bot.menus
    assert menus["default"] == ["start"]
    assert {"help", "sales", "unlink"} <= set(menus[str(NUMBERS[Role.USER])])
    assert sync_menus() == 0
    people[Role.ADMIN].delete()
    User.objects.filter(pk=people[Role.USER].pk).update(is_active=False)
    Menu.objects.filter(telegram_id=NUMBERS[Role.MANAGER]).update(digest="of another role")
    assert sync_menus() == 3
    assert set(talk.telegram.bot.menus) == {"default", str(NUMBERS[Role.MANAGER])}


def test_menus_wait_for_telegram(talk: Talk, people: dict[str, User], settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = "1:wrong"
    assert sync_menus() == 0
    assert not Menu.objects.exists()

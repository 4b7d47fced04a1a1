"""Admin pages of linked accounts and of groups that wait for approval."""

from __future__ import annotations

import re
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.urls import reverse

from accounts.models import Role, User
from bot.models import LinkCode, TelegramAccount
from momo.admin.kit.nav import entry_of
from notifications.models import Chat
from tests.bot.conftest import GROUP, Talk, linked
from tests.fakes.telegram.updates import membership, message
from tests.kit.users import session_client

LIST = "admin:bot_telegramaccount_changelist"
YES = {"_form_submitted": "True"}


@pytest.mark.parametrize("role", Role.values)
def test_each_role_links_the_own_account(talk: Talk, people: dict[str, User], role: str) -> None:
    browser = session_client(people[role])
    url = reverse("admin:bot_telegramaccount_link")
    before = LinkCode.objects.count()
    assert "產生連結碼" in browser.get(url).content.decode()
    assert LinkCode.objects.count() == before
    answer = browser.post(url)
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    (code,) = re.findall(r"/start (\S+)</code>", page)
    assert f"https://t.me/momo_test_bot?start={code}" in page
    assert "<svg" in page
    assert str(people[role]) in talk.one(message(777, f"/start {code}")).text
    assert TelegramAccount.objects.get(telegram_id=777).user == people[role]
    listed = {account.user for account in browser.get(reverse(LIST)).context["cl"].queryset}
    assert listed == (set(people.values()) if role == Role.ADMIN else {people[role]})


def test_without_telegram_there_is_a_code_and_no_link(talk: Talk, user: User, settings: Any) -> None:
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"
    page = session_client(user).post(reverse("admin:bot_telegramaccount_link")).content.decode()
    assert "/start " in page
    assert "https://t.me" not in page
    settings.TELEGRAM_BOT_TOKEN = ""
    page = session_client(user).post(reverse("admin:bot_telegramaccount_link")).content.decode()
    assert "TELEGRAM_BOT_TOKEN" in page


def test_who_may_end_a_link(talk: Talk, manager: User, admin: User) -> None:
    owner = linked(11, "amy")
    account = TelegramAccount.objects.get()
    url = reverse("admin:bot_telegramaccount_end", args=[account.pk])
    session_client(manager).post(url, YES)
    assert TelegramAccount.objects.exists()
    session_client(owner).post(url, YES)
    assert not TelegramAccount.objects.exists()
    linked(11, "bob")
    url = reverse("admin:bot_telegramaccount_end", args=[TelegramAccount.objects.get().pk])
    session_client(admin).post(url, YES)
    assert not TelegramAccount.objects.exists()


def test_a_group_is_approved(talk: Talk, people: dict[str, User]) -> None:
    talk.say(membership(102, GROUP, "member"))
    chat = Chat.objects.get(chat_id=str(GROUP))
    entry = entry_of("notifications.chat")
    assert entry is not None
    assert entry.badge is not None
    assert entry.badge().count() == 1
    url = reverse("admin:notifications_chat_approve", args=[chat.pk])
    session_client(people[Role.USER]).post(url, YES)
    chat.refresh_from_db()
    assert chat.standing == "waiting"
    browser = session_client(people[Role.MANAGER])
    assert "等待核准" in browser.get(reverse("admin:notifications_chat_changelist")).content.decode()
    browser.post(url, YES)
    chat.refresh_from_db()
    assert (chat.standing, chat.is_active, chat.note) == ("known", True, "")
    assert LogEntry.objects.get_for_object(chat).filter(actor=people[Role.MANAGER]).exists()
    assert entry.badge().count() == 0
    assert talk.one(message(101, "/help", to=GROUP)).chat == str(GROUP)

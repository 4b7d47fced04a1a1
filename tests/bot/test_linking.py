"""Linking: a code works once, for 15 minutes; who is not linked gets one polite line."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.utils import timezone

from accounts.models import Role, User
from accounts.services import update_user
from bot.linking import create_code, unlink_gone
from bot.models import LinkCode, TelegramAccount
from momo.core.retention import all_expired
from notifications.models import Chat, OutboxMessage, Subscription
from tests.bot.conftest import GROUP, Talk, linked
from tests.fakes.telegram.updates import message
from tests.kit.users import person


def test_a_code_links_once(talk: Talk, user: User) -> None:
    code = create_code(user=user).text
    assert not LinkCode.objects.filter(digest__contains=code).exists()
    assert str(user) in talk.one(message(11, f"/start {code}")).text
    account = TelegramAccount.objects.get()
    assert (account.user, account.telegram_id, account.name) == (user, 11, "小明")
    entry = LogEntry.objects.get_for_object(account).get()
    assert (entry.actor, entry.action) == (user, LogEntry.Action.CREATE)
    assert "無效" in talk.one(message(12, f"/start {code}")).text
    assert TelegramAccount.objects.count() == 1


@pytest.mark.parametrize("how", ["expired", "replaced", "inactive", "must change", "unknown"])
def test_codes_that_do_not_link(talk: Talk, user: User, how: str) -> None:
    code = create_code(user=user).text
    match how:
        case "expired":
            LinkCode.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
        case "replaced":
            create_code(user=user)
        case "inactive":
            User.objects.update(is_active=False)
        case "must change":
            User.objects.update(must_change_password=True)
        case "unknown":
            code = "x" * 22
    assert "⚠️" in talk.one(message(11, f"/start {code}")).text
    assert not TelegramAccount.objects.exists()


def test_a_new_account_replaces_the_old_one(talk: Talk) -> None:
    user = linked(11, "amy")
    talk.one(message(12, f"/start {create_code(user=user).text}"))
    assert TelegramAccount.objects.get().telegram_id == 12
    assert Chat.objects.get(chat_id="11").standing == Chat.Standing.GUEST


def test_an_account_of_somebody_else_is_not_taken(talk: Talk, user: User) -> None:
    other = linked(11, "bob")
    answer = talk.one(message(11, f"/start {create_code(user=user).text}"))
    assert str(other) in answer.text
    assert TelegramAccount.objects.get().user == other


def test_strangers_get_one_line_an_hour(talk: Talk) -> None:
    assert "連結碼" in talk.one(message(99, "/sales")).text
    assert talk.say(message(99, "/sales")) == []
    assert talk.say(message(99, "你好", to=GROUP)) == []
    assert talk.say(message(99, "/sales", to=GROUP)) == []
    assert Chat.objects.get(chat_id="99").standing == Chat.Standing.GUEST
    wrong = [len(talk.say(message(99, f"/start wrong-{number}"))) for number in range(8)]
    assert sum(wrong) == 4, "five lines an hour"


def test_a_user_switched_off_loses_the_bot_at_once(talk: Talk, admin: User) -> None:
    user = linked(11, "amy", Role.MANAGER)
    talk.say(message(11, "/subscribe price_digest on"))
    assert Subscription.objects.get().enabled
    update_user(user=user, actor=admin, is_active=False)
    assert "連結碼" in talk.one(message(11, "/sales")).text
    assert talk.say(message(11, "/sales", to=GROUP)) == []
    assert unlink_gone() == 1
    assert not Subscription.objects.get().enabled
    assert not TelegramAccount.objects.exists()


def test_a_user_who_must_change_the_password_is_told_so(talk: Talk, settings: Any) -> None:
    linked(11, "amy")
    User.objects.update(must_change_password=True)
    assert settings.PUBLIC_URL in talk.one(message(11, "/sales")).text


def test_a_deleted_user_leaves_nothing(talk: Talk) -> None:
    linked(11, "amy").delete()
    assert "連結碼" in talk.one(message(11, "/help")).text
    assert unlink_gone() == 1


def test_a_code_after_the_user_was_switched_off_links_somebody_else(talk: Talk) -> None:
    linked(11, "amy")
    User.objects.update(is_active=False)
    new = person("new")
    talk.one(message(11, f"/start {create_code(user=new).text}"))
    assert TelegramAccount.objects.get().user == new


def test_what_is_over_is_forgotten(talk: Talk, settings: Any) -> None:
    user = linked(11, "amy")
    create_code(user=user)
    talk.one(message(11, "/unlink"))
    talk.one(message(99, "/help"))
    later = timezone.now() + dt.timedelta(days=max(settings.BOT_KEEP_DAYS, settings.OUTBOX_KEEP_DAYS), minutes=1)
    OutboxMessage.objects.all().delete()
    assert not any(rows.count() for rows in all_expired(now=timezone.now()).values())
    names = ("Telegram 更新", "按鈕", "連結碼", "未連結帳號的聊天室")
    assert [all_expired(now=later)[name].count() for name in names] == [2, 1, 2, 1]
    for rows in all_expired(now=later).values():
        rows.delete()

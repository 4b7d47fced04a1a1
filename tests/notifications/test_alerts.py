"""Each trouble of messages raises one alert, and never only by the channel in trouble."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from notifications.channels.base import Outcome, Verdict
from notifications.events import event_kind
from notifications.models import Channel, Chat, OutboxMessage, Pace, Subscription
from notifications.services.alerts import enqueue_alerts
from notifications.services.chats import set_chat_active, switch_off_chat
from notifications.services.recording import pause, resume
from notifications.services.sending import drain
from notifications.services.templates import render_template, template_by_code
from notifications.tasks import sweep_messages
from notifications.templating.variables import declared
from tests.fakes.telegram.html import visible
from tests.kit.users import person
from tests.notifications.outbox_world import Recorder, mail

pytestmark = pytest.mark.django_db
REFUSED = "mail.example.com：535 5.7.8 Authentication credentials invalid"
AWAY = "無法連線到郵件伺服器 mail.example.com：Connection refused"


def ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def by_mail(address: str = "ops@example.com") -> Subscription:
    return Subscription.objects.create(name=address, event="system_alert", channel=Channel.EMAIL, address=address)


def by_chat(chat_id: str = "1001") -> Subscription:
    chat = Chat.objects.get_or_create(chat_id=chat_id)[0]
    return Subscription.objects.create(name=chat_id, event="system_alert", channel=Channel.TELEGRAM, chat=chat)


def waiting_mail(minutes: float, key: str = "k") -> OutboxMessage:
    """A mail that should have left so long ago."""
    message = mail(key, event="price_digest")
    OutboxMessage.objects.filter(pk=message.pk).update(due_at=ago(minutes), created_at=ago(minutes))
    return message


def alerts() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(event="system_alert").order_by("pk"))


def recipients() -> list[str]:
    return [one.recipient for one in alerts()]


def test_all_is_well() -> None:
    by_mail()
    waiting_mail(60)  # it waits, and no attempt has found the server away
    Chat.objects.create(chat_id="1", is_active=False, note="由人停用")
    assert enqueue_alerts() == 0


def test_a_channel_that_is_away_for_long_is_told_once() -> None:
    by_mail()
    by_chat()
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)

    assert enqueue_alerts() == 2
    assert enqueue_alerts() == 0

    in_trouble, text = alerts()
    assert (in_trouble.channel, text.channel) == ("email", "telegram")
    assert "電子郵件暫時無法寄送" in visible(text.body)
    assert "Connection refused" in visible(text.body)
    assert "/admin/notifications/outboxmessage/" in visible(text.body)


def test_a_short_pause_is_no_trouble() -> None:
    by_chat()
    waiting_mail(14)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 0


def test_a_refused_login_is_told_at_once() -> None:
    by_chat()
    waiting_mail(0.1)
    pause(Channel.EMAIL, REFUSED)
    assert enqueue_alerts() == 1
    assert "拒絕登入" in visible(alerts()[0].body)


def test_while_it_lasts_more_messages_make_no_second_one() -> None:
    by_chat()
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1
    first = OutboxMessage.objects.get(key="k")
    waiting_mail(40, "older")
    OutboxMessage.objects.filter(pk=first.pk).update(status="cancelled", finished_at=timezone.now())
    pause(Channel.EMAIL, REFUSED, now=timezone.now() + timedelta(hours=1))
    assert enqueue_alerts() == 0


def test_the_next_trouble_is_told_again() -> None:
    by_chat()
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1
    resume(Channel.EMAIL)
    assert enqueue_alerts() == 0
    assert drain(Channel.EMAIL, sender=Recorder()).sent == 1
    waiting_mail(16, "later")
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1


def test_a_server_that_comes_and_goes_without_taking_anything_is_one_trouble() -> None:
    by_chat()
    waiting_mail(16)
    for _ in range(3):
        pause(Channel.EMAIL, AWAY, now=ago(1))
        enqueue_alerts()
        Pace.objects.update(paused_until=None)
        later = Outcome(Verdict.RETRY, "450 稍後再試")
        assert drain(Channel.EMAIL, sender=Recorder(later)).retried == 1
        OutboxMessage.objects.filter(key="k").update(next_attempt_at=ago(16))
    assert len(alerts()) == 1
    assert drain(Channel.EMAIL, sender=Recorder()).sent == 1
    waiting_mail(16, "later")
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1


def test_one_trouble_is_told_once_however_long_it_lasts(settings: Any) -> None:
    by_chat()
    mail("before")
    assert drain(Channel.EMAIL, sender=Recorder()).sent == 1
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1
    later = timezone.now() + timedelta(hours=settings.OUTBOX_GIVE_UP_HOURS + 1)  # nothing that was sent is recent
    pause(Channel.EMAIL, AWAY, now=later)
    assert enqueue_alerts(now=later) == 0


def test_the_next_trouble_is_told_though_little_was_sent_in_between(settings: Any) -> None:
    by_chat()
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1
    resume(Channel.EMAIL)
    assert drain(Channel.EMAIL, sender=Recorder()).sent == 1
    OutboxMessage.objects.update(finished_at=ago(60 * (settings.OUTBOX_GIVE_UP_HOURS + 1)))
    waiting_mail(16, "later")
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1
    assert enqueue_alerts() == 0


def test_who_would_only_hear_by_the_mail_that_is_away(settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_CHAT_ID = "1:x", "-100"
    by_mail()
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 2
    assert recipients() == ["ops@example.com", "-100"]
    assert enqueue_alerts() == 0


def test_when_telegram_is_not_set_up_it_waits_for_the_mail(settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    by_mail()
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 1


def test_who_would_only_hear_by_telegram_that_is_away() -> None:
    for name, role, address in (("a", Role.ADMIN, "a@example.com"), ("b", Role.ADMIN, ""), ("c", Role.USER, "c@x.tw")):
        made = person(name, role)
        made.email = address
        made.save()
    subscription = by_chat()
    message = OutboxMessage.objects.create(
        channel="telegram", key="t", event="x", recipient="1001", chat=subscription.chat, body="x", due_at=ago(20)
    )
    pause(Channel.TELEGRAM, "Telegram 沒有回應")
    assert enqueue_alerts() == 2
    assert recipients() == ["1001", "a@example.com"]
    assert message.status == "pending"


def test_nobody_asked_to_hear_of_troubles() -> None:
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    assert enqueue_alerts() == 0
    assert alerts() == []


class TestChats:
    @pytest.fixture
    def blocked(self, settings: Any) -> Chat:
        """A chat that blocked the bot, as a sender finds out."""
        settings.TELEGRAM_CHAT_SECONDS = 0
        chat = Chat.objects.create(chat_id="2002", title="業務群")
        OutboxMessage.objects.create(channel="telegram", key="t", event="x", recipient="2002", chat=chat, body="x")
        refused = Outcome(Verdict.FAILED, "Forbidden: bot was blocked by the user", chat_off=True)
        drain(Channel.TELEGRAM, sender=Recorder(refused))
        chat.refresh_from_db()
        assert not chat.is_active
        return chat

    def test_a_chat_that_was_switched_off_is_told_once(self, blocked: Chat) -> None:
        by_mail()
        assert enqueue_alerts() == 1
        assert enqueue_alerts() == 0
        (message,) = alerts()
        assert "業務群" in message.subject
        assert "bot was blocked" in message.body

    def test_not_to_that_chat_but_to_the_admins(self, blocked: Chat) -> None:
        boss = person("boss", Role.ADMIN)
        boss.email = "boss@example.com"
        boss.save()
        Subscription.objects.create(name="群", event="system_alert", channel=Channel.TELEGRAM, chat=blocked)
        assert enqueue_alerts() == 1
        assert recipients() == ["boss@example.com"]

    def test_another_chat_hears_of_it(self, blocked: Chat) -> None:
        by_mail()
        by_chat()
        assert enqueue_alerts() == 2

    def test_switched_off_by_a_person_is_no_trouble(self, blocked: Chat) -> None:
        by_mail()
        Chat.objects.filter(pk=blocked.pk).update(note="群組解散")
        assert enqueue_alerts() == 0

    def test_long_ago_is_no_news(self, blocked: Chat) -> None:
        by_mail()
        OutboxMessage.objects.update(finished_at=ago(25 * 60))
        assert enqueue_alerts() == 0

    def test_blocked_again_later_is_told_again(self, blocked: Chat) -> None:
        by_mail()
        assert enqueue_alerts() == 1
        Chat.objects.filter(pk=blocked.pk).update(is_active=True, note="")
        switch_off_chat(blocked, reason="Forbidden: bot was kicked from the group chat")
        assert enqueue_alerts() == 1

    def test_blocked_again_on_the_same_day_for_the_same_reason_is_told_again(self, blocked: Chat) -> None:
        by_mail()
        assert enqueue_alerts() == 1
        set_chat_active(blocked, active=True)
        switch_off_chat(blocked, reason="Forbidden: bot was blocked by the user")
        assert enqueue_alerts() == 1
        assert enqueue_alerts() == 0


def test_the_watch_tells() -> None:
    by_chat()
    waiting_mail(16)
    pause(Channel.EMAIL, AWAY)
    sweep_messages()
    sweep_messages()
    assert len(alerts()) == 1


def test_while_all_is_well_it_costs_next_to_nothing() -> None:
    by_mail()
    with CaptureQueriesContext(connection) as queries:
        assert enqueue_alerts() == 0
    assert len(queries) <= 4


def test_real_ones_for_previews() -> None:
    kind = event_kind("system_alert")
    assert kind is not None
    assert kind.recent(5) == []
    Chat.objects.create(chat_id="1", title="舊群", is_active=False, note="2026-11-25 停用：bot was blocked")
    pause(Channel.EMAIL, REFUSED)

    with CaptureQueriesContext(connection) as queries:
        shown = kind.recent(5)

    assert len(queries) == 2
    assert [one["label"] for one in shown] == ["電子郵件伺服器拒絕登入", "Telegram 聊天室已停用：舊群（1）"]
    declarations = {one.name for one in declared(template_by_code("system_alert").variables)}
    for one in shown:
        assert one["variables"].keys() == declarations
        assert render_template(template_by_code("system_alert"), one["variables"]).body
    assert Pace.objects.count() == 1

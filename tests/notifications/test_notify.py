"""From an event to messages: who gets what, in which form, when, once, and what a failure does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from momo.core.errors import Unavailable, ValidationFailed
from notifications import events
from notifications.events import EventKind
from notifications.models import Channel, Chat, OutboxMessage, Subscription, Template
from notifications.services import notify as service
from notifications.services import templates
from notifications.services.drafts import File
from notifications.services.notify import deliver, lets_through, notify, send_test, subscriptions_of
from notifications.services.outbox import Mail
from notifications.services.templates import save_template, template_by_code
from tests.fakes.telegram.html import visible
from tests.kit.users import person

pytestmark = pytest.mark.django_db
EVENT = "test_event"
AT = "2026-11-25T14:05:00+08:00"
VARIABLES = [{"name": "who", "type": "text", "required": True, "example": "小美"}]
# What a caller changes beside: rolled back or kept with its messages.
Chats = Chat.objects


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A kind of event for this test."""
    monkeypatch.setitem(events._registered, EVENT, EventKind(EVENT, "測試事件", template=EVENT))
    return


@pytest.fixture
def template() -> Template:
    return save_template(
        template=None,
        user=None,
        code=EVENT,
        title="測試",
        format="telegram_html",
        subject="給 {{ who }}",
        body="<b>{{ who }}</b>，你好",
        variables=VARIABLES,
    )


def mail_to(address: str = "wang@example.com", **values: Any) -> Subscription:
    return Subscription.objects.create(name=address, event=EVENT, channel=Channel.EMAIL, address=address, **values)


def chat_of(chat_id: str = "1001", *, is_active: bool = True, **values: Any) -> Subscription:
    chat = Chat.objects.create(chat_id=chat_id, is_active=is_active)
    return Subscription.objects.create(name=chat_id, event=EVENT, channel=Channel.TELEGRAM, chat=chat, **values)


def notify_all(key: str = "k", who: str = "小美 & <王>", **values: Any) -> int:
    return notify(EVENT, key=key, variables={"who": who}, **values)


def written() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.order_by("pk"))


def test_each_channel_gets_its_form(template: Template) -> None:
    by_mail, by_chat = mail_to(), chat_of()

    assert notify_all() == 2

    mail, text = written()
    assert (mail.channel, mail.recipient, mail.subject) == ("email", "wang@example.com", "給 小美 & <王>")
    assert mail.body == "小美 & <王>，你好"
    assert mail.body_html.replace("</p>", "").replace("<p>", "") == "<b>小美 &amp; &lt;王&gt;</b>，你好"
    assert (text.channel, text.chat, text.recipient) == ("telegram", by_chat.chat, "1001")
    assert text.body == "<b>小美 &amp; &lt;王&gt;</b>，你好"
    for message, subscription in ((mail, by_mail), (text, by_chat)):
        assert message.key == f"k:{subscription.pk}"
        assert (message.event, message.template_code, message.template_version) == (EVENT, EVENT, template.version)
        assert (message.subscription, message.status) == (subscription, "pending")
        assert message.next_attempt_at <= timezone.now()


def test_only_those_who_asked_for_it(template: Template) -> None:
    wanted = mail_to("yes@example.com", filters={"types": ["a"]})
    mail_to("off@example.com", enabled=False)
    mail_to("other@example.com", filters={"types": ["b"]})
    chat_of("1002", is_active=False)
    elsewhere = mail_to("elsewhere@example.com")
    Subscription.objects.filter(pk=elsewhere.pk).update(event="another")

    assert notify_all(only=lambda one: lets_through(one, types="a")) == 1

    (message,) = written()
    assert message.subscription == wanted


@pytest.mark.parametrize("filters", [{}, {"types": []}, {"types": None}, {"types": ["a", "b"]}, [], None, "odd"])
def test_filters_that_let_through(filters: Any) -> None:
    assert lets_through(Subscription(filters=filters), types="a")


@pytest.mark.parametrize("filters", [{"types": ["b"]}, {"types": ["A"]}])
def test_filters_that_do_not(filters: Any) -> None:
    assert not lets_through(Subscription(filters=filters), types="a")


def test_the_same_key_tells_once(template: Template) -> None:
    mail_to()
    chat_of()
    assert notify_all() == 2
    mail_to("late@example.com")
    assert notify_all() == 1  # to the later subscription
    assert notify_all() == 0
    assert len(written()) == 3


def test_nobody_asked(template: Template) -> None:
    assert notify_all() == 0
    assert written() == []


def test_a_long_text_is_as_many_messages_as_it_takes(template: Template) -> None:
    chat_of()
    count = notify_all(who="很長的名字" * 1500)
    assert count == len(written()) > 1
    assert all(visible(one.body) for one in written())


def test_files_go_with_it(template: Template) -> None:
    mail_to()
    chat_of()
    file = File("清單.csv", b"a,b", "text/csv")

    assert notify_all(files=[file]) == 3  # to a chat a file is a message of its own

    carried = [list(one.attachments.values_list("name", flat=True)) for one in written()]
    assert sorted(carried) == [[], ["清單.csv"], ["清單.csv"]]


def test_quiet_hours_make_it_wait(template: Template) -> None:
    quiet = mail_to(quiet_from=time(22), quiet_until=time(8))
    mail_to("loud@example.com")
    night = timezone.localtime().replace(hour=23, minute=30, second=0, microsecond=0) + timedelta(days=1)

    assert notify_all(at=night) == 2

    waits, goes = written()
    assert waits.subscription == quiet
    morning = (night + timedelta(days=1)).replace(hour=8, minute=0)
    assert waits.next_attempt_at == waits.due_at == morning
    assert goes.next_attempt_at <= timezone.now()


def statements(count: int, at: str) -> int:
    for number in range(count):
        mail_to(f"{at}{number}@example.com")
        chat_of(f"{len(at)}{number:05}")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert notify_all(at) == Subscription.objects.count()
    return len(queries)


def test_a_hundred_subscriptions_cost_as_many_statements_as_two(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderings: list[str] = []
    real = templates.render_template

    def count(template: Template, values: Any, **options: Any) -> Any:
        renderings.append(template.code)
        return real(template, values, **options)

    monkeypatch.setattr(templates, "render_template", count)
    few = statements(1, "a")
    many = statements(99, "bb")
    assert few == many == 10
    assert len(renderings) == 2  # one each time


def test_without_a_template_it_is_a_plain_listing(caplog: pytest.LogCaptureFixture) -> None:
    mail_to()
    assert notify_all() == 1
    (mail,) = written()
    assert (mail.template_code, mail.template_version) == (EVENT, 0)
    assert "小美 & <王>" in mail.body


def test_a_subject_that_is_missing_is_the_events_name(template: Template) -> None:
    save_template(template=template, user=None, subject="")
    mail_to()
    notify_all()
    assert written()[0].subject == "測試事件"


def test_a_fault_of_ours_is_logged_and_leaves_the_change_alone(
    template: Template, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mail_to()

    def broken(drafts: Any) -> Any:
        service.enqueue(Mail(key="half", event=EVENT, to="a@example.com", subject="s", text="t"))
        raise KeyError("oops")

    monkeypatch.setattr(service, "enqueue_many", broken)
    with transaction.atomic(), caplog.at_level(logging.ERROR):
        Chats.create(chat_id="77")
        assert notify_all() == 0
        Chats.create(chat_id="78")
    assert Chats.count() == 2
    assert written() == []
    assert "test_event" in caplog.text


def test_so_is_a_mistake_in_a_statement(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    mail_to()

    def broken(drafts: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")

    monkeypatch.setattr(service, "enqueue_many", broken)
    with transaction.atomic():
        assert notify_all() == 0
        Chats.create(chat_id="78")
    assert Chats.count() == 1


@pytest.mark.parametrize("error", [OperationalError("server closed"), psycopg.OperationalError("deadlock detected")])
def test_a_lost_transaction_is_the_callers(
    error: Exception, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_to()

    def lost(drafts: Any) -> Any:
        raise error

    monkeypatch.setattr(service, "enqueue_many", lost)
    with pytest.raises(type(error)), transaction.atomic():
        notify_all()


def test_a_fault_that_cannot_be_undone_is_raised(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the caller would go on in a transaction that keeps nothing."""
    mail_to()

    def torn(drafts: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f'RELEASE SAVEPOINT "{connection.savepoint_ids[-1]}"')
        raise KeyError("oops")

    monkeypatch.setattr(service, "enqueue_many", torn)
    with pytest.raises(KeyError), transaction.atomic():
        notify_all()


def test_what_is_rolled_back_tells_nobody(template: Template) -> None:
    mail_to()
    with transaction.atomic():
        assert notify_all() == 1
        transaction.set_rollback(True)
    assert written() == []
    assert notify_all() == 1


def test_one_subscription_alone_and_its_quiet_hours(template: Template) -> None:
    mail_to("a@example.com")
    now = timezone.localtime()
    start, end = (now - timedelta(minutes=5)).time(), (now + timedelta(minutes=5)).time()
    mine = mail_to("b@example.com", quiet_from=start, quiet_until=end)

    assert deliver(EVENT, key="k", variables={"who": "甲"}, to=[mine]) == 1

    (message,) = written()
    assert message.recipient == "b@example.com"
    assert message.next_attempt_at > timezone.now()


def test_who_gets_it_without_a_subscription(template: Template) -> None:
    chat = Chat.objects.create(chat_id="55")
    assert deliver(EVENT, key="k", variables={"who": "甲"}, to=[], also=[chat, "x@example.com"]) == 2
    assert [one.key for one in written()] == ["k:55", "k:x@example.com"]


class TestTests:
    @pytest.fixture(autouse=True)
    def _bot(self, settings: Any) -> None:
        settings.TELEGRAM_BOT_TOKEN = "1:secret"

    @pytest.fixture
    def boss(self) -> User:
        return person("boss", Role.ADMIN)

    def test_by_mail_with_the_examples(self, template: Template, boss: User) -> None:
        message = send_test(template, channel="email", recipient="a@example.com", values=None, user=boss)
        assert (message.recipient, message.subject) == ("a@example.com", "［測試］給 小美")
        assert message.body == "小美，你好"
        assert (message.created_by, message.subscription, message.event) == (boss, None, "test")
        assert (message.template_code, message.template_version) == (EVENT, template.version)

    def test_to_a_chat_with_values(self, template: Template, boss: User) -> None:
        Chat.objects.create(chat_id="-1001")
        message = send_test(template, channel="telegram", recipient="-1001", values={"who": "<b>"}, user=boss)
        assert visible(message.body) == "［測試］<b>，你好"

    def test_each_is_another(self, template: Template) -> None:
        for _ in range(2):
            send_test(template, channel="email", recipient="a@example.com", values=None, user=None)
        assert OutboxMessage.objects.count() == 2

    @pytest.mark.parametrize(
        ("channel", "recipient", "field"),
        [
            ("fax", "a@example.com", "channel"),
            ("email", "nobody", "recipient"),
            ("email", "", "recipient"),
            ("telegram", "4711", "recipient"),
            ("telegram", "off", "recipient"),
        ],
    )
    def test_what_is_refused(self, channel: str, recipient: str, field: str, template: Template) -> None:
        Chat.objects.create(chat_id="@offline", is_active=False, note="被封鎖")
        with pytest.raises(ValidationFailed) as refused:
            send_test(template, channel=channel, recipient=recipient.replace("off", "@offline"), values=None, user=None)
        assert list(refused.value.fields) == [field]
        assert written() == []

    def test_to_a_chat_that_no_bot_can_write_to(self, template: Template, settings: Any) -> None:
        settings.TELEGRAM_BOT_TOKEN = ""
        Chat.objects.create(chat_id="-1001")
        with pytest.raises(Unavailable, match="TELEGRAM_BOT_TOKEN"):
            send_test(template, channel="telegram", recipient="-1001", values={"who": "甲"}, user=None)
        assert written() == []

    def test_values_that_are_wrong(self, template: Template) -> None:
        with pytest.raises(ValidationFailed):
            send_test(template, channel="email", recipient="a@example.com", values={}, user=None)

    @pytest.mark.parametrize("code", ["price_digest", "crawl_suspect", "import_finished", "import_failed"])
    def test_the_shipped_ones_with_their_examples(self, code: str) -> None:
        Chat.objects.create(chat_id="-1001")
        template = template_by_code(code)
        mail = send_test(template, channel="email", recipient="a@example.com", values=None, user=None)
        text = send_test(template, channel="telegram", recipient="-1001", values=None, user=None)
        assert mail.subject.startswith("［測試］")
        assert visible(text.body).startswith("［測試］")


def digest() -> dict[str, tuple[str, str]]:
    """Which template a price digest comes from by each channel, and what it holds."""
    OutboxMessage.objects.all().delete()
    deliver(
        "price_digest",
        key="k",
        variables={"title": "摘要", "total": 0, "time": AT},
        to=subscriptions_of("price_digest"),
    )
    return {one.channel: (one.template_code, one.body_html or one.body) for one in OutboxMessage.objects.all()}


def test_mails_have_a_template_of_their_own_until_staff_write_about_the_event() -> None:
    chat = Chat.objects.create(chat_id="-1001")
    for values in (
        {"channel": Channel.EMAIL, "address": "wang@example.com"},
        {"channel": Channel.TELEGRAM, "chat": chat},
    ):
        Subscription.objects.create(name="價格", event="price_digest", **values)
    found = digest()
    assert {channel: code for channel, (code, _) in found.items()} == {
        "email": "price_digest_mail",
        "telegram": "price_digest",
    }
    assert "<h2>摘要</h2>" in found["email"][1]
    assert found["telegram"][1].startswith("<b>摘要</b>")

    save_template(template=template_by_code("price_digest"), user=None, body="我們的：{{ title }}")
    assert digest() == {"email": ("price_digest", "我們的：摘要"), "telegram": ("price_digest", "我們的：摘要")}

    save_template(template=template_by_code("price_digest_mail"), user=None, body="<p>信：{{ title }}</p>")
    assert digest()["email"] == ("price_digest_mail", "<p>信：摘要</p>")

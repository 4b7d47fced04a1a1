"""Each verdict of the Telegram channel, over real HTTP."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from telegram.error import RetryAfter

from notifications.channels.base import Outcome, Verdict
from notifications.channels.telegram import TelegramSender, judge
from notifications.models import Attachment, Chat, OutboxMessage
from notifications.services.outbox import ChatText, File, enqueue
from tests.fakes.telegram import CLOSED, TOKEN, Rule, TelegramStandIn

pytestmark = pytest.mark.django_db
SENT, RETRY, FAILED, UNKNOWN = Verdict


@pytest.fixture
def telegram(settings: Any) -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as running:
        for name, value in running.settings().items():
            setattr(settings, name, value)
        yield running


@pytest.fixture
def sender(telegram: TelegramStandIn) -> Iterator[TelegramSender]:
    made = TelegramSender()
    yield made
    made.close()


@pytest.fixture
def chat() -> Chat:
    return Chat.objects.create(chat_id="42", title="小明")


def message(chat: Chat, body: str = "<b>漲價</b> &amp; 降價", **values: Any) -> OutboxMessage:
    key = f"test:{OutboxMessage.objects.count()}"
    return enqueue(ChatText(key=key, event="manual", chat=chat, body=body, **values))[-1]


def sent(sender: TelegramSender, one: OutboxMessage) -> Outcome:
    assert sender.open() is None
    return sender.send(one)


def test_a_text(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    outcomes = [sent(sender, message(chat)) for _ in range(3)]
    assert [one.verdict for one in outcomes] == [SENT] * 3
    assert [one.message_id for one in outcomes] == ["1", "2", "3"]
    assert [(one.chat, one.text) for one in telegram.state.accepted] == [("42", "<b>漲價</b> &amp; 降價")] * 3
    # Who we are is asked once.
    assert telegram.calls == 4


def test_a_document(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    one = message(chat, files=[File("價格 異動.xlsx", b"PK\x03\x04" * 100, "application/vnd.ms-excel")])
    OutboxMessage.objects.filter(pk=one.pk).update(body="<i>明細</i>")
    one.refresh_from_db()
    assert sent(sender, one).verdict is SENT
    (accepted,) = telegram.state.accepted
    assert (accepted.text, accepted.file, accepted.size) == ("<i>明細</i>", "價格 異動.xlsx", 400)
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("flood", seconds=7), Outcome(RETRY, "Telegram 要求等待 7 秒", wait=7)),
        (Rule("migrated", to="-1009"), Outcome(RETRY, "群組已升級為超級群組", moved_to="-1009")),
        (
            Rule("blocked"),
            Outcome(FAILED, "Telegram：Forbidden: bot was blocked by the user", chat_off=True),
        ),
        (
            Rule("blocked", words="Forbidden: bot was kicked from the group chat"),
            Outcome(FAILED, "Telegram：Forbidden: bot was kicked from the group chat", chat_off=True),
        ),
        (Rule("not_found"), Outcome(FAILED, "Telegram：Chat not found", chat_off=True)),
        (Rule("refused"), Outcome(FAILED, "Telegram：Wrong file identifier/HTTP URL specified")),
        (Rule("failed"), Outcome(RETRY, "Telegram：Internal Server Error")),
    ],
    ids=lambda each: each.kind if isinstance(each, Rule) else "",
)
def test_outcome_of_each_answer(
    rule: Rule, expected: Outcome, sender: TelegramSender, telegram: TelegramStandIn, chat: Chat
) -> None:
    telegram.use(rule)
    outcome = sent(sender, message(chat))
    assert outcome.reason.lower().replace("bad request: ", "") == expected.reason.lower()
    assert replace(outcome, reason=expected.reason) == expected
    assert not telegram.state.accepted
    telegram.use()
    assert sent(sender, message(chat)).verdict is SENT


def test_a_chat_where_the_bot_may_not_write_is_closed(
    sender: TelegramSender, telegram: TelegramStandIn, chat: Chat
) -> None:
    """Each further message would fail as well, whatever words the refusal has."""
    for words in CLOSED:
        telegram.use(Rule("no_rights", words=words))
        outcome = sent(sender, message(chat))
        assert (outcome.verdict, outcome.chat_off, outcome.of_channel) == (FAILED, True, False), words


@pytest.mark.parametrize("words", ["not enough rights to send documents to the chat", "CHAT_SEND_DOCS_FORBIDDEN"])
def test_a_chat_that_takes_no_documents_still_gets_texts(
    words: str, sender: TelegramSender, telegram: TelegramStandIn, chat: Chat
) -> None:
    telegram.use(Rule("no_rights", words=f"Bad Request: {words}"))
    outcome = sent(sender, message(chat, files=[File("a.csv", b"1", "text/csv")]))
    assert (outcome.verdict, outcome.chat_off) == (FAILED, False)


@pytest.mark.parametrize("kind", ["drop", "drop_unread", "drop_accepted", "bad_gateway", "page", "garbage"])
def test_when_nobody_knows(kind: str, sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    assert sender.open() is None
    telegram.use(Rule(kind))
    outcome = sender.send(message(chat))
    assert (outcome.verdict, outcome.of_channel) == (UNKNOWN, False)
    assert "無法確認" in outcome.reason
    telegram.use()
    assert sent(sender, message(chat)).verdict is SENT


@pytest.mark.parametrize("kind", ["slow", "slow_accepted"])
def test_an_answer_that_takes_too_long(
    kind: str, sender: TelegramSender, telegram: TelegramStandIn, chat: Chat, settings: Any
) -> None:
    settings.TELEGRAM_TIMEOUT = 0.2
    telegram.use(Rule(kind, seconds=0.6))
    assert sent(sender, message(chat)).verdict is UNKNOWN


def test_an_answer_that_never_ends(
    sender: TelegramSender, telegram: TelegramStandIn, chat: Chat, settings: Any
) -> None:
    """Each byte comes in time, so only the limit of the whole request ends it."""
    settings.TELEGRAM_TIMEOUT = 0.1
    telegram.use(Rule("trickle", seconds=0.05))
    outcome = sent(sender, message(chat))
    assert (outcome.verdict, outcome.of_channel) == (UNKNOWN, False)
    telegram.use()
    assert sent(sender, message(chat)).verdict is SENT


def test_what_was_accepted_is_sent(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    """Also when the library cannot read the other fields of the answer: a second try would be a second message."""
    telegram.use(Rule("odd"))
    outcome = sent(sender, message(chat))
    assert (outcome.verdict, outcome.message_id) == (SENT, "1")


@pytest.mark.parametrize("code", [301, 400, 403, 404, 407, 429, 451])
def test_a_page_of_something_in_between(
    code: int, sender: TelegramSender, telegram: TelegramStandIn, chat: Chat
) -> None:
    """The answer is not about the chat, and nothing reached Telegram."""
    telegram.use(Rule("page", code=code))
    outcome = sent(sender, message(chat))
    assert (outcome.verdict, outcome.of_channel, outcome.chat_off) == (RETRY, True, False)
    assert "TELEGRAM_API_URL" in outcome.reason
    assert not telegram.state.accepted


def test_a_document_too_large_for_what_is_in_between(
    sender: TelegramSender, telegram: TelegramStandIn, chat: Chat
) -> None:
    """It is this message's trouble, for which the others must not wait."""
    telegram.use(Rule("page", code=413))
    outcome = sent(sender, message(chat))
    assert (outcome.verdict, outcome.of_channel) == (FAILED, False)


@pytest.mark.parametrize("kind", ["bad_gateway", "drop", "flood", "failed", "blocked"])
def test_trouble_before_the_first_message_is_the_channels(
    kind: str, telegram: TelegramStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is, nothing was handed over."""
    call = telegram.call

    def as_message(path: str, fields: Any, file: Any) -> Any:
        return call(path.replace("getMe", "sendMessage"), {"chat_id": "42", "text": "x"}, file)

    monkeypatch.setattr(telegram, "call", as_message)
    telegram.use(Rule(kind, seconds=7))
    sender = TelegramSender()
    outcome = sender.open()
    sender.close()
    assert outcome is not None
    assert (outcome.verdict, outcome.of_channel, outcome.chat_off) == (RETRY, True, False)
    assert outcome.wait == (7 if kind == "flood" else None)
    assert "收到" not in outcome.reason


def test_nothing_is_read_once_a_message_may_have_left(
    sender: TelegramSender, telegram: TelegramStandIn, chat: Chat, django_assert_num_queries: Any
) -> None:
    """A database that is away then would make a message that was never sent one for a person."""
    written = message(chat, files=[File("a.csv", b"1", "text/csv")])
    one = OutboxMessage.objects.select_related("chat").prefetch_related("attachments").get(pk=written.pk)
    assert sender.open() is None
    with django_assert_num_queries(0):
        assert sender.send(one).verdict is SENT
    assert telegram.state.accepted[0].file == "a.csv"


def test_a_message_goes_where_its_chat_is(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    """Whoever released or retried it may not know that the chat has moved since it was written."""
    written = message(chat)
    Chat.objects.filter(pk=chat.pk).update(chat_id="-1009")
    assert sent(sender, OutboxMessage.objects.get(pk=written.pk)).verdict is SENT
    assert telegram.state.accepted[0].chat == "-1009"


def test_nobody_there(chat: Chat, settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        settings.TELEGRAM_API_URL = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings.TELEGRAM_BOT_TOKEN = TOKEN
        sender = TelegramSender()
        outcome = sender.open()
        sender.close()
    assert outcome is not None
    assert (outcome.verdict, outcome.of_channel) == (RETRY, True)
    assert outcome.reason == "連不上 Telegram（ConnectError）"


def test_a_connection_that_was_closed_meanwhile(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    """Nothing was handed over on it, so a new one is made."""
    telegram.hangs_up = True
    for _ in range(5):
        assert sent(sender, message(chat)).verdict is SENT
        time.sleep(0.05)  # until the goodbye has come
    assert len(telegram.state.accepted) == 5


@pytest.mark.parametrize("token", ["4242:wrong-wrong-wrong", "nonsense", ""])
def test_a_wrong_token(token: str, telegram: TelegramStandIn, settings: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    settings.TELEGRAM_BOT_TOKEN = token
    sender = TelegramSender()
    outcome = sender.open()
    sender.close()
    assert outcome is not None
    assert (outcome.verdict, outcome.of_channel) == (RETRY, True)
    assert "TELEGRAM_BOT_TOKEN" in outcome.reason
    assert outcome.wait is not None
    assert outcome.wait >= 60
    if token:
        assert token not in outcome.reason + caplog.text


def test_a_token_that_is_taken_back(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    assert sender.open() is None
    telegram.use(Rule("unauthorized"))
    outcome = sender.send(message(chat))
    assert (outcome.verdict, outcome.of_channel) == (RETRY, True)
    again = sender.open()
    assert again is not None
    assert again.of_channel
    telegram.use()
    assert sent(sender, message(chat)).verdict is SENT


def test_the_token_is_in_no_log(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    for kind in ("failed", "drop", "bad_gateway", "garbage", "blocked", "flood"):
        telegram.use(Rule(kind))
        outcome = sent(sender, message(chat))
        assert TOKEN not in outcome.reason
    telegram.use()
    sent(sender, message(chat))
    assert TOKEN not in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text


def test_markup_that_telegram_refuses(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat) -> None:
    one = message(chat)
    one.body = "<b>漲價</b> <blink>1 &lt; 2</blink>"  # as no text of ours is
    outcome = sent(sender, one)
    assert (outcome.verdict, outcome.reason) == (SENT, "Telegram 不接受這則訊息的格式，已改用純文字送出")
    assert [each.text for each in telegram.state.accepted] == ["漲價 1 < 2"]


def test_refused_markup_is_shown_without_its_links_when_they_make_it_too_long(
    sender: TelegramSender, telegram: TelegramStandIn, chat: Chat
) -> None:
    one = message(chat)
    link = '<a href="https://x.tw/' + "p" * 500 + '">看</a>'
    one.body = "<blink>" + "字" * 3000 + "</blink>" + link * 3 + "尾"
    assert sent(sender, one).verdict is SENT
    assert [each.text for each in telegram.state.accepted] == ["字" * 3000 + "看看看尾"]


def test_a_text_from_before_texts_were_split_by_bytes(
    sender: TelegramSender, telegram: TelegramStandIn, chat: Chat
) -> None:
    one = message(chat)
    one.body = f'<a href="https://x.tw/{"p" * 2000}">看</a>' * 17 + "尾"
    assert sent(sender, one).verdict is SENT
    assert [each.text for each in telegram.state.accepted] == ["看" * 17 + "尾"]


def test_settings_that_change(sender: TelegramSender, telegram: TelegramStandIn, chat: Chat, settings: Any) -> None:
    assert sent(sender, message(chat)).verdict is SENT
    with TelegramStandIn(token="77:another-token-altogether") as other:
        for name, value in other.settings().items():
            setattr(settings, name, value)
        assert sent(sender, message(chat)).verdict is SENT
        assert len(other.state.accepted) == 1


@pytest.mark.parametrize("wait", [5, timedelta(seconds=5)])
def test_both_kinds_of_waits(wait: Any) -> None:
    outcome = judge(RetryAfter(wait), status=429, is_telegrams=True)
    assert (outcome.verdict, outcome.wait) == (RETRY, 5)

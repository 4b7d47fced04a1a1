"""Each verdict through real SMTP: a stand-in that refuses and drops where told, and raw servers that misbehave."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from notifications.channels import email as email_channel
from notifications.channels.base import Verdict
from notifications.channels.email import EmailSender
from notifications.models import Attachment, OutboxMessage
from tests.fakes.smtp import Line, SmtpStandIn, raw_server, running_smtp
from tests.notifications.mails import SENDER, attachment, mail_message


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.EMAIL_FROM = SENDER
    settings.EMAIL_REPLY_TO = ""
    settings.EMAIL_TIMEOUT = 10
    settings.PUBLIC_URL = "https://momo.test"


@pytest.fixture
def sender() -> Iterator[EmailSender]:
    made = EmailSender()
    yield made
    made.close()


@pytest.fixture
def smtp(tmp_path: Path, settings: Any) -> Iterator[SmtpStandIn]:
    with running_smtp(tmp_path / "record") as server:
        settings.EMAIL_URL = server.url
        yield server


# --- Accepted -------------------------------------------------------------------------------------------------------


def test_sent(smtp: SmtpStandIn, sender: EmailSender) -> None:
    assert sender.open() is None
    body = "第一行\n.\n..兩點\n.開頭\n" + "x" * 2000
    files = [attachment("報表.xlsx", bytes(range(256)) * 400)]
    outcome = sender.send(mail_message(body=body, body_html="<p>您好</p>", files=files))
    assert outcome.verdict is Verdict.SENT
    assert outcome.reason.startswith("250 2.0.0 Ok: queued as ")
    assert outcome.message_id == "<m1@momo.test>"
    (accepted,) = smtp.accepted()
    assert (accepted.sender, accepted.recipient) == ("no-reply@momo.test", "wang@example.com")
    assert accepted.message_id == "<m1@momo.test>"
    text = accepted.mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == body + "\n"
    (file,) = accepted.mail.iter_attachments()
    assert file.get_payload(decode=True) == bytes(range(256)) * 400


@pytest.mark.django_db
def test_sent_as_it_stands_in_the_database(smtp: SmtpStandIn, sender: EmailSender) -> None:
    message = OutboxMessage.objects.create(
        channel="email", key="k", event="e", recipient="wang@example.com", subject="報表", body="見附件"
    )
    message.attachments.add(
        Attachment.objects.create(name="報表.xlsx", content=b"PK\0", content_type="application/zip", size=3, sha256="0")
    )
    assert sender.send(OutboxMessage.objects.get()).verdict is Verdict.SENT
    (accepted,) = smtp.accepted()
    (file,) = accepted.mail.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("報表.xlsx", b"PK\0")


@pytest.mark.parametrize("body", [".", "..", ".\n.", "a\n.", ".\r\n.\r\nMAIL FROM:<x@y>", "\n\n.", "", "a" * 998])
def test_dots_arrive_as_they_were(smtp: SmtpStandIn, sender: EmailSender, body: str) -> None:
    assert sender.send(mail_message(body=body)).verdict is Verdict.SENT
    (accepted,) = smtp.accepted()
    assert accepted.mail.get_content().replace("\r\n", "\n") == body.replace("\r\n", "\n") + "\n"
    assert smtp.commands.count("MAIL") == 1


def test_one_connection_for_many_mails(smtp: SmtpStandIn, sender: EmailSender) -> None:
    for number in range(5):
        assert sender.open() is None
        assert sender.send(mail_message(message_id=f"<{number}@momo.test>")).verdict is Verdict.SENT
    assert smtp.connections == 1
    assert [one.message_id for one in smtp.accepted()] == [f"<{number}@momo.test>" for number in range(5)]


def test_after_so_many_mails_a_new_connection(
    smtp: SmtpStandIn, sender: EmailSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_channel, "MAILS_A_CONNECTION", 2)
    for _ in range(5):
        assert sender.open() is None
        assert sender.send(mail_message()).verdict is Verdict.SENT
    assert smtp.connections == 3


def test_after_idling_a_new_connection(smtp: SmtpStandIn, sender: EmailSender, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sender.send(mail_message()).verdict is Verdict.SENT
    monkeypatch.setattr(email_channel, "IDLE_SECONDS", -1.0)
    assert sender.open() is None
    assert smtp.connections == 2


def test_server_that_closed_meanwhile_is_connected_again(smtp: SmtpStandIn, sender: EmailSender) -> None:
    assert sender.send(mail_message()).verdict is Verdict.SENT
    smtp.hang_up()
    assert sender.open() is None
    assert sender.send(mail_message()).verdict is Verdict.SENT
    assert smtp.connections == 2
    assert len(smtp.accepted()) == 2


def test_send_opens_by_itself_and_a_refused_mail_leaves_no_trace(smtp: SmtpStandIn, sender: EmailSender) -> None:
    smtp.fail("rcpt", "550 5.1.1 No such user", recipient="nobody@")
    assert sender.send(mail_message(recipient="nobody@example.com")).verdict is Verdict.FAILED
    assert sender.send(mail_message()).verdict is Verdict.SENT
    assert smtp.connections == 1
    assert [one.recipient for one in smtp.accepted()] == ["wang@example.com"]


def test_seven_bit_server_takes_everything(tmp_path: Path, settings: Any, sender: EmailSender) -> None:
    with running_smtp(tmp_path / "record", hide=("8BITMIME", "SMTPUTF8", "SIZE")) as server:
        settings.EMAIL_URL = server.url
        message = mail_message(subject="價格😀", body="您好\u202e", recipient="wang@公司.台灣")
        assert sender.send(message).verdict is Verdict.SENT
        (accepted,) = server.accepted()
        assert accepted.content.isascii()
        assert accepted.recipient == "wang@xn--55qx5d.xn--kpry57d"
        assert accepted.mail["Subject"] == "價格😀"


def test_address_beyond_ascii(smtp: SmtpStandIn, sender: EmailSender) -> None:
    assert sender.send(mail_message(recipient="王小明@example.com")).verdict is Verdict.SENT
    (accepted,) = smtp.accepted()
    assert accepted.recipient == "王小明@example.com"
    assert sender.send(mail_message()).verdict is Verdict.SENT


def test_address_beyond_ascii_where_the_server_knows_none(tmp_path: Path, settings: Any, sender: EmailSender) -> None:
    with running_smtp(tmp_path / "record", hide=("SMTPUTF8",)) as server:
        settings.EMAIL_URL = server.url
        outcome = sender.send(mail_message(recipient="王小明@example.com"))
        assert outcome.verdict is Verdict.FAILED
        assert "SMTPUTF8" in outcome.reason
        assert "MAIL" not in server.commands


def test_mail_larger_than_the_server_takes_is_not_even_tried(
    tmp_path: Path, settings: Any, sender: EmailSender
) -> None:
    with running_smtp(tmp_path / "record", size=100_000) as server:
        settings.EMAIL_URL = server.url
        outcome = sender.send(mail_message(files=[attachment("a.bin", b"x" * 200_000)]))
        assert outcome.verdict is Verdict.FAILED
        assert "0.3 MB" in outcome.reason
        assert "0.1 MB" in outcome.reason
        assert "MAIL" not in server.commands


def test_wrong_recipient_fails(smtp: SmtpStandIn, sender: EmailSender) -> None:
    outcome = sender.send(mail_message(recipient="a@b.test\r\nRCPT TO:<c@d.test>"))
    assert outcome.verdict is Verdict.FAILED
    assert smtp.accepted() == []


# --- Refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["rcpt", "data", "dot"])
def test_permanent_refusal_fails_with_the_words(smtp: SmtpStandIn, sender: EmailSender, at: str) -> None:
    smtp.fail(at, "550-5.1.1 No such\r\n550 5.1.1 user here", times=1)
    outcome = sender.send(mail_message())
    assert outcome.verdict is Verdict.FAILED
    assert "550 5.1.1 No such user here" in outcome.reason
    assert not outcome.everybody
    assert sender.send(mail_message()).verdict is Verdict.SENT
    assert len(smtp.accepted()) == 1


@pytest.mark.parametrize("answer", ["550 5.7.1 relaying denied", "530 5.7.0 log in first", "535 5.7.8 bad credentials"])
def test_permanent_refusal_of_ourselves_is_everybodys_and_slow(
    smtp: SmtpStandIn, sender: EmailSender, answer: str
) -> None:
    smtp.fail("mail", answer)
    outcome = sender.send(mail_message())
    assert (outcome.verdict, outcome.everybody) == (Verdict.RETRY, True)
    assert outcome.wait is not None
    assert outcome.wait >= 600
    assert answer in outcome.reason


@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ("450 4.2.0 Greylisted", None),
        ("451 4.7.1 come back later", None),
        ("421 4.3.2 shutting down", None),
        ("450 4.7.1 Greylisted, try again in 300 seconds", 300),
        ("452 4.3.1 Insufficient storage", 600),
        ("450 4.7.28 Too many messages", 600),
    ],
)
def test_temporary_refusal(smtp: SmtpStandIn, sender: EmailSender, at: str, answer: str, wait: float | None) -> None:
    smtp.fail(at, answer, times=1)
    outcome = sender.send(mail_message())
    assert (outcome.verdict, outcome.wait, outcome.everybody) == (Verdict.RETRY, wait, False)
    assert answer in outcome.reason
    assert smtp.accepted() == []
    assert sender.send(mail_message()).verdict is Verdict.SENT
    assert smtp.connections == (2 if answer.startswith("421") else 1)


# --- Broken connections ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "inside"])
def test_drop_before_the_end_can_be_sent_again(smtp: SmtpStandIn, sender: EmailSender, at: str) -> None:
    smtp.fail(at, times=1)
    files = [attachment("a.bin", b"x" * 3_000_000)]  # more than the socket's buffers hold
    outcome = sender.send(mail_message(files=files))
    assert (outcome.verdict, outcome.everybody) == (Verdict.RETRY, False)
    assert smtp.accepted() == []
    assert sender.send(mail_message(files=files)).verdict is Verdict.SENT
    assert len(smtp.accepted()) == 1


@pytest.mark.parametrize(("at", "accepted"), [("dot", 0), ("accepted", 1)])
def test_drop_after_the_end_is_for_a_person(smtp: SmtpStandIn, sender: EmailSender, at: str, accepted: int) -> None:
    smtp.fail(at, times=1)
    outcome = sender.send(mail_message())
    assert outcome.verdict is Verdict.UNKNOWN
    assert f"127.0.0.1:{smtp.port}" in outcome.reason
    assert len(smtp.accepted()) == accepted
    assert sender.open() is None
    assert smtp.connections == 2


def test_no_answer_in_time(smtp: SmtpStandIn, sender: EmailSender, settings: Any) -> None:
    settings.EMAIL_URL = f"{smtp.url}?timeout=0.3"
    smtp.fail("rcpt", "250 Ok", delay=5, times=1)
    assert sender.send(mail_message()).verdict is Verdict.RETRY
    smtp.fail("accepted", "250 Ok", delay=5, times=1)
    outcome = sender.send(mail_message())
    assert outcome.verdict is Verdict.UNKNOWN
    assert "0.3 秒" in outcome.reason
    assert len(smtp.accepted()) == 1


# --- Servers that misbehave -----------------------------------------------------------------------------------------


def up_to_data(line: Line) -> None:
    line.greet()
    line.answer(b"250 Ok\r\n", b"250 Ok\r\n")


def played(sender: EmailSender, settings: Any, play: Callable[[Line], None], **values: Any) -> Any:
    with raw_server(play) as port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}?timeout=0.5"
        outcome = sender.open() or sender.send(mail_message(**values))
        sender.close()
    return outcome


def after_dot(*words: bytes, cut: bool = True) -> Callable[[Line], None]:
    def play(line: Line) -> None:
        up_to_data(line)
        line.answer(b"354 go\r\n")
        line.hear_message()
        for word in words:
            line.say(word)
        if not cut:
            line.wait()

    return play


@pytest.mark.parametrize(
    "words",
    [
        (),
        (b"2",),
        (b"250-Ok\r\n",),
        (b"250-Ok\r\n250 and", b" more"),
        (b"550-5.7.1 No\r\n",),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
        (b"250-Ok\r\n550 but no\r\n",),
        (b"354 go on\r\n",),
        (b"999 what\r\n",),
        (b"\r\n",),
        (b"\xff\xfe\0",),
        (b"250-" + b"x" * 9000,),
        (b"250-x\r\n" * 20_000,),
    ],
)
@pytest.mark.parametrize("cut", [True, False])
def test_no_clear_answer_after_the_dot_is_for_a_person(
    sender: EmailSender, settings: Any, words: tuple[bytes, ...], cut: bool
) -> None:
    outcome = played(sender, settings, after_dot(*words, cut=cut))
    assert outcome.verdict is Verdict.UNKNOWN
    assert len(outcome.reason) < 700


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ((b"250", b" Ok\r", b"\n"), Verdict.SENT),
        ((b"250-1\r\n250-2\r\n", b"250 3\r\n"), Verdict.SENT),
        ((b"250\r\n",), Verdict.SENT),
        ((b"250 Ok\n",), Verdict.SENT),
        ((b"550 \xb3\xb0\xa4\xd1\r\n",), Verdict.FAILED),
        ((b"554 " + b"spam " * 1000 + b"\r\n",), Verdict.FAILED),
        ((b"451 later\r\n",), Verdict.RETRY),
    ],
)
def test_answers_after_the_dot_in_odd_shapes(
    sender: EmailSender, settings: Any, words: tuple[bytes, ...], verdict: Verdict
) -> None:
    outcome = played(sender, settings, after_dot(*words, cut=False))
    assert outcome.verdict is verdict
    assert len(outcome.reason) < 700
    outcome.reason.encode()


def cut_at_354(line: Line) -> None:
    up_to_data(line)
    line.hear()
    line.say(b"35")


def silent_at_354(line: Line) -> None:
    up_to_data(line)
    line.hear()
    line.wait()


def refuses_354(line: Line) -> None:
    up_to_data(line)
    line.answer(b"250 Ok\r\n")
    line.wait()


def talks_ahead(line: Line) -> None:
    """As if all that is still to be asked were answered, the final dot included."""
    up_to_data(line)
    line.say(b"354 go\r\n250 accepted\r\n")
    line.wait()


def talks_ahead_with_354(line: Line) -> None:
    up_to_data(line)
    line.hear()
    line.say(b"354 go\r\n250 accepted\r\n")
    line.wait()


def gives_up_inside(line: Line) -> None:
    up_to_data(line)
    line.answer(b"354 go\r\n")
    line.hear()
    line.cut()


@pytest.mark.parametrize(
    "play", [cut_at_354, silent_at_354, refuses_354, talks_ahead, talks_ahead_with_354, gives_up_inside]
)
def test_trouble_before_the_dot_can_be_sent_again(
    sender: EmailSender, settings: Any, play: Callable[[Line], None]
) -> None:
    outcome = played(sender, settings, play, files=[attachment("a.bin", b"x" * 3_000_000)])
    assert (outcome.verdict, outcome.everybody) == (Verdict.RETRY, False)


def test_refusal_in_the_middle_of_the_message_is_heard(sender: EmailSender, settings: Any) -> None:
    def play(line: Line) -> None:
        up_to_data(line)
        line.answer(b"354 go\r\n")
        line.hear()
        line.say(b"552 5.3.4 too big\r\n")
        line.wait()

    outcome = played(sender, settings, play, files=[attachment("a.bin", b"x" * 3_000_000)])
    assert outcome.verdict is Verdict.FAILED
    assert "552 5.3.4 too big" in outcome.reason


def test_354_that_comes_late_but_in_time(sender: EmailSender, settings: Any) -> None:
    def play(line: Line) -> None:
        up_to_data(line)
        line.hear()
        line.say(b"354-wait\r\n")
        line.say(b"354 now\r\n")
        line.hear_message()
        line.say(b"250 Ok\r\n")
        line.wait()

    assert played(sender, settings, play).verdict is Verdict.SENT


# --- No connection --------------------------------------------------------------------------------------------------


def assert_everybody_waits(outcome: Any, *words: str) -> None:
    assert outcome is not None
    assert (outcome.verdict, outcome.everybody) == (Verdict.RETRY, True)
    for word in words:
        assert word in outcome.reason


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220-" + b"x" * 10_000,
        b"220-x\r\n" * 20_000,
        b"\x16\x03\x01\0\xf4\x01\n",
        b"\n",
    ],
)
@pytest.mark.parametrize("cut", [True, False])
def test_greeting_that_is_none(sender: EmailSender, settings: Any, words: bytes, cut: bool) -> None:
    def play(line: Line) -> None:
        line.say(words)
        if not cut:
            line.wait()

    assert_everybody_waits(played(sender, settings, play), "127.0.0.1")


def test_server_that_wants_nobody(sender: EmailSender, settings: Any) -> None:
    outcome = played(sender, settings, lambda line: line.say(b"554 5.7.1 your address is listed\r\n"))
    assert_everybody_waits(outcome, "554 5.7.1 your address is listed")
    assert outcome.wait == 600
    outcome = played(sender, settings, lambda line: line.say(b"421 4.3.2 restarting\r\n"))
    assert_everybody_waits(outcome, "421 4.3.2 restarting")
    assert outcome.wait is None


def test_server_that_knows_no_ehlo(sender: EmailSender, settings: Any) -> None:
    def play(line: Line) -> None:
        line.say(b"220 old\r\n")
        line.answer(b"502 what\r\n", b"250 hello\r\n", b"250 Ok\r\n", b"250 Ok\r\n", b"354 go\r\n")
        line.hear_message()
        line.say(b"250 Ok\r\n")
        line.wait()

    assert played(sender, settings, play).verdict is Verdict.SENT


def test_nobody_listens(sender: EmailSender, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    outcome = sender.open()
    assert_everybody_waits(outcome, f"127.0.0.1:{port}", "拒絕連線")
    assert outcome is not None
    assert outcome.wait is None
    assert_everybody_waits(sender.send(mail_message()), "拒絕連線")


def test_unknown_host(sender: EmailSender, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://mail.invalid"
    assert_everybody_waits(sender.open(), "mail.invalid:25", "找不到這個主機")


def test_production_without_a_server_waits(sender: EmailSender, settings: Any) -> None:
    settings.EMAIL_URL = ""
    settings.LOCAL = False
    assert_everybody_waits(sender.open(), "EMAIL_URL")
    assert_everybody_waits(sender.send(mail_message()), "EMAIL_URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [("EMAIL_URL", "http://user:geheim@host"), ("EMAIL_FROM", "nobody"), ("EMAIL_REPLY_TO", "a b")],
)
def test_wrong_setting_is_named(smtp: SmtpStandIn, sender: EmailSender, settings: Any, name: str, value: str) -> None:
    setattr(settings, name, value)
    outcome = sender.open()
    assert_everybody_waits(outcome, name)
    assert outcome is not None
    assert "geheim" not in outcome.reason


def test_close_says_goodbye_and_never_raises(smtp: SmtpStandIn, sender: EmailSender) -> None:
    sender.close()
    assert sender.open() is None
    smtp.stop()
    sender.close()
    sender.close()

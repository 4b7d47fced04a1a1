"""Servers that misbehave, octet by octet, and those that are not there at all."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from notifications.channels.base import Verdict
from notifications.channels.email import EmailSender
from tests.fakes.smtp import Line, SmtpStandIn, raw_server
from tests.notifications.mails import attachment, mail_message

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
    assert (outcome.verdict, outcome.of_channel) == (Verdict.RETRY, False)


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


def assert_the_channel_waits(outcome: Any, *words: str) -> None:
    assert outcome is not None
    assert (outcome.verdict, outcome.of_channel) == (Verdict.RETRY, True)
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

    assert_the_channel_waits(played(sender, settings, play), "127.0.0.1")


def test_server_that_wants_nobody(sender: EmailSender, settings: Any) -> None:
    outcome = played(sender, settings, lambda line: line.say(b"554 5.7.1 your address is listed\r\n"))
    assert_the_channel_waits(outcome, "554 5.7.1 your address is listed")
    assert outcome.wait == 600
    outcome = played(sender, settings, lambda line: line.say(b"421 4.3.2 restarting\r\n"))
    assert_the_channel_waits(outcome, "421 4.3.2 restarting")
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
    assert_the_channel_waits(outcome, f"127.0.0.1:{port}", "拒絕連線")
    assert outcome is not None
    assert outcome.wait is None
    assert_the_channel_waits(sender.send(mail_message()), "拒絕連線")


def test_unknown_host(sender: EmailSender, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://mail.invalid"
    assert_the_channel_waits(sender.open(), "mail.invalid:25", "找不到這個主機")


def test_production_without_a_server_waits(sender: EmailSender, settings: Any) -> None:
    settings.EMAIL_URL = ""
    settings.LOCAL = False
    assert_the_channel_waits(sender.open(), "EMAIL_URL")
    assert_the_channel_waits(sender.send(mail_message()), "EMAIL_URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [("EMAIL_URL", "http://user:geheim@host"), ("EMAIL_FROM", "nobody"), ("EMAIL_REPLY_TO", "a b")],
)
def test_wrong_setting_is_named(smtp: SmtpStandIn, sender: EmailSender, settings: Any, name: str, value: str) -> None:
    setattr(settings, name, value)
    outcome = sender.open()
    assert_the_channel_waits(outcome, name)
    assert outcome is not None
    assert "geheim" not in outcome.reason

"""Each verdict through real SMTP: a stand-in that refuses and drops where it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notifications.channels import email as email_channel
from notifications.channels.base import Verdict
from notifications.channels.email import EmailSender
from notifications.models import Attachment, OutboxMessage
from tests.fakes.smtp import SmtpStandIn, running_smtp
from tests.notifications.mails import attachment, mail_message

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


def test_mail_larger_than_the_server_takes_is_not_handed_over(
    tmp_path: Path, settings: Any, sender: EmailSender
) -> None:
    with running_smtp(tmp_path / "record", size=100_000) as server:
        settings.EMAIL_URL = server.url
        outcome = sender.send(mail_message(files=[attachment("a.bin", b"x" * 200_000)]))
        assert outcome.verdict is Verdict.FAILED
        assert "552" in outcome.reason
        assert "DATA" not in server.commands


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
    assert not outcome.of_channel
    assert sender.send(mail_message()).verdict is Verdict.SENT
    assert len(smtp.accepted()) == 1


@pytest.mark.parametrize("answer", ["550 5.7.1 relaying denied", "530 5.7.0 log in first", "535 5.7.8 bad credentials"])
def test_permanent_refusal_of_ourselves_is_the_channels_and_slow(
    smtp: SmtpStandIn, sender: EmailSender, answer: str
) -> None:
    smtp.fail("mail", answer)
    outcome = sender.send(mail_message())
    assert (outcome.verdict, outcome.of_channel) == (Verdict.RETRY, True)
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
        ("450 4.7.1 Greylisted, try again in 300 seconds", None),
        ("452 4.3.1 Insufficient storage", 600),
        ("450 4.7.28 Too many messages", 600),
    ],
)
def test_temporary_refusal(smtp: SmtpStandIn, sender: EmailSender, at: str, answer: str, wait: float | None) -> None:
    smtp.fail(at, answer, times=1)
    outcome = sender.send(mail_message())
    assert (outcome.verdict, outcome.wait, outcome.of_channel) == (Verdict.RETRY, wait, False)
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
    assert (outcome.verdict, outcome.of_channel) == (Verdict.RETRY, False)
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


def test_close_says_goodbye_and_never_raises(smtp: SmtpStandIn, sender: EmailSender) -> None:
    sender.close()
    assert sender.open() is None
    smtp.stop()
    sender.close()
    sender.close()


# --- Several recipients ---------------------------------------------------------------------------------------------


def _to_three(**values: Any) -> OutboxMessage:
    return mail_message(recipient="Lin@Example.com", others=["b@例.test"], cc=["c@example.com"], **values)


def _arrived(smtp: SmtpStandIn) -> list[str]:
    return [accepted.recipient for accepted in smtp.accepted()]


def test_one_mail_reaches_all_its_recipients(smtp: SmtpStandIn, sender: EmailSender) -> None:
    assert sender.send(_to_three()).verdict is Verdict.SENT
    assert smtp.commands.count("MAIL") == 1
    assert _arrived(smtp) == ["Lin@example.com", "b@xn--fsq.test", "c@example.com"]
    mail = smtp.accepted()[0].mail
    assert (mail["To"], mail["Cc"]) == ("Lin@example.com, b@xn--fsq.test", "c@example.com")


def test_one_refused_recipient_is_named_and_the_others_get_the_mail(smtp: SmtpStandIn, sender: EmailSender) -> None:
    smtp.fail("rcpt", "550 5.1.1 No such user", recipient="b@")
    outcome = sender.send(_to_three())
    assert outcome.verdict is Verdict.SENT
    assert outcome.refused == {"b@例.test": "550 5.1.1 No such user"}
    assert "b@例.test 沒有收下：550 5.1.1 No such user" in outcome.reason
    assert _arrived(smtp) == ["Lin@example.com", "c@example.com"]


def test_a_recipient_refused_for_now_holds_the_mail_up_for_some_attempts(
    smtp: SmtpStandIn, sender: EmailSender
) -> None:
    smtp.fail("rcpt", "450 4.2.0 Greylisted", recipient="c@")
    assert sender.send(_to_three()).verdict is Verdict.RETRY
    assert _arrived(smtp) == []
    outcome = sender.send(_to_three(attempts=email_channel.WHOLE_ATTEMPTS))
    assert (outcome.verdict, outcome.refused) == (Verdict.SENT, {})
    assert _arrived(smtp) == ["Lin@example.com", "b@xn--fsq.test"]


def test_all_recipients_refused_for_good(smtp: SmtpStandIn, sender: EmailSender) -> None:
    smtp.fail("rcpt", "550 5.1.1 No such user")
    outcome = sender.send(_to_three())
    assert outcome.verdict is Verdict.FAILED
    assert set(outcome.refused) == {"Lin@Example.com", "b@例.test", "c@example.com"}

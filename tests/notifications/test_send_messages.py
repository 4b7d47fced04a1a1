"""`manage.py send_messages`: here and as a process of its own, through a real mail server."""

from __future__ import annotations

import io
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from notifications.channels.base import Outcome, Verdict
from notifications.management.commands import send_messages
from notifications.models import OutboxMessage
from notifications.services import sending
from notifications.services.sweep import sweep
from tests.fakes.smtp import SmtpStandIn, running_smtp
from tests.kit.forks import Forked, fork
from tests.kit.processes import wait_until
from tests.notifications.outbox_world import Recorder, long_text, mail, mails, statuses


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Recorder:
    settings.TELEGRAM_CHAT_SECONDS = 0
    sender = Recorder()
    monkeypatch.setattr(sending, "sender_of", lambda channel: sender)
    return sender


def command(*arguments: str) -> str:
    """What it prints."""
    out = io.StringIO()
    call_command("send_messages", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_what_is_due_is_sent(recorder: Recorder) -> None:
    mails(25)
    long_text("t", 3)
    recorder.answers = [Outcome(Verdict.FAILED, "550 no"), Outcome(Verdict.UNKNOWN, "?"), Outcome(Verdict.RETRY, "450")]
    printed = command()
    assert Counter(OutboxMessage.objects.values_list("status", flat=True)) == {
        "sent": 25,
        "failed": 1,
        "held": 1,
        "pending": 1,
    }
    for word in ("電子郵件", "Telegram", "已寄出", "22", "待人工確認", "24/", "3/3"):
        assert word in printed, word


@pytest.mark.django_db
def test_one_channel_only(recorder: Recorder) -> None:
    (written,) = mails(1)
    (other,) = long_text("t", 1)
    assert "電子郵件" not in command("--channel", "telegram")
    assert statuses([written, other]) == ["pending", "sent"]


@pytest.mark.django_db
def test_nothing_is_due(recorder: Recorder) -> None:
    assert "寄送結果" in command()
    assert recorder.opened == 0


@pytest.mark.django_db
def test_a_channel_that_does_not_work(recorder: Recorder) -> None:
    mail("a")
    recorder.trouble = Outcome(Verdict.RETRY, "無法連線到郵件伺服器", of_channel=True)
    with pytest.raises(CommandError, match="電子郵件：無法連線到郵件伺服器"):
        command()


@pytest.mark.django_db
def test_dead_senders_are_swept_first(recorder: Recorder) -> None:
    (written,) = mails(1)
    OutboxMessage.objects.update(status="claimed", claimed_at="2026-01-01T00:00:00Z")
    command()
    assert statuses([written]) == ["sent"]


@pytest.mark.django_db
def test_a_database_that_is_away_is_waited_for(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    (written,) = mails(1)
    first = send_messages.drain
    answers: list[Any] = [OperationalError("away"), None]

    def drain(*args: Any, **kwargs: Any) -> Any:
        if answers and (error := answers.pop(0)) is not None:
            raise error
        if not answers and recorder.tried:
            signal.raise_signal(signal.SIGTERM)
        return first(*args, **kwargs)

    monkeypatch.setattr(send_messages, "drain", drain)
    monkeypatch.setattr(send_messages, "AWAY", 0.05)
    monkeypatch.setattr(connection, "close", lambda: None)
    command("--watch")
    assert statuses([written]) == ["sent"]


# --- As processes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpStandIn]:
    with running_smtp(tmp_path / "record") as running:
        yield running


@pytest.fixture
def start(server: SmtpStandIn, tmp_path: Path) -> Iterator[Any]:
    """Starts `send_messages --watch` on this test's database; all of them are gone after it."""
    running: list[Forked] = []

    def begin() -> Forked:
        named = connection.settings_dict["NAME"]
        environment = os.environ | {
            "DATABASE_URL": f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{named}",
            "EMAIL_URL": server.url,
            "OUTBOX_BACKOFF": "0.1",
            "PYTHONWARNINGS": "ignore",
        }
        arguments = ["manage.py", "send_messages", "--watch", "--channel", "email"]
        running.append(fork(arguments, environment=environment, log=tmp_path / "log"))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()
    print((tmp_path / "log").read_text())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_end_leaves_nothing_in_hand(server: SmtpStandIn, start: Any, number: int) -> None:
    server.fail("accepted", "250 2.0.0 Ok", delay=0.05)
    mails(60)
    process = start()
    wait_until(lambda: len(server.accepted()) >= 5, "some mails to arrive")
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    found = Counter(OutboxMessage.objects.values_list("status", flat=True))
    assert set(found) == {"sent", "pending"}
    assert found["sent"] == len(server.accepted())
    assert not OutboxMessage.objects.exclude(claim=None).exists()


@pytest.mark.django_db(transaction=True)
def test_several_at_once_and_one_killed(server: SmtpStandIn, start: Any) -> None:
    server.fail("accepted", "250 2.0.0 Ok", delay=0.02)
    mails(120)
    first, *_ = [start() for _ in range(3)]
    wait_until(lambda: len(server.accepted()) >= 10, "some mails to arrive")
    first.kill()
    first.wait()
    in_hand = OutboxMessage.objects.filter(status__in=("claimed", "sending"))
    dead = list(in_hand.values_list("pk", flat=True))

    def is_over() -> bool:
        # What the dead one had in hand, as it would be after five minutes. A living one that is swept as well is only
        # slow: it tells the end of what it was sending, and passes over what it had not begun.
        in_hand.filter(pk__in=dead).update(claimed_at="2026-01-01T00:00:00Z")
        sweep()
        return not OutboxMessage.objects.exclude(status__in=("sent", "held")).exists()

    held = OutboxMessage.objects.filter(status="held")
    wait_until(is_over, "all to be over", every=0.3)
    wait_until(lambda: held.count() <= 1, "the living to tell the end")
    heard = Counter(one.message_id for one in server.accepted())
    sent = {one.message_id for one in OutboxMessage.objects.filter(status="sent")}
    assert set(heard.values()) == {1}
    assert sent <= set(heard)
    assert len(sent) == 120 - held.count()


def test_senders_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Recorder()
    monkeypatch.setattr(sending, "_kept", {(os.getpid(), "email"): kept})
    sending.close_senders()
    assert (kept.closed, sending._kept) == (1, {})

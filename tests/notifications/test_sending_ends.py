"""Sending that ends early, meets others, or loses its database: every message still has one fate."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from notifications.channels.base import Outcome
from notifications.models import OutboxMessage
from notifications.services import recording, sending
from notifications.services.claims import begin, claim_email
from notifications.services.recording import record
from notifications.services.sending import Counts, drain
from notifications.services.sweep import sweep
from notifications.tasks import send, sweep_messages
from tests.kit.threads import at_once
from tests.notifications.outbox_world import (
    FAILED,
    RETRY,
    SENT,
    UNKNOWN,
    Recorder,
    chat,
    fresh,
    mail,
    mails,
    queue,
    release,
    run,
    statuses,
    text,
)

pytestmark = pytest.mark.usefixtures("quick_pace")


# --- Ends -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("end", [SystemExit(143), KeyboardInterrupt()])
def test_ended_while_sending(end: BaseException) -> None:
    written = mails(4)
    with pytest.raises(type(end)):
        run(Recorder(SENT, end))
    assert statuses(written) == ["sent", "sending", "pending", "pending"]
    assert [fresh(one).claim is None for one in written] == [True, False, True, True]


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["claim_due", "begin", "record"])
def test_ended_at_another_moment(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = mails(3)
    first = getattr(sending, moment)

    def end(*args: Any, **kwargs: Any) -> Any:
        if moment != "record":
            first(*args, **kwargs)
        raise SystemExit(143)

    monkeypatch.setattr(sending, moment, end)
    sender = Recorder()
    with pytest.raises(SystemExit):
        run(sender)
    begun = [] if moment == "claim_due" else ["sending"]
    assert statuses(written) == [*begun, *["pending"] * (3 - len(begun))]
    assert sum(sender.accepted.values()) == (moment == "record")


@pytest.mark.django_db
def test_told_to_stop() -> None:
    written = mails(4)
    sender = Recorder()
    counts = run(sender, stop=lambda: len(sender.tried) >= 2)
    assert counts == Counts(sent=2)
    assert statuses(written) == ["sent", "sent", "pending", "pending"]
    assert fresh(written[2]).claim is None


@pytest.mark.django_db
def test_time_is_over() -> None:
    written = mails(3)
    assert drain("email", sender=Recorder(), seconds=0, pass_on=False) == Counts()
    assert statuses(written) == ["pending"] * 3


@pytest.mark.django_db(transaction=True)
def test_what_is_left_is_passed_on() -> None:
    mails(3)
    sender = Recorder()
    with queue() as waiting:
        drain("email", sender=sender, stop=lambda: len(sender.tried) >= 1)
        assert waiting() == 1
        drain("email", sender=sender)
        assert waiting() == 1
        mail("later", due=timezone.now() + timedelta(hours=1))
        drain("email", sender=sender)
        assert waiting() == 1


@pytest.mark.django_db
def test_a_chat_with_many_messages_is_not_left_for_its_pace(settings: Any) -> None:
    settings.TELEGRAM_CHAT_SECONDS = 0.2
    for number in range(4):
        text(f"t{number}")
    sender = Recorder()
    moments: list[float] = []
    sender.during = lambda one: moments.append(time.monotonic())
    assert run(sender, "telegram") == Counts(sent=4)
    # What leaves up to a tenth late is near enough to its place.
    assert min(after - before for before, after in pairwise(moments)) > 0.2 - 0.1


@pytest.mark.django_db
def test_a_message_leaves_at_its_place_in_the_pace(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 20
    written = [text(f"t{number}", chat(number))[0] for number in range(1, 6)]
    began = timezone.now()
    run(Recorder(), "telegram")
    last = fresh(written[-1]).sent_at
    assert last is not None
    assert (last - began).total_seconds() > 0.19


# --- Others at the same time ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_taken_away_is_not_sent() -> None:
    first, second = mails(2)
    sender = Recorder()

    def take(message: OutboxMessage) -> None:
        OutboxMessage.objects.filter(pk=second.pk).update(status="cancelled", claim=None)

    sender.during = take
    assert run(sender) == Counts(sent=1, skipped=1)
    assert statuses([first, second]) == ["sent", "cancelled"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "status"), [(SENT, "sent"), (RETRY, "pending"), (FAILED, "failed"), (UNKNOWN, "held")]
)
def test_a_sender_that_was_only_slow_still_tells_the_end(outcome: Outcome, status: str) -> None:
    (message,) = mails(1)
    sender = Recorder(outcome)
    seen = []

    def oversleep(one: OutboxMessage) -> None:
        sweep(now=timezone.now() + timedelta(hours=1))
        seen.append(fresh(one).status)

    sender.during = oversleep
    run(sender)
    assert seen == ["held"]
    assert fresh(message).status == status


@pytest.mark.django_db
def test_a_slow_sender_does_not_undo_what_a_person_decided(caplog: Any) -> None:
    (message,) = mails(1)
    sender = Recorder()

    def decide(one: OutboxMessage) -> None:
        sender.during = lambda again: None
        sweep(now=timezone.now() + timedelta(hours=1))
        release(fresh(one))

    sender.during = decide
    counts = run(sender)
    # The person had it sent again; both times it was accepted.
    assert counts == Counts(sent=1, skipped=1)
    assert sender.accepted["k0"] == 2
    assert fresh(message).status == "sent"
    assert "a person decided meanwhile" in caplog.text


# --- The database goes away -----------------------------------------------------------------------------------------


def cut() -> None:
    """End the server's side of this thread's connection."""
    pid = connection.connection.info.backend_pid
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as admin:
        assert admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("outcome", [SENT, FAILED, UNKNOWN])
def test_cut_off_while_sending(outcome: Outcome) -> None:
    written = mails(3)
    sender = Recorder(SENT, outcome)
    sender.during = lambda one: cut() if one.pk == written[1].pk else None
    run(sender)
    kept = fresh(written[1])
    assert (kept.status, kept.attempts) == (outcome.verdict.value.replace("unknown", "held"), 1)
    assert statuses(written)[::2] == ["sent", "sent"]
    assert set(sender.accepted.values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_cut_off_after_the_mark_was_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer got lost: the message was not handed over, so that it is sent, and once."""
    mail("a")
    cuts = [True]

    def mark(message: OutboxMessage) -> bool:
        done = begin(message)
        if cuts.pop() if cuts else False:
            raise OperationalError("server closed the connection unexpectedly")
        return done

    monkeypatch.setattr(sending, "begin", mark)
    sender = Recorder()
    assert run(sender) == Counts(sent=1)
    assert (sender.accepted["a"], OutboxMessage.objects.get().attempts) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_cut_off_after_the_outcome_was_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    mail("a")
    first = recording._record
    cuts = [True]

    def write(message: OutboxMessage, outcome: Outcome) -> str:
        status = first(message, outcome)
        if cuts:
            cuts.pop()
            raise OperationalError("server closed the connection unexpectedly")
        return status

    monkeypatch.setattr(recording, "_record", write)
    run(Recorder())
    assert OutboxMessage.objects.get().status == "sent"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_away(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    written = mails(3)

    def away(message: OutboxMessage, outcome: Outcome) -> str:
        raise OperationalError("the database is away")

    monkeypatch.setattr(sending, "record", away)
    with pytest.raises(OperationalError):
        run(Recorder())
    assert statuses(written) == ["sending", "pending", "pending"]
    assert "cannot be recorded" in caplog.text
    sweep(now=timezone.now() + timedelta(hours=1))
    assert statuses(written)[0] == "held"


@pytest.mark.django_db(transaction=True)
def test_a_mark_that_cannot_be_written_leaves_the_message_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    written = mails(2)

    def half(message: OutboxMessage) -> bool:
        begin(message)
        raise OperationalError("away")

    monkeypatch.setattr(sending, "begin", half)
    monkeypatch.setattr(sending, "MARK_PATIENCE", 0.2)
    sender = Recorder()
    with pytest.raises(OperationalError):
        run(sender)
    assert not sender.tried
    assert statuses(written) == ["pending", "pending"]


@pytest.mark.django_db
def test_no_claim_is_no_outcome() -> None:
    (message,) = mails(1)
    (taken,) = claim_email(1)
    assert record(taken.message, SENT) == ""
    assert fresh(message).status == "claimed"


# --- Senders of a process -------------------------------------------------------------------------------------------


def test_a_process_keeps_one_sender_a_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_kept", {})
    monkeypatch.setattr(sending, "_CLASSES", dict.fromkeys(("email", "telegram"), Recorder))
    mails_sender = sending.sender_of("email")
    assert isinstance(mails_sender, Recorder)
    assert sending.sender_of("email") is mails_sender
    assert sending.sender_of("telegram") is not mails_sender
    parent = os.getpid()
    monkeypatch.setattr(sending.os, "getpid", lambda: parent + 1)
    assert sending.sender_of("email") is not mails_sender
    sending.close_senders()
    assert mails_sender.closed == 0
    monkeypatch.setattr(sending.os, "getpid", lambda: parent)
    sending.close_senders()
    assert mails_sender.closed == 1


# --- Tasks ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Recorder()
    monkeypatch.setattr(sending, "sender_of", lambda channel: sender)
    mail("a")
    text("b")
    with queue() as waiting:
        sweep_messages()
        assert waiting() == 2
    send("email")
    send("telegram")
    assert sorted(sender.accepted) == ["a", "b"]
    with queue() as waiting:
        sweep_messages()
        assert waiting() == 0


@pytest.mark.django_db(transaction=True)
def test_many_senders_at_once_send_each_message_once(settings: Any, caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL)
    written = mails(200)
    sender = Recorder()
    lock = threading.Lock()

    class Shared(Recorder):
        def send(self, message: OutboxMessage) -> Outcome:
            with lock:
                return sender.send(message)

    works: list[Callable[[], Counts]] = [lambda: run(Shared())] * 4
    counts = at_once(*works)
    assert sum(one.sent for one in counts) == 200
    assert sender.accepted == {one.key: 1 for one in written}

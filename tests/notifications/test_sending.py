"""Sending: every verdict, chains, rest, giving up, and ends at the worst moments."""

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

from notifications.channels.base import Outcome, Verdict
from notifications.models import OutboxMessage, Pace
from notifications.selectors import channel_pause
from notifications.services import recording, senders, sending
from notifications.services.attachments import File
from notifications.services.claims import begin, claim_email
from notifications.services.control import release
from notifications.services.recording import record
from notifications.services.sending import Counts, drain
from notifications.services.sweep import sweep
from notifications.tasks import send, watch
from tests.notifications.outbox_world import (
    SENT,
    Recorder,
    at_once,
    chat,
    fresh,
    long_text,
    mail,
    mails,
    queue,
    statuses,
    text,
)

SLOW = Outcome(Verdict.RETRY, "450 4.2.1 Mailbox busy", wait=600)
RETRY = Outcome(Verdict.RETRY, "451 Try again later")
FAILED = Outcome(Verdict.FAILED, "550 5.1.1 No such user")
UNKNOWN = Outcome(Verdict.UNKNOWN, "連線在送出後中斷")
AWAY = Outcome(Verdict.RETRY, "無法連線到郵件伺服器", everybody=True)


@pytest.fixture(autouse=True)
def _pace(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 1000
    settings.TELEGRAM_CHAT_SECONDS = settings.TELEGRAM_GROUP_SECONDS = 0
    settings.OUTBOX_BACKOFF = 10


def run(sender: Recorder, channel: str = "email", **values: Any) -> Counts:
    return drain(channel, sender=sender, seconds=30, pass_on=False, **values)


# --- Verdicts -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_sent() -> None:
    written = mails(45)
    number = written[0].message_id
    sender = Recorder()
    assert run(sender) == Counts(sent=45)
    assert [one.key for one in sender.tried] == [one.key for one in written]
    assert set(sender.accepted.values()) == {1}
    kept = fresh(written[0])
    assert (kept.status, kept.attempts, kept.claim, kept.reason, kept.message_id) == ("sent", 1, None, "", number)
    assert kept.sent_at == kept.finished_at
    assert kept.sent_at is not None
    assert run(sender) == Counts()


@pytest.mark.django_db
def test_what_is_handed_over_is_marked_before() -> None:
    (message,) = mails(1)
    sender = Recorder()
    seen = []
    sender.during = lambda one: seen.append(fresh(one).status)
    run(sender)
    assert (seen, fresh(message).status) == (["sending"], "sent")


@pytest.mark.django_db
def test_telegram_keeps_the_number_that_it_became() -> None:
    (message,) = text("a")
    assert run(Recorder(), "telegram") == Counts(sent=1)
    assert fresh(message).message_id == "4711"


@pytest.mark.django_db
def test_a_message_that_the_server_wants_later() -> None:
    (message,) = mails(1)
    before = timezone.now()
    assert run(Recorder(RETRY)) == Counts(retried=1)
    kept = fresh(message)
    assert (kept.status, kept.attempts, kept.reason, kept.claim) == ("pending", 1, RETRY.reason, None)
    assert 7 < (kept.next_attempt_at - before).total_seconds() < 11
    assert kept.finished_at is None


@pytest.mark.django_db
def test_waits_are_doubled_up_to_an_hour() -> None:
    (message,) = mails(1)
    for place in range(12):
        OutboxMessage.objects.update(next_attempt_at=timezone.now())
        run(Recorder(RETRY))
        seconds = (fresh(message).next_attempt_at - timezone.now()).total_seconds()
        full = min(3600, 10 * 2**place)
        assert 0.8 * full - 2 < seconds <= full
    assert fresh(message).attempts == 12


@pytest.mark.django_db
@pytest.mark.parametrize(("wait", "seconds"), [(600, 600), (1, 10), (10**12, 24 * 3600)])
def test_a_wait_that_the_server_asks_for(wait: float, seconds: float) -> None:
    (message,) = mails(1)
    run(Recorder(Outcome(Verdict.RETRY, "later", wait=wait)))
    left = (fresh(message).next_attempt_at - timezone.now()).total_seconds()
    assert 0.8 * seconds - 2 < left <= seconds


@pytest.mark.django_db
def test_refused_for_good() -> None:
    first, second = mails(2)
    assert run(Recorder(FAILED)) == Counts(failed=1, sent=1)
    kept = fresh(first)
    assert (kept.status, kept.reason, kept.attempts, kept.claim) == ("failed", FAILED.reason, 1, None)
    assert kept.finished_at is not None
    assert kept.sent_at is None
    assert statuses([second]) == ["sent"]


@pytest.mark.django_db
def test_what_nobody_knows_is_held() -> None:
    (message,) = mails(1)
    assert run(Recorder(UNKNOWN)) == Counts(held=1)
    kept = fresh(message)
    assert (kept.status, kept.reason, kept.attempts) == ("held", UNKNOWN.reason, 1)
    assert run(Recorder()) == Counts()


@pytest.mark.django_db
def test_a_sender_that_breaks_holds_its_message_and_goes_on(caplog: Any) -> None:
    first, _ = mails(2)
    assert run(Recorder(ZeroDivisionError("a bug"))) == Counts(held=1, sent=1)
    assert fresh(first).reason == sending.BROKEN
    assert "ZeroDivisionError" in caplog.text


# --- Chains ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_parts_follow_each_other() -> None:
    sheet = File("a.csv", b"a,b", "text/csv")
    chain = text("t", body="\n".join("字" * 4000 for _ in range(3)), files=[sheet])
    sender = Recorder()
    seen: list[list[str]] = []
    sender.during = lambda one: seen.append(statuses(chain))
    assert run(sender, "telegram") == Counts(sent=4)
    assert [one.pk for one in sender.tried] == [one.pk for one in chain]
    assert seen[1] == ["sent", "sending", "waiting", "waiting"]
    assert [bytes(file.content) for file in sender.tried[3].attachments.all()] == [b"a,b"]


@pytest.mark.django_db
def test_the_rest_falls_with_a_part_that_fails() -> None:
    chain = long_text("t", 4)
    other = text("other", due=timezone.now() + timedelta(seconds=0.5))
    sender = Recorder(SENT, FAILED)
    assert run(sender, "telegram").failed == 1
    assert statuses(chain) == ["sent", "failed", "cancelled", "cancelled"]
    assert statuses(other) == ["sent"]
    assert "前一則" in fresh(chain[-1]).reason
    assert fresh(chain[-1]).finished_at is not None


@pytest.mark.django_db
def test_the_rest_waits_for_a_part_that_is_held_or_put_off() -> None:
    chain = long_text("t", 3)
    run(Recorder(UNKNOWN), "telegram")
    assert statuses(chain) == ["held", "waiting", "waiting"]
    other = long_text("u", 2)
    run(Recorder(RETRY), "telegram")
    assert statuses(other) == ["pending", "waiting"]


@pytest.mark.django_db
def test_a_part_has_its_own_time_from_when_it_may_be_sent() -> None:
    chain = long_text("t", 2)
    OutboxMessage.objects.update(due_at=timezone.now() - timedelta(hours=40))
    run(Recorder(SENT, RETRY), "telegram")
    assert timezone.now() - fresh(chain[1]).due_at < timedelta(minutes=1)


# --- Chats ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_chat_that_takes_nothing_more() -> None:
    to = chat(1)
    first, second, other = text("a", to)[0], text("b", to)[0], text("c", chat(2))[0]
    chain = long_text("d", 2, to=to)
    blocked = Outcome(Verdict.FAILED, "Forbidden: bot was blocked by the user", chat_off=True)
    sender = Recorder(blocked)
    run(sender, "telegram")
    assert [one.key for one in sender.tried] == ["a", "c"]
    to.refresh_from_db()
    assert not to.is_active
    assert "blocked" in to.note
    run(sender, "telegram")
    assert statuses([first, second, other, *chain]) == ["failed", "failed", "sent", "failed", "failed"]
    assert to.note in fresh(second).reason


@pytest.mark.django_db
def test_a_group_that_moved() -> None:
    (message,) = text("a", chat(-100))
    moved = Outcome(Verdict.RETRY, "group chat was upgraded", moved_to="-1001234567890")
    sender = Recorder(moved)
    assert run(sender, "telegram") == Counts(retried=1, sent=1)
    assert len(sender.tried) == 2
    kept = fresh(message)
    assert kept.chat is not None
    assert (kept.status, kept.chat.chat_id) == ("sent", "-1001234567890")


@pytest.mark.django_db
def test_a_chat_that_asks_for_a_wait_gets_nothing_meanwhile() -> None:
    to = chat(1)
    (first,), (second,), (other,) = text("a", to), text("b", to), text("c", chat(2))
    sender = Recorder(Outcome(Verdict.RETRY, "Too Many Requests", wait=30))
    run(sender, "telegram")
    assert statuses([first, second, other]) == ["pending", "pending", "sent"]
    to.refresh_from_db()
    assert 25 < (to.next_at - timezone.now()).total_seconds() <= 30


# --- The whole channel ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_way_to_the_server_harms_no_message() -> None:
    written = mails(3)
    sender = Recorder(trouble=AWAY)
    assert run(sender) == Counts()
    assert sender.opened == 1
    assert statuses(written) == ["pending"] * 3
    assert fresh(written[0]).attempts == 0
    paused = channel_pause("email")
    assert paused is not None
    assert (paused.reason, paused.troubles) == (AWAY.reason, 1)
    # Nobody else tries meanwhile.
    other = Recorder()
    assert run(other) == Counts()
    assert other.opened == 0
    Pace.objects.update(paused_until=timezone.now())
    assert run(other) == Counts(sent=3)
    assert channel_pause("email") is None
    assert Pace.objects.get(channel="email").troubles == 0


@pytest.mark.django_db
def test_a_server_that_is_lost_half_way() -> None:
    written = mails(5)
    sender = Recorder(SENT, SENT, AWAY)
    assert run(sender) == Counts(sent=2)
    assert statuses(written) == ["sent", "sent", "pending", "pending", "pending"]
    kept = fresh(written[2])
    assert (kept.attempts, kept.claim, kept.reason) == (0, None, AWAY.reason)
    assert kept.next_attempt_at == written[2].next_attempt_at
    assert fresh(written[3]).claim is None
    assert channel_pause("email") is not None


@pytest.mark.django_db
def test_a_server_that_is_lost_between_two_messages() -> None:
    written = mails(3)
    sender = Recorder()

    def lose(message: OutboxMessage) -> None:
        sender.trouble = AWAY

    sender.during = lose
    assert run(sender) == Counts(sent=1)
    assert statuses(written) == ["sent", "pending", "pending"]
    assert [fresh(one).attempts for one in written] == [1, 0, 0]


@pytest.mark.django_db
def test_the_channels_wait_is_obeyed() -> None:
    mail("a")
    run(Recorder(trouble=Outcome(Verdict.RETRY, "Too Many Requests", wait=900, everybody=True)))
    paused = channel_pause("email")
    assert paused is not None
    assert (paused.until - timezone.now()).total_seconds() > 890


# --- Giving up ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("due", "created", "status"), [(49, 49, "failed"), (47, 47, "pending"), (1, 49, "pending"), (49, 1, "pending")]
)
def test_what_never_got_through_fails_in_the_end(due: int, created: int, status: str) -> None:
    mail("a")
    now = timezone.now()
    ago = {"due_at": now - timedelta(hours=due), "created_at": now - timedelta(hours=created)}
    OutboxMessage.objects.update(**ago)
    run(Recorder(SLOW))
    kept = OutboxMessage.objects.get()
    assert (kept.status, kept.reason) == (status, SLOW.reason)


@pytest.mark.django_db
def test_the_last_attempt_may_be_the_channels_fault() -> None:
    first, second = mails(2)
    long_ago = timezone.now() - timedelta(hours=49)
    OutboxMessage.objects.update(due_at=long_ago, created_at=long_ago)
    assert run(Recorder(AWAY)) == Counts(failed=1)
    assert statuses([first, second]) == ["failed", "pending"]
    assert fresh(first).reason == AWAY.reason


@pytest.mark.django_db
def test_the_rest_of_a_text_falls_with_a_part_that_is_given_up() -> None:
    chain = long_text("t", 2)
    long_ago = timezone.now() - timedelta(hours=49)
    OutboxMessage.objects.update(due_at=long_ago, created_at=long_ago)
    run(Recorder(RETRY), "telegram")
    assert statuses(chain) == ["failed", "cancelled"]


@pytest.mark.django_db
def test_an_old_message_that_gets_through_is_sent() -> None:
    mail("a")
    long_ago = timezone.now() - timedelta(hours=490)
    OutboxMessage.objects.update(due_at=long_ago, created_at=long_ago)
    assert run(Recorder()) == Counts(sent=1)


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
def test_persistence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def away() -> None:
        tries.append(1)
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        recording.persistently(away, seconds=0.3)
    assert len(tries) > 2


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
    monkeypatch.setattr(senders, "_kept", {})
    monkeypatch.setattr(senders, "import_string", lambda path: Recorder)
    mails_sender = senders.sender_of("email")
    assert isinstance(mails_sender, Recorder)
    assert senders.sender_of("email") is mails_sender
    assert senders.sender_of("telegram") is not mails_sender
    parent = os.getpid()
    monkeypatch.setattr(senders.os, "getpid", lambda: parent + 1)
    assert senders.sender_of("email") is not mails_sender
    senders.close_senders()
    assert mails_sender.closed == 0
    monkeypatch.setattr(senders.os, "getpid", lambda: parent)
    senders.close_senders()
    assert mails_sender.closed == 1


# --- Tasks ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Recorder()
    monkeypatch.setattr(sending, "sender_of", lambda channel: sender)
    mail("a")
    text("b")
    with queue() as waiting:
        watch()
        assert waiting() == 2
    send("email")
    send("telegram")
    assert sorted(sender.accepted) == ["a", "b"]
    with queue() as waiting:
        watch()
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

"""Whatever order things happen in: nothing is accepted twice unless a person had it sent again, and nothing is lost.

Some senders at once, each at some point of its work, may die there, or be so slow that they are swept; people decide
meanwhile; the server says what it likes. The steps are the product's own, one statement after the other.
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from momo.core.errors import Conflict
from notifications.channels.base import Outcome, Verdict
from notifications.models import Chat, OutboxMessage, Pace
from notifications.services.claims import Claimed, begin, claim_due, give_back
from notifications.services.recording import record
from notifications.services.sending import drain
from notifications.services.sweep import sweep
from tests.notifications.outbox_world import Recorder, cancel, long_text, mail, mark_sent, release, retry

WORKERS = st.integers(0, 1)
LATER = timedelta(hours=1)  # longer than a sender may be silent
# What the server says, and whether it took the message.
SAID = {
    "sent": (Outcome(Verdict.SENT, message_id="1"), True),
    "lost after": (Outcome(Verdict.UNKNOWN, "連線中斷"), True),
    "lost before": (Outcome(Verdict.UNKNOWN, "連線中斷"), False),
    "later": (Outcome(Verdict.RETRY, "451 later"), False),
    "away": (Outcome(Verdict.RETRY, "連不上", of_channel=True), False),
    "refused": (Outcome(Verdict.FAILED, "550 no"), False),
}
ANSWERS = st.lists(st.sampled_from(["sent", "sent", *SAID]), min_size=2, max_size=7)
ENDS = st.sampled_from(["", "", "stopped", "killed"])


class Worker:
    """A sender, as far as it has come."""

    def __init__(self) -> None:
        self.claim = uuid.uuid4()
        self.batch: list[Claimed] = []
        self.begun: OutboxMessage | None = None
        self.outcome: Outcome | None = None


class Outbox(RuleBasedStateMachine):
    @initialize()
    def empty(self) -> None:
        OutboxMessage.objects.update(after=None)
        for model in (OutboxMessage, Pace, Chat):
            model.objects.all().delete()
        self.workers = [Worker() for _ in range(2)]
        self.accepted: Counter[int] = Counter()
        self.again: Counter[int] = Counter()  # how often a person had it sent though it may have arrived
        self.believed: set[int] = set()  # people say that it arrived
        self.written: list[int] = []
        for channel in ("email", "telegram"):
            self.enqueue(channel)

    def enqueue(self, channel: str) -> None:
        key = f"k{len(self.written)}"
        self.written += [one.pk for one in ([mail(key)] if channel == "email" else long_text(key, 2))]

    # --- A sender's steps -------------------------------------------------------------------------------------------

    @rule(place=WORKERS, answers=ANSWERS, end=ENDS)
    def mails_are_sent(self, place: int, answers: list[str], end: str) -> None:
        self.work(place, "email", answers, end)

    @rule(place=WORKERS, answers=ANSWERS, end=ENDS)
    def texts_are_sent(self, place: int, answers: list[str], end: str) -> None:
        self.work(place, "telegram", answers, end)

    def work(self, place: int, channel: str, answers: list[str], end: str) -> None:
        """Some steps of one sender, and perhaps its end; `answers`: of the server at each step, if it is asked."""
        for said in answers:
            self.go_on(place, channel, said)
        if end == "stopped":
            # What it is sending stays so, the rest goes back.
            give_back(self.workers[place].claim)
        if end:
            self.workers[place] = Worker()

    def go_on(self, place: int, channel: str, said: str) -> None:
        """The next step of one sender: claim, mark, hand over, or write down."""
        worker = self.workers[place]
        if worker.begun is not None and worker.outcome is not None:
            record(worker.begun, worker.outcome)
            worker.begun = None
        elif worker.begun is not None:
            worker.outcome, taken = SAID[said]
            self.accepted[worker.begun.pk] += taken
        elif worker.batch:
            message = worker.batch.pop(0).message
            worker.begun = message if begin(message) else None
            worker.outcome = None
        else:
            worker = self.workers[place] = Worker()
            worker.batch = claim_due(channel, 2, claim=worker.claim)
            if not worker.batch:  # there is always something to do
                self.time_passes()
                self.enqueue(channel)

    # --- The house --------------------------------------------------------------------------------------------------

    @rule(silent=st.sampled_from([True, True, False]), waits_are_over=st.booleans())
    def sweep_runs(self, silent: bool, waits_are_over: bool) -> None:
        sweep(now=timezone.now() + LATER if silent else None)
        if waits_are_over:
            self.time_passes()

    def time_passes(self) -> None:
        """Waits are over."""
        past = timezone.now() - timedelta(minutes=1)
        OutboxMessage.objects.update(next_attempt_at=past)
        Chat.objects.update(next_at=past)
        Pace.objects.update(next_at=past, paused_until=None)

    # --- People -----------------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1000), decide=st.sampled_from([retry, cancel, release, mark_sent]))
    def person(self, which: int, decide: Any) -> None:
        """Mostly about what asks for a person."""
        asking = list(OutboxMessage.objects.filter(status__in=("held", "failed")).order_by("pk"))
        everything = asking or list(OutboxMessage.objects.order_by("pk"))
        message = everything[which % len(everything)]
        try:
            decide(message)
        except Conflict:
            return
        self.again[message.pk] += decide is release
        if decide is mark_sent:
            self.believed.add(message.pk)

    # --- What always holds ------------------------------------------------------------------------------------------

    @invariant()
    def nothing_twice(self) -> None:
        for pk, times in self.accepted.items():
            assert times <= 1 + self.again[pk]

    @invariant()
    def nothing_is_believed_that_did_not_happen(self) -> None:
        for pk in OutboxMessage.objects.filter(status="sent").values_list("pk", flat=True):
            assert self.accepted[pk] or pk in self.believed

    @invariant()
    def nothing_is_lost(self) -> None:
        assert OutboxMessage.objects.count() == len(self.written)
        waiting = OutboxMessage.objects.filter(status="waiting")
        assert not waiting.filter(after__status__in=("sent", "failed", "cancelled")).exists()
        in_hand = OutboxMessage.objects.filter(status__in=("claimed", "sending"))
        assert not in_hand.filter(claim=None).exists()
        assert not OutboxMessage.objects.filter(status="pending").exclude(claim=None).exists()

    @invariant()
    def no_part_goes_before_the_one_that_it_follows(self) -> None:
        on_its_way = OutboxMessage.objects.filter(status__in=("pending", "claimed", "sending", "held", "sent"))
        assert not on_its_way.filter(after__isnull=False).exclude(after__status="sent").exists()

    def teardown(self) -> None:
        """All senders die; the next ones find a server that takes everything, and a person releases what is held."""
        if not hasattr(self, "written"):
            return
        server = Recorder()
        for _ in range(4):
            sweep(now=timezone.now() + LATER)
            for message in OutboxMessage.objects.filter(status="held"):
                release(message)
                self.again[message.pk] += 1
            self.time_passes()
            for channel in ("email", "telegram"):
                drain(channel, sender=server, seconds=20, pass_on=False)
        for message in server.tried:
            self.accepted[message.pk] += 1
        self.nothing_twice()
        self.nothing_is_believed_that_did_not_happen()
        self.nothing_is_lost()
        ended = dict(OutboxMessage.objects.values_list("pk", "status"))
        assert set(ended.values()) <= {"sent", "failed", "cancelled"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("examples", [8, pytest.param(60, marks=pytest.mark.long)])
def test_whatever_happens(examples: int, settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 1000
    settings.TELEGRAM_CHAT_SECONDS = settings.TELEGRAM_GROUP_SECONDS = 0
    run_state_machine_as_test(Outbox, settings=hypothesis_settings(PROFILE, max_examples=examples))


# Without a search for the shortest example, which would take minutes with a database.
PROFILE = hypothesis_settings(
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

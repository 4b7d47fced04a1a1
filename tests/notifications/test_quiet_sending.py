"""Quiet hours hold at the moment of sending too: for what waited, was refused for now, or came out of a backlog."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.channels.base import Outcome, Verdict
from notifications.models import Channel, Chat, OutboxMessage, Subscription
from notifications.services.sending import Counts
from tests.notifications.outbox_world import (
    RETRY,
    SENT,
    SLOW,
    Recorder,
    chat,
    fresh,
    long_text,
    mail,
    release,
    retry,
    run,
    text,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_pace")]


def hours(start: timedelta, end: timedelta, to: Chat | None = None) -> tuple[Subscription, datetime]:
    """A subscription that is quiet from and until so long from now, and when that ends."""
    now = timezone.localtime()
    until = now + end
    where: dict[str, Any] = {"channel": Channel.EMAIL, "address": "wang@example.com"}
    if to is not None:
        where = {"channel": Channel.TELEGRAM, "chat": to}
    made = Subscription.objects.create(
        name="夜", event="system_alert", quiet_from=(now + start).time(), quiet_until=until.time(), **where
    )
    return made, until


def quiet_now(to: Chat | None = None) -> tuple[Subscription, datetime]:
    return hours(timedelta(hours=-1), timedelta(hours=7), to)


def test_what_came_out_of_a_backlog_waits_for_the_end() -> None:
    subscription, until = quiet_now()
    kept, loud = mail("a", subscription=subscription), mail("b")
    sender = Recorder()
    assert run(sender) == Counts(sent=1, skipped=1)
    assert [one.key for one in sender.tried] == [loud.key]
    kept = fresh(kept)
    assert (kept.status, kept.claim, kept.attempts, kept.next_attempt_at) == ("pending", None, 0, until)
    # It is asked for no second time.
    assert run(sender) == Counts()


def test_what_was_refused_for_now_is_tried_after_them() -> None:
    subscription, until = hours(timedelta(minutes=5), timedelta(hours=8))
    busy, soon = mail("a", subscription=subscription), mail("b", subscription=subscription)
    run(Recorder(SLOW, RETRY))
    assert fresh(busy).next_attempt_at == until
    assert fresh(soon).next_attempt_at < timezone.now() + timedelta(seconds=11)


def test_what_a_person_sends_again_goes_at_once() -> None:
    subscription, until = quiet_now()
    for decide, status in ((retry, "failed"), (release, "held")):
        message = mail(status, subscription=subscription)
        OutboxMessage.objects.filter(pk=message.pk).update(status=status, reason="550 No such user")
        decide(fresh(message))
    refused = Recorder(RETRY)
    assert run(refused) == Counts(retried=1, sent=1)
    # At once is once: what comes of itself after that is quiet.
    assert fresh(refused.tried[0]).next_attempt_at == until


def test_the_rest_of_a_text_follows_what_a_person_sends_again() -> None:
    subscription, _ = quiet_now(chat())
    chain = long_text("t", 3, subscription=subscription)
    OutboxMessage.objects.filter(pk=chain[0].pk).update(status="failed", reason="400")
    retry(fresh(chain[0]))
    assert run(Recorder(), "telegram") == Counts(sent=3)


def test_a_text_that_has_begun_is_not_cut_in_two() -> None:
    subscription, until = quiet_now(chat())
    chain = long_text("t", 3, subscription=subscription)
    OutboxMessage.objects.filter(pk=chain[0].pk).update(status="sent")
    OutboxMessage.objects.filter(pk=chain[1].pk).update(status="pending", due_at=timezone.now())
    assert run(Recorder(SENT, RETRY), "telegram") == Counts(sent=1, retried=1)
    assert fresh(chain[2]).next_attempt_at == until


def test_a_part_that_waited_for_its_channel_for_long_waits_for_the_end_too() -> None:
    subscription, until = quiet_now(chat())
    chain = long_text("t", 2, subscription=subscription)
    OutboxMessage.objects.filter(pk=chain[0].pk).update(status="sent")
    ago = timezone.now() - timedelta(hours=2)
    OutboxMessage.objects.filter(pk=chain[1].pk).update(status="pending", due_at=ago, next_attempt_at=ago)
    assert run(Recorder(), "telegram") == Counts(skipped=1)
    assert fresh(chain[1]).next_attempt_at == until


def test_a_group_that_moved_is_followed_at_once() -> None:
    subscription, _ = hours(timedelta(minutes=5), timedelta(hours=8), chat(-100))
    text("a", chat(-100), subscription=subscription)
    moved = Outcome(Verdict.RETRY, "group chat was upgraded", moved_to="-1001234567890")
    assert run(Recorder(moved), "telegram") == Counts(retried=1, sent=1)


def test_a_message_of_nobodys_subscription_knows_no_quiet() -> None:
    quiet_now()
    mail("a")
    assert run(Recorder()) == Counts(sent=1)


def test_it_costs_one_statement_a_claim() -> None:
    subscription, _ = hours(timedelta(hours=1), timedelta(hours=2))
    counts = []
    for place, values in enumerate([{}, {"subscription": subscription}]):
        for number in range(9):
            mail(f"{place}-{number}", **values)
        with CaptureQueriesContext(connection) as caught:
            assert run(Recorder(*[RETRY] * 3)) == Counts(sent=6, retried=3)
        counts.append(len(caught))
        OutboxMessage.objects.update(status="sent")
    assert counts[1] == counts[0] + 1

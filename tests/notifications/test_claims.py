"""Claiming: each message has one sender, chats have their pace, all processes together have theirs."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import chain, pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications.channels.base import Outcome, Verdict
from notifications.models import Chat, OutboxMessage, Pace
from notifications.services.claims import Claimed, begin, claim_due, claim_email, claim_telegram, give_back
from notifications.services.recording import pause, record, resume
from tests.kit.threads import at_once
from tests.notifications.outbox_world import chat, fresh, mail, mails, plans, statuses, text

SECOND = timedelta(seconds=1)
FILL = """
INSERT INTO notifications_outboxmessage (channel, key, event, recipient, chat_id, subject, body, body_html, reply_to,
    status, attempts, next_attempt_at, due_at, reason, message_id, template_code, created_at, finished_at)
SELECT %(channel)s, %(status)s || n, 'e', 'r', %(chat)s::bigint + n %% %(chats)s, '', '', '', '',
    %(status)s, 0, now() - interval '1 hour' + n * interval '1 ms', now(), '', '', '', now(),
    CASE WHEN %(status)s = 'sent' THEN now() END
FROM generate_series(1, %(rows)s) n
"""


@pytest.fixture(autouse=True)
def _pace(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 30
    settings.TELEGRAM_CHAT_SECONDS = 1
    settings.TELEGRAM_GROUP_SECONDS = 3


def numbers(claimed: list[Claimed]) -> list[int]:
    return [one.message.pk for one in claimed]


# --- Mails ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_longest_due_come_first() -> None:
    now = timezone.now()
    late, early = mail("late"), mail("early", due=now - timedelta(hours=1))
    mail("tomorrow", due=now + timedelta(days=1))
    text("other")
    claim = uuid.uuid4()
    taken = claim_email(20, claim=claim)
    assert numbers(taken) == [early.pk, late.pk]
    for one in taken:
        kept = fresh(one.message)
        assert (kept.status, kept.claim, kept.attempts) == ("claimed", claim, 0)
        assert (one.message.status, one.message.claim) == ("claimed", claim)
        assert kept.claimed_at is not None
    assert claim_email(20) == []


@pytest.mark.django_db
def test_no_more_than_asked_for() -> None:
    written = mails(7)
    assert numbers(claim_email(5)) == [one.pk for one in written[:5]]
    assert numbers(claim_email(5)) == [one.pk for one in written[5:]]


@pytest.mark.django_db
@pytest.mark.parametrize("status", [one for one in OutboxMessage.Status.values if one != "pending"])
def test_only_what_waits_is_claimed(status: str) -> None:
    mail("a")
    text("b")
    OutboxMessage.objects.update(status=status)
    assert claim_email(5) == []
    assert claim_telegram(5) == []


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_get_different_messages() -> None:
    written = mails(60)
    answers = at_once(*[lambda: numbers(claim_email(15))] * 4)
    assert [len(answer) for answer in answers] == [15] * 4
    assert sorted(chain.from_iterable(answers)) == [one.pk for one in written]


@pytest.mark.django_db(transaction=True)
def test_a_claim_does_not_wait_for_another() -> None:
    written = mails(4)
    with transaction.atomic():
        mine = numbers(claim_email(2))
        (others,) = at_once(lambda: numbers(claim_email(9)))
    assert (mine, others) == ([one.pk for one in written[:2]], [one.pk for one in written[2:]])


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["email", "telegram"])
def test_a_channel_at_rest_is_left_alone(channel: str) -> None:
    mail("a")
    text("b")
    claims: dict[str, Callable[..., list[Claimed]]] = {"email": claim_email, "telegram": claim_telegram}
    until = pause(channel, "連不上")
    assert claims.pop(channel)(5) == []
    assert len(next(iter(claims.values()))(5)) == 1
    assert len((claim_email if channel == "email" else claim_telegram)(5, now=until + SECOND)) == 1


@pytest.mark.django_db
def test_rest_ends_when_the_channel_works() -> None:
    mail("a")
    pause("email", "連不上")
    resume("email")
    assert len(claim_email(5)) == 1
    assert Pace.objects.get(channel="email").troubles == 0


def test_rest_grows_with_each_trouble(db: None, settings: Any) -> None:
    settings.OUTBOX_BACKOFF = 10
    now = timezone.now()
    lengths = []
    for _ in range(8):
        until = pause("email", "連不上", now=now)
        # Who runs into the same trouble meanwhile does not make it longer.
        assert pause("email", "連不上", now=now) == until
        lengths.append((until - now).total_seconds())
        now = until
    for length, least in zip(lengths, [8, 16, 32, 64, 128, 240, 240, 240], strict=True):
        assert least <= length <= least / 0.8
    assert pause("email", "Too Many Requests", wait=900, now=now) == now + timedelta(seconds=900)
    assert Pace.objects.get(channel="email").troubles == 9


# --- Telegram -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_message_a_chat() -> None:
    people = [chat(number) for number in (1, 2, 3)]
    written = {person.pk: [text(f"{person.pk}-{n}", person)[0] for n in range(3)] for person in people}
    now = timezone.now()
    taken = claim_telegram(20, now=now)
    assert sorted(numbers(taken)) == [messages[0].pk for messages in written.values()]
    assert claim_telegram(20, now=now) == []
    again = claim_telegram(20, now=now + 1.2 * SECOND)
    assert sorted(numbers(again)) == [messages[1].pk for messages in written.values()]


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "seconds"), [("1001", 1), ("-1001", 3), ("@momo_news", 3)])
def test_a_chat_has_its_pace(number: str, seconds: int) -> None:
    to = chat(number)
    text("a", to)
    text("b", to)
    now = timezone.now()
    (taken,) = claim_telegram(20, now=now)
    to.refresh_from_db()
    assert to.next_at == taken.leaves_at + timedelta(seconds=seconds)
    assert claim_telegram(20, now=to.next_at - timedelta(milliseconds=1)) == []
    assert len(claim_telegram(20, now=to.next_at)) == 1


@pytest.mark.django_db
def test_the_chat_that_waits_longest_comes_first() -> None:
    now = timezone.now()
    for number, ago in ((1, 5), (2, 9), (3, 7)):
        text(f"t{number}", chat(number, next_at=now - ago * SECOND))
    assert [one.message.recipient for one in claim_telegram(20, now=now + SECOND)] == ["2", "3", "1"]


@pytest.mark.django_db
def test_chats_that_get_nothing() -> None:
    text("off", chat(1, is_active=False))
    text("later", chat(2, next_at=timezone.now() + timedelta(minutes=1)))
    text("tomorrow", chat(3), due=timezone.now() + timedelta(days=1))
    assert claim_telegram(20) == []


@pytest.mark.django_db
def test_answers_come_before_all_that_waits_longer() -> None:
    now = timezone.now()
    for number in range(1, 6):
        text(f"t{number}", chat(number), due=now - timedelta(hours=1))
    answers = [text(f"a{number}", chat(number), is_answer=True)[0] for number in (5, 4)]
    assert [one.message.chat_id for one in claim_telegram(3)][2] not in {one.chat_id for one in answers}
    assert statuses(answers) == ["claimed", "claimed"]
    text("a3", chat(3), is_answer=True)
    assert len(claim_telegram(9, answers_only=True)) + len(claim_telegram(9)) == 2, "one a chat, in its pace"


@pytest.mark.django_db
def test_places_in_the_pace_of_all(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 10
    for number in range(1, 41):
        text(f"t{number}", chat(number))
    now = timezone.now()
    first = claim_telegram(4, now=now)
    second = claim_telegram(40, now=now)
    # No further ahead than a second, for every sender.
    assert claim_telegram(40, now=now) == []
    leave = [(one.leaves_at - now).total_seconds() for one in first + second]
    assert leave == pytest.approx([place / 10 for place in range(11)])
    # Half a second later there is room for half as many.
    third = claim_telegram(40, now=now + 0.5 * SECOND)
    assert [(one.leaves_at - now).total_seconds() for one in third] == pytest.approx([1.1, 1.2, 1.3, 1.4, 1.5])
    # What was not used is not made up for.
    late = now + timedelta(minutes=1)
    fourth = claim_telegram(40, now=late)
    assert [(one.leaves_at - late).total_seconds() for one in fourth] == pytest.approx([p / 10 for p in range(11)])


@pytest.mark.django_db
def test_a_pace_slower_than_one_a_second(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 0.5
    for number in (1, 2, 3):
        text(f"t{number}", chat(number))
    now = timezone.now()
    assert len(claim_telegram(20, now=now)) == 1
    assert claim_telegram(20, now=now) == []
    assert len(claim_telegram(20, now=now + 1.5 * SECOND)) == 1


@pytest.mark.django_db(transaction=True)
def test_all_processes_share_one_pace(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 50
    for number in range(1, 101):
        text(f"t{number}", chat(number))
    now = timezone.now()
    answers = at_once(*[lambda: claim_telegram(9, now=now)] * 8)
    taken = list(chain.from_iterable(answers))
    assert len(set(numbers(taken))) == len(taken) == 51
    leave = sorted(one.leaves_at for one in taken)
    gaps = [(after - before).total_seconds() for before, after in pairwise(leave)]
    assert gaps == pytest.approx([0.02] * 50)
    assert max(leave) <= now + SECOND


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_get_different_chats(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 1000
    for number in range(1, 31):
        for place in range(3):
            text(f"t{number}-{place}", chat(number))
    now = timezone.now()
    answers = at_once(*[lambda: claim_telegram(10, now=now)] * 4)
    taken = list(chain.from_iterable(answers))
    assert Counter(one.message.recipient for one in taken) == {str(number): 1 for number in range(1, 31)}


@pytest.mark.django_db(transaction=True)
def test_a_chat_that_is_just_being_written_to_is_claimed() -> None:
    to = chat(1)
    text("a", to)
    with transaction.atomic():
        text("b", to)
        (taken,) = at_once(lambda: len(claim_telegram(10)))
    assert taken == 1


@pytest.mark.django_db(transaction=True)
def test_what_a_person_just_decides_about_is_not_waited_for() -> None:
    (message,) = text("a")
    with transaction.atomic():
        OutboxMessage.objects.filter(pk=message.pk).update(status="cancelled")
        (taken,) = at_once(lambda: claim_telegram(10))
    assert taken == []
    assert fresh(message).status == "cancelled"


# --- Marking and giving back ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_message_is_begun_by_its_claim_only() -> None:
    mail("a")
    (taken,) = claim_email(1)
    assert begin(taken.message)
    kept = fresh(taken.message)
    assert (kept.status, kept.attempts, kept.claim) == ("sending", 1, taken.message.claim)
    # The same mark again, because its answer was lost, is no second attempt.
    assert begin(taken.message)
    assert fresh(taken.message).attempts == 1
    OutboxMessage.objects.update(status="pending", claim=None)
    assert not begin(taken.message)
    (other,) = claim_email(1)
    assert not begin(taken.message)
    assert begin(other.message)


@pytest.mark.django_db
def test_a_late_message_moves_the_next_slot_of_its_chat() -> None:
    to = chat(-5)
    text("a", to)
    (taken,) = claim_telegram(1, now=timezone.now())
    long_ago = timezone.now() - timedelta(minutes=1)
    Chat.objects.update(next_at=long_ago)
    assert begin(taken.message)
    to.refresh_from_db()
    assert to.next_at > timezone.now() + 2 * SECOND


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, -5])
def test_a_message_in_hand_does_not_leave_once_its_chat_has_to_rest(number: int) -> None:
    to = chat(number)
    (first,), (second,) = text("a", to), text("b", to)
    now = timezone.now()
    (one,) = claim_telegram(5, now=now)
    assert begin(one.message)
    Chat.objects.update(next_at=now)  # it takes its time to answer
    (two,) = claim_telegram(5, now=now)
    assert two.message.pk == second.pk
    record(one.message, Outcome(Verdict.RETRY, "Too Many Requests", wait=30))
    to.refresh_from_db()

    assert not begin(two.message)

    kept = fresh(second)
    assert (kept.status, kept.claim, kept.claimed_at, kept.attempts) == ("pending", None, None, 0)
    assert kept.next_attempt_at == to.next_at > now + 25 * SECOND
    # What another process has done with it since is not undone.
    OutboxMessage.objects.filter(pk=second.pk).update(status="cancelled")
    assert not begin(two.message)
    assert statuses([first, second]) == ["pending", "cancelled"]


@pytest.mark.django_db
def test_a_message_that_is_in_its_chats_pace_leaves() -> None:
    for number in (1, -5):
        text(f"t{number}", chat(number))
    taken = claim_telegram(5)
    time.sleep(max(0.0, (taken[-1].leaves_at - timezone.now()).total_seconds()))
    assert [begin(one.message) for one in taken] == [True, True]
    # The same mark again, because its answer was lost.
    assert [begin(one.message) for one in taken] == [True, True]


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["email", "telegram"])
def test_a_message_in_hand_does_not_leave_once_its_channel_rests(channel: str) -> None:
    message = mail("a") if channel == "email" else text("a")[0]
    (taken,) = claim_due(channel, 5, claim=uuid.uuid4())
    pause(channel, "連不上")
    assert not begin(taken.message)
    kept = fresh(message)
    # The rest may be over sooner than was planned, so that it is not written into the message.
    assert (kept.status, kept.attempts, kept.next_attempt_at) == ("pending", 0, taken.message.next_attempt_at)
    resume(channel)
    Chat.objects.update(next_at=timezone.now() - SECOND)
    Pace.objects.update(next_at=timezone.now() - SECOND)
    (taken,) = claim_due(channel, 5, claim=uuid.uuid4())
    assert begin(taken.message)


@pytest.mark.django_db
def test_giving_back() -> None:
    first, second, third = mails(3)
    claim = uuid.uuid4()
    taken = claim_email(2, claim=claim)
    assert begin(taken[0].message)
    assert give_back(claim) == 1
    assert statuses([first, second, third]) == ["sending", "pending", "pending"]
    assert fresh(second).claim is None
    assert give_back(claim, also=[first.pk]) == 1
    assert statuses([first]) == ["pending"]


# --- Cost -----------------------------------------------------------------------------------------------------------


def fill(channel: str, rows: int, chats: list[Chat]) -> None:
    with connection.cursor() as cursor:
        for status in ("pending", "sent"):
            values = {"channel": channel, "status": status, "rows": rows, "chats": max(1, len(chats))}
            cursor.execute(FILL, values | {"chat": chats[0].pk if chats else None})
        cursor.execute("ANALYZE notifications_outboxmessage, notifications_chat")


@pytest.mark.django_db
def test_a_claim_of_mails_reads_what_is_due_only() -> None:
    fill("email", 5000, [])
    with plans() as found:
        assert len(claim_email(20)) == 20
    (plan,) = found
    assert "Seq Scan on notifications_outboxmessage" not in plan
    assert "outbox_mail_due" in plan
    assert "Sort" not in plan
    assert "notifications_outboxmessage_pkey" in plan


@pytest.mark.django_db
def test_a_claim_of_telegram_reads_what_is_due_only() -> None:
    chats = [chat(number) for number in range(1, 31)]
    chats.sort(key=lambda one: one.pk)
    assert [one.pk for one in chats] == list(range(chats[0].pk, chats[0].pk + 30))
    fill("telegram", 5000, chats)
    with plans() as found:
        assert len(claim_telegram(20)) == 20
    answers, plan = found
    assert "Seq Scan on notifications_outboxmessage" not in answers + plan
    assert "outbox_answer_due" in answers
    assert "outbox_chat_due" not in answers
    assert "outbox_chat_due" in plan
    assert "notifications_outboxmessage_pkey" in plan


@pytest.mark.django_db
def test_what_a_claim_costs(django_assert_num_queries: Any) -> None:
    mails(5)
    for number in range(1, 6):
        text(f"t{number}", chat(number))
    claim_telegram(1)
    with django_assert_num_queries(1):
        assert len(claim_email(20)) == 5
    # The savepoint, the pace's row made and locked, the claims of answers and of all, the pace.
    with django_assert_num_queries(7):
        assert len(claim_telegram(20)) == 4

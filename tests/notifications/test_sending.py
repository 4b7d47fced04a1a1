"""Sending: every verdict, chains, rest, giving up, and ends at the worst moments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from momo.core.errors import ValidationFailed
from notifications.channels.base import Outcome, Verdict
from notifications.models import OutboxMessage, Pace
from notifications.selectors import channel_pause
from notifications.services import sending
from notifications.services.drafts import File
from notifications.services.sending import Counts
from tests.notifications.outbox_world import (
    AWAY,
    FAILED,
    RETRY,
    SENT,
    SLOW,
    UNKNOWN,
    Recorder,
    chat,
    fresh,
    long_text,
    mail,
    mails,
    retry,
    run,
    statuses,
    text,
)

pytestmark = pytest.mark.usefixtures("quick_pace")


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
        # As long ago as the waits before it took, each of them nearly.
        due = timezone.now() - timedelta(seconds=0.8 * sum(min(3600, 10 * 2**before) for before in range(place)))
        OutboxMessage.objects.update(next_attempt_at=timezone.now(), due_at=due)
        run(Recorder(RETRY))
        seconds = (fresh(message).next_attempt_at - timezone.now()).total_seconds()
        full = min(3600, 10 * 2**place)
        assert 0.8 * full - 2 < seconds <= full
    assert fresh(message).attempts == 12


@pytest.mark.django_db
def test_a_person_who_sends_it_again_starts_the_waits_anew() -> None:
    (message,) = mails(1)
    long_ago = timezone.now() - timedelta(hours=40)
    OutboxMessage.objects.update(attempts=12, status="failed", due_at=long_ago, created_at=long_ago)
    retry(fresh(message))
    for place in range(4):
        # As if the waits since then were over.
        due = timezone.now() - timedelta(seconds=10 * (2**place - 1))
        OutboxMessage.objects.update(next_attempt_at=timezone.now(), due_at=due)
        run(Recorder(RETRY))
        seconds = (fresh(message).next_attempt_at - timezone.now()).total_seconds()
        assert 8 * 2**place - 2 < seconds <= 10 * 2**place
    # What people are shown are all attempts that there ever were.
    assert fresh(message).attempts == 16
    # It is given up so long after the decision, not after it was written.
    assert fresh(message).status == "pending"


@pytest.mark.django_db
def test_a_long_wait_before_the_first_attempt_makes_no_longer_waits() -> None:
    (message,) = mails(1)
    OutboxMessage.objects.update(due_at=timezone.now() - timedelta(hours=40))
    run(Recorder(RETRY))
    assert (fresh(message).next_attempt_at - timezone.now()).total_seconds() <= 10


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
def test_recipients_that_were_refused_are_kept_whatever_became_of_the_mail() -> None:
    first, second = mail("a", others=["b@example.com"], cc=["c@example.com"]), mail("b")
    refused = {"b@example.com": "550 5.1.1 No such user"}
    run(Recorder(Outcome(Verdict.SENT, refused=refused), Outcome(Verdict.FAILED, "no", refused=refused)))
    assert statuses([first, second]) == ["sent", "failed"]
    kept = [{"address": "b@example.com", "reason": "550 5.1.1 No such user"}]
    assert fresh(first).refused == fresh(second).refused == kept
    assert (fresh(first).others, fresh(first).cc) == (["b@example.com"], ["c@example.com"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cc": ["no address"]}, "cc"),
        ({"cc": ["WANG@example.com"]}, "cc"),
        ({"cc": [f"{n}@a.test" for n in range(50)]}, "cc"),
    ],
)
def test_recipients_beyond_the_bounds(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        mail(**values)
    assert list(caught.value.fields) == [field]


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
    assert statuses([first, second, other, *chain]) == ["failed", "failed", "sent", "failed", "cancelled"]
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
@pytest.mark.parametrize(("hours", "status"), [(1, "pending"), (49, "failed")])
def test_a_group_that_moves_to_where_it_is_is_refused_as_any_other(hours: int, status: str) -> None:
    (message,) = text("a", chat(-1001234567890))
    ago = timezone.now() - timedelta(hours=hours)
    OutboxMessage.objects.update(due_at=ago, created_at=ago)
    moved = Outcome(Verdict.RETRY, "group chat was upgraded", moved_to="-1001234567890")
    sender = Recorder(*[moved] * 50)
    run(sender, "telegram")
    assert len(sender.tried) == 1
    kept = fresh(message)
    assert kept.status == status
    if status == "pending":
        assert kept.next_attempt_at > timezone.now() + timedelta(seconds=5)


@pytest.mark.django_db
def test_a_group_that_moved_is_followed_however_old_the_message_is() -> None:
    text("a", chat(-100))
    ago = timezone.now() - timedelta(hours=49)
    OutboxMessage.objects.update(due_at=ago, created_at=ago)
    moved = Outcome(Verdict.RETRY, "group chat was upgraded", moved_to="-1001234567890")
    assert run(Recorder(moved), "telegram") == Counts(retried=1, sent=1)


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
    run(Recorder(trouble=Outcome(Verdict.RETRY, "Too Many Requests", wait=900, of_channel=True)))
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

"""What people decide about messages, alone and at the same moment as somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from momo.core.errors import Conflict
from notifications.channels.base import Outcome, Verdict
from notifications.models import Chat, OutboxDecision, OutboxMessage
from notifications.services.claims import begin, claim_email
from notifications.services.control import (
    CANCEL,
    MARK_SENT,
    REASON_LIMIT,
    RELEASE,
    RETRY,
    Decided,
    decide_many,
)
from notifications.services.recording import record
from notifications.services.sending import drain
from notifications.services.sweep import sweep
from tests.kit.threads import at_once
from tests.kit.users import person
from tests.notifications.outbox_world import (
    Recorder,
    cancel,
    fresh,
    long_text,
    mail,
    mails,
    mark_sent,
    queue,
    release,
    retry,
    statuses,
)

DECISIONS: dict[str, tuple[Callable[..., Any], set[str], str]] = {
    "retry": (retry, {"failed"}, "pending"),
    "cancel": (cancel, {"waiting", "pending", "unsent", "held", "failed"}, "cancelled"),
    "release": (release, {"held"}, "pending"),
    "mark_sent": (mark_sent, {"held"}, "sent"),
}


@pytest.fixture(autouse=True)
def _pace(settings: Any) -> None:
    settings.TELEGRAM_PER_SECOND = 1000
    settings.TELEGRAM_CHAT_SECONDS = 0


def put(status: str, **values: Any) -> OutboxMessage:
    mail("a")
    claim = uuid.uuid4() if status in ("claimed", "sending", "held") else None
    OutboxMessage.objects.update(status=status, claim=claim, **values)
    return OutboxMessage.objects.get()


@pytest.mark.django_db
@pytest.mark.parametrize("status", OutboxMessage.Status.values)
@pytest.mark.parametrize("name", DECISIONS)
def test_who_may_decide_what(name: str, status: str) -> None:
    decide, allowed, after = DECISIONS[name]
    message = put(status, reason="550 No such user", attempts=3)
    before = fresh(message)
    user = person("amy", display_name="王小明")
    if status not in allowed:
        with pytest.raises(Conflict, match=before.get_status_display()):
            decide(message, user=user)
        assert (fresh(message).status, fresh(message).history()) == (status, ["550 No such user"])
        assert not OutboxDecision.objects.exists()
        return
    message = decide(message, user=user)
    kept = fresh(message)
    assert (kept.status, kept.claim, kept.attempts) == (after, None, 3)
    assert (message.status, message.reason) == (kept.status, kept.reason)
    (line,) = kept.history()
    assert line.startswith("由 王小明 ")
    assert line.endswith("（此前：550 No such user）")
    decision = OutboxDecision.objects.get()
    assert (decision.message, decision.user, decision.name, decision.kind) == (kept, user, "王小明", name)
    assert decision.decided_at >= before.due_at
    assert (kept.finished_at is None) == (after == "pending")
    assert (kept.sent_at is not None) == (after == "sent")
    if after == "pending":
        assert kept.due_at > before.due_at


@pytest.mark.django_db
def test_what_a_person_decided_stays_known() -> None:
    message = put("failed", reason="550 No such user")
    user = person("amy", display_name="王小明")
    retry(message, user=user)
    first = "由 王小明 重新寄送（此前：550 No such user）"
    assert fresh(message).history() == [first]
    drain("email", sender=Recorder(Outcome(Verdict.FAILED, "552 Mailbox\r\nfull")), pass_on=False)
    assert fresh(message).history() == [first, "552 Mailbox full"]
    user.delete()
    retry(message)
    drain("email", sender=Recorder(), pass_on=False)
    assert fresh(message).history() == [first, "由 系統 重新寄送（此前：552 Mailbox full）"]
    assert fresh(message).status == "sent"


@pytest.mark.django_db
def test_why_it_was_held_stays_known_after_it_was_sent() -> None:
    message = put("held", reason="寄送程式中斷")
    release(message, user=person("amy", display_name="王小明"))
    drain("email", sender=Recorder(), pass_on=False)
    assert fresh(message).status == "sent"
    assert fresh(message).history() == ["由 王小明 確認對方沒有收到，重新寄送（此前：寄送程式中斷）"]


@pytest.mark.django_db
def test_what_was_decided_upon_is_kept_in_bounds_and_nothing_is_added_to_no_words() -> None:
    message = put("failed", reason="長" * 2000)
    retry(message)
    assert fresh(message).history() == [f"由 系統 重新寄送（此前：{'長' * REASON_LIMIT}）"]
    cancel(message)
    assert fresh(message).history()[1] == "由 系統 取消"
    silent = mail("b")
    cancel(silent)
    assert fresh(silent).history() == ["由 系統 取消"]


@pytest.mark.django_db(transaction=True)
def test_senders_are_told() -> None:
    message = put("failed")
    with queue() as waiting:
        retry(message)
        assert waiting() == 1
        cancel(message)
        assert waiting() == 1


# --- Chains ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_cancelling_a_part_cancels_what_follows() -> None:
    chain = long_text("t", 4)
    cancel(chain[1])
    assert statuses(chain) == ["pending", "cancelled", "cancelled", "cancelled"]
    drain("telegram", sender=Recorder(), pass_on=False)
    assert statuses(chain) == ["sent", "cancelled", "cancelled", "cancelled"]


@pytest.mark.django_db
def test_trying_a_part_again_brings_back_what_fell_with_it() -> None:
    chain = long_text("t", 4)
    drain("telegram", sender=Recorder(Outcome(Verdict.FAILED, "chat not found")), pass_on=False)
    assert statuses(chain) == ["failed", "cancelled", "cancelled", "cancelled"]
    retry(chain[0])
    assert statuses(chain) == ["pending", "waiting", "waiting", "waiting"]
    assert (fresh(chain[3]).reason, fresh(chain[3]).finished_at) == ("", None)
    drain("telegram", sender=Recorder(), pass_on=False)
    assert statuses(chain) == ["sent"] * 4


@pytest.mark.django_db
def test_what_a_person_cancelled_is_not_brought_back() -> None:
    chain = long_text("t", 4)
    cancel(chain[2])
    drain("telegram", sender=Recorder(Outcome(Verdict.FAILED, "chat not found")), pass_on=False)
    retry(chain[0])
    assert statuses(chain) == ["pending", "waiting", "cancelled", "cancelled"]


@pytest.mark.django_db
@pytest.mark.parametrize("decide", [release, mark_sent])
def test_a_held_part_that_is_decided_about_lets_the_rest_go_on(decide: Callable[..., Any]) -> None:
    chain = long_text("t", 3)
    drain("telegram", sender=Recorder(Outcome(Verdict.UNKNOWN, "timed out")), pass_on=False)
    assert statuses(chain) == ["held", "waiting", "waiting"]
    decide(chain[0])
    sender = Recorder()
    drain("telegram", sender=sender, pass_on=False)
    assert statuses(chain) == ["sent"] * 3
    assert len(sender.accepted) == (3 if decide is release else 2)


OFF = Outcome(Verdict.FAILED, "bot was blocked", chat_off=True)


def fallen(parts: int = 3) -> list[OutboxMessage]:
    """A text to a chat that was switched off before the first part left, and is on again."""
    chain = long_text("t", parts)
    Chat.objects.update(is_active=False)
    sweep()
    Chat.objects.update(is_active=True)
    return chain


def all_failed(parts: int = 3) -> list[OutboxMessage]:
    """A text whose parts all failed, as a sweep of an earlier version left them."""
    chain = long_text("t", parts)
    OutboxMessage.objects.update(status="failed", reason="這個聊天室已停用", finished_at=timezone.now())
    return chain


def arrived(*answers: Outcome) -> list[str]:
    """Keys in the order in which they were tried by a sender that is answered so, and otherwise accepted."""
    sender = Recorder(*answers)
    drain("telegram", sender=sender, pass_on=False)
    OutboxMessage.objects.update(next_attempt_at=timezone.now())
    return [one.key for one in sender.tried]


@pytest.mark.django_db
@pytest.mark.parametrize("world", [fallen, all_failed])
def test_trying_the_first_part_again_sends_the_whole_text(world: Callable[[], list[OutboxMessage]]) -> None:
    chain = world()
    retry(chain[0])
    assert statuses(chain) == ["pending", "waiting", "waiting"]
    assert sweep().total == 0
    assert arrived() == [one.key for one in chain]
    assert statuses(chain) == ["sent"] * 3


@pytest.mark.django_db
@pytest.mark.parametrize("world", [fallen, all_failed])
@pytest.mark.parametrize("answer", [Outcome(Verdict.RETRY, "429"), Outcome(Verdict.FAILED, "400"), OFF])
def test_many_parts_chosen_together_keep_their_order(world: Callable[[], list[OutboxMessage]], answer: Outcome) -> None:
    chain = world()
    everything = OutboxMessage.objects.order_by("-pk")
    assert decide_many(RETRY, everything).done == (1 if world is fallen else 3)
    assert statuses(chain) == ["pending", "waiting", "waiting"]
    assert arrived(answer) == [chain[0].key]
    if answer.verdict is Verdict.FAILED:
        assert statuses(chain) == ["failed", "cancelled", "cancelled"]
        Chat.objects.update(is_active=True)
        assert decide_many(RETRY, everything) == Decided(done=1, skipped=2)
    assert arrived() == [one.key for one in chain]
    assert statuses(chain) == ["sent"] * 3


@pytest.mark.django_db
def test_a_part_is_not_sent_without_the_one_before_it() -> None:
    chain = all_failed()
    with pytest.raises(Conflict, match=r"前一則是「失敗」.*請重新寄送最前面失敗的那一則"):
        retry(chain[1])
    assert decide_many(RETRY, OutboxMessage.objects.filter(pk__in=[chain[1].pk, chain[2].pk])) == Decided(
        done=0, skipped=2
    )
    assert statuses(chain) == ["failed"] * 3
    assert not OutboxDecision.objects.exists()
    cancel(chain[0])
    with pytest.raises(Conflict, match=r"前一則是「已取消」，這一則不能單獨重新寄送$"):
        retry(chain[1])


@pytest.mark.django_db
@pytest.mark.parametrize("first", ["waiting", "pending", "claimed", "sending", "held", "sent"])
def test_a_part_waits_for_one_that_may_still_arrive(first: str) -> None:
    chain = all_failed(2)
    OutboxMessage.objects.filter(pk=chain[0].pk).update(status=first)
    retry(chain[1])
    kept = fresh(chain[1])
    assert (kept.status, kept.finished_at) == ("pending" if first == "sent" else "waiting", None)


@pytest.mark.django_db
def test_a_middle_part_that_failed_goes_on_from_there() -> None:
    chain = long_text("t", 4)
    assert arrived(Outcome(Verdict.SENT), Outcome(Verdict.FAILED, "400")) == [one.key for one in chain[:2]]
    assert statuses(chain) == ["sent", "failed", "cancelled", "cancelled"]
    retry(chain[1])
    assert statuses(chain) == ["sent", "pending", "waiting", "waiting"]
    assert arrived() == [one.key for one in chain[1:]]


# --- At the same moment ---------------------------------------------------------------------------------------------


def won(answers: list[Any]) -> int:
    """How many were not refused; nobody may have failed in another way."""
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert not [answer for answer in answers if isinstance(answer, Exception) and answer not in refused]
    return len(answers) - len(refused)


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once() -> None:
    for place in range(8):
        OutboxMessage.objects.all().delete()
        message = put("held")
        decide = [release, mark_sent, cancel, release]
        answers = at_once(*[partial(one, fresh(message)) for one in decide])
        # Who cancels may do so after somebody released it.
        assert won(answers) in (1, 2), place
        assert message.decisions.count() == won(answers)
    answers = at_once(*[lambda: retry(fresh(message))] * 3)
    assert won(answers) <= 1


@pytest.mark.django_db(transaction=True)
def test_a_person_and_a_sender_at_once() -> None:
    for _ in range(10):
        OutboxMessage.objects.all().delete()
        message = mail("a")
        cancelled, taken = at_once(partial(cancel, message), lambda: claim_email(1))
        assert won([cancelled]) + len(taken) == 1
        assert fresh(message).status == ("claimed" if taken else "cancelled")


@pytest.mark.django_db
def test_a_sender_tells_nothing_of_what_a_person_decided() -> None:
    mail("a")
    (taken,) = claim_email(1)
    begin(taken.message)
    OutboxMessage.objects.update(status="held")
    mark_sent(fresh(taken.message))
    assert record(taken.message, Outcome(Verdict.FAILED, "550")) == ""
    assert fresh(taken.message).status == "sent"


# --- Many -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_many_at_once_skip_what_is_in_another_state(django_assert_max_num_queries: Any) -> None:
    written = mails(30)
    states = {"failed": written[:10], "held": written[10:20], "sending": written[20:25], "sent": written[25:]}
    for status, some in states.items():
        OutboxMessage.objects.filter(pk__in=[one.pk for one in some]).update(status=status, finished_at=timezone.now())
    everything = OutboxMessage.objects.all()
    user = person("amy")
    with django_assert_max_num_queries(6):
        assert decide_many(RETRY, everything, user=user) == Decided(done=10, skipped=20)
    assert decide_many(RELEASE, everything[:5], user=user) == Decided(done=0, skipped=5)
    assert decide_many(MARK_SENT, everything.filter(pk__lte=written[14].pk), user=user) == Decided(done=5, skipped=10)
    assert decide_many(RELEASE, everything, user=user) == Decided(done=5, skipped=25)
    assert decide_many(CANCEL, everything, user=user) == Decided(done=15, skipped=15)
    assert decide_many(CANCEL, everything.none(), user=user) == Decided(done=0, skipped=0)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_choose_the_same_many() -> None:
    mails(300)
    OutboxMessage.objects.update(status="failed")
    up, down = OutboxMessage.objects.order_by("pk"), OutboxMessage.objects.order_by("-pk")
    answers = at_once(lambda: decide_many(RETRY, up), lambda: decide_many(RETRY, down), lambda: decide_many(RETRY, up))
    assert sum(answer.done for answer in answers) == 300

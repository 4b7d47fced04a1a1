"""The sweep of messages, and their retention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Attachment, Chat, OutboxDecision, OutboxMessage, Pace
from notifications.retention import expired
from notifications.services.claims import begin, claim_email, claim_telegram
from notifications.services.drafts import File
from notifications.services.recording import pause
from notifications.services.sweep import INTERRUPTED, Swept, sweep
from tests.kit.threads import at_once
from tests.notifications.outbox_world import chat, fresh, long_text, mail, mails, statuses, text

SHEET = File("a.csv", b"a", "text/csv")


def age(**ago: timedelta) -> None:
    """Make all messages older."""
    OutboxMessage.objects.update(**{name: timezone.now() - by for name, by in ago.items()})


def silent() -> None:
    """Make all claims older than the time-out of senders."""
    age(claimed_at=timedelta(seconds=301))


# --- Silence --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_claimed_only_is_free_again() -> None:
    written = mails(3)
    claim_email(2)
    assert sweep() == Swept()
    silent()
    assert sweep() == Swept(freed=2)
    assert statuses(written) == ["pending"] * 3
    kept = fresh(written[0])
    assert (kept.claim, kept.claimed_at, kept.attempts) == (None, None, 0)
    assert len(claim_email(5)) == 3


@pytest.mark.django_db
def test_what_may_have_left_is_held_with_its_claim() -> None:
    mail("a")
    (taken,) = claim_email(1)
    begin(taken.message)
    assert sweep() == Swept()
    silent()
    assert sweep() == Swept(held=1)
    kept = OutboxMessage.objects.get()
    assert (kept.status, kept.reason, kept.claim) == ("held", INTERRUPTED, taken.message.claim)
    assert kept.finished_at is not None
    assert sweep() == Swept()


@pytest.mark.django_db
def test_silence_counts_from_when_a_message_was_begun() -> None:
    mails(2)
    first, _ = claim_email(2)
    silent()
    begin(first.message)
    assert sweep() == Swept(freed=1)


@pytest.mark.django_db
def test_what_a_person_decided_before_stays_in_the_reason() -> None:
    mail("a")
    (taken,) = claim_email(1)
    begin(taken.message)
    OutboxDecision.objects.create(message=taken.message, name="王小明", kind="retry")
    silent()
    sweep()
    assert OutboxMessage.objects.get().history() == ["由 王小明 重新寄送", INTERRUPTED]


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_do_no_harm() -> None:
    mails(60)
    for taken in claim_email(60)[:30]:
        begin(taken.message)
    silent()
    answers = at_once(*[sweep] * 4)
    assert sum(swept.freed for swept in answers) == 30
    assert sum(swept.held for swept in answers) == 30


# --- Chains ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "rest"),
    [
        ("sent", ["pending", "waiting"]),
        ("failed", ["cancelled", "cancelled"]),
        ("cancelled", ["cancelled", "cancelled"]),
        ("held", ["waiting", "waiting"]),
        ("pending", ["waiting", "waiting"]),
    ],
)
def test_a_part_whose_predecessor_is_over(first: str, rest: list[str]) -> None:
    chain = long_text("t", 3)
    OutboxMessage.objects.filter(pk=chain[0].pk).update(status=first)
    moved = {"pending": 1, "cancelled": 2, "waiting": 0}[rest[0]]
    assert sweep() == Swept(moved_on=moved)
    assert statuses(chain[1:]) == rest
    assert sweep() == Swept()


# --- What will never be sent ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_chat_that_is_switched_off() -> None:
    off, on = chat(1), chat(2)
    chain = long_text("t", 2, to=off)
    (other,) = text("o", on)
    Chat.objects.filter(pk=off.pk).update(is_active=False, note="機器人被封鎖")
    assert sweep() == Swept(failed=1)
    assert statuses([*chain, other]) == ["failed", "cancelled", "pending"]
    assert fresh(chain[0]).reason == "這個聊天室已停用：機器人被封鎖"
    assert sweep() == Swept()


@pytest.mark.django_db
def test_a_chat_that_is_switched_off_half_way_through_a_text() -> None:
    chain = long_text("t", 3)
    OutboxMessage.objects.filter(pk=chain[0].pk).update(status="held")
    Chat.objects.update(is_active=False)
    # Nobody knows yet whether the first part arrived: what becomes of the others is decided with it.
    assert sweep() == Swept()
    assert statuses(chain) == ["held", "waiting", "waiting"]
    OutboxMessage.objects.filter(pk=chain[0].pk).update(status="sent")
    assert sweep() == Swept(moved_on=1, failed=1)
    assert statuses(chain) == ["sent", "failed", "cancelled"]


@pytest.mark.django_db
def test_a_chat_that_is_switched_off_while_a_sender_has_its_message() -> None:
    text("a")
    claim_telegram(1)
    Chat.objects.update(is_active=False)
    assert sweep() == Swept()
    silent()
    assert sweep() == Swept(freed=1, failed=1)
    assert OutboxMessage.objects.get().reason == "這個聊天室已停用"


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["email", "telegram"])
def test_a_channel_that_does_not_work_fails_what_is_too_old(channel: str) -> None:
    old = mail("a") if channel == "email" else long_text("a", 2)[0]
    age(due_at=timedelta(hours=49), created_at=timedelta(hours=49))
    young = mail("b") if channel == "email" else text("b")[0]
    pause(channel, "還沒有設定伺服器")
    assert sweep() == Swept()
    Pace.objects.update(troubles=5)
    assert sweep() == Swept(failed=1)
    assert statuses([old, young]) == ["failed", "pending"]
    assert fresh(old).reason == "還沒有設定伺服器"
    assert list(OutboxMessage.objects.filter(after=old).values_list("status", flat=True)) in ([], ["cancelled"])


@pytest.mark.django_db
def test_what_is_old_but_was_never_tried_is_not_failed() -> None:
    mail("a")
    age(due_at=timedelta(hours=490), created_at=timedelta(hours=490))
    assert sweep() == Swept()


# --- What may be forgotten ------------------------------------------------------------------------------------------

OVER = timedelta(days=181)


def names(**kinds: int) -> dict[str, int]:
    return {"未連結帳號的聊天室": 0, "結束的訊息": kinds.get("messages", 0), "沒有訊息的附件": kinds.get("files", 0)}


def counted() -> dict[str, int]:
    return {name: some.count() for name, some in expired(now=timezone.now()).items()}


@pytest.mark.django_db
@pytest.mark.parametrize("status", OutboxMessage.Status.values)
def test_only_what_is_over_is_forgotten(status: str) -> None:
    mail("a", files=[SHEET])
    OutboxMessage.objects.update(status=status, finished_at=timezone.now() - OVER)
    Attachment.objects.update(created_at=timezone.now() - OVER)
    over = int(status in ("sent", "failed", "cancelled"))
    assert counted() == names(messages=over)
    assert [some.delete()[0] for some in expired(now=timezone.now()).values()] == [0, 0, over]
    assert [some.delete()[0] for some in expired(now=timezone.now()).values()] == [0, over, 0]
    assert (OutboxMessage.objects.count(), Attachment.objects.count()) == (1 - over, 1 - over)


@pytest.mark.django_db
def test_what_ended_lately_is_not_forgotten() -> None:
    mail("a")
    OutboxMessage.objects.update(status="sent", finished_at=timezone.now() - OVER + timedelta(days=2))
    assert counted() == names()


@pytest.mark.django_db
def test_a_text_is_forgotten_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = long_text("t", 4)
    other = long_text("u", 3)
    OutboxMessage.objects.update(status="sent", finished_at=timezone.now() - OVER)
    OutboxMessage.objects.filter(pk=chain[2].pk).update(status="held")
    assert counted() == names(messages=4)
    # Some at a time, and still no part without the one before it.
    monkeypatch.setattr("momo.core.retention.BATCH", 2)
    assert expired(now=timezone.now())["結束的訊息"].delete() == (4, {"notifications.OutboxMessage": 4})
    assert set(OutboxMessage.objects.values_list("pk", flat=True)) == {one.pk for one in chain[:3]}
    assert not OutboxMessage.objects.filter(pk__in=[one.pk for one in other]).exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_just_used_again_is_kept(settings: Any) -> None:
    mail("a", files=[SHEET])
    OutboxMessage.objects.all().delete()
    Attachment.objects.update(created_at=timezone.now() - OVER)
    assert counted() == names(files=1)

    def forget() -> int:
        return expired(now=timezone.now())["沒有訊息的附件"].delete()[0]

    answers = at_once(lambda: mail("b", files=[SHEET]), forget)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert OutboxMessage.objects.get().attachments.count() == 1

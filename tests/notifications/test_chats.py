"""Changes of a chat apply to its messages and its subscriptions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from momo.core.errors import Unavailable, ValidationFailed
from notifications.models import Chat, OutboxMessage, Subscription
from notifications.services.chats import chat_for, default_chat, move_chat, pause_chat, switch_off_chat
from notifications.services.outbox import ChatText, enqueue
from tests.kit.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> Chat:
    return Chat.objects.create(chat_id="-100", title="業務群")


def follow(chat: Chat, event: str = "price_digest", **values: Any) -> Subscription:
    return Subscription.objects.create(name="群", event=event, channel="telegram", chat=chat, **values)


def message(chat: Chat, status: str = "pending") -> OutboxMessage:
    key = f"test:{OutboxMessage.objects.count()}"
    (written,) = enqueue(ChatText(key=key, event="manual", chat=chat, body="嗨"))
    OutboxMessage.objects.filter(pk=written.pk).update(status=status)
    return written


def test_a_chat_is_switched_off_once(group: Chat) -> None:
    assert switch_off_chat(group, reason="Forbidden:\nbot was kicked " + "x" * 500)
    assert not switch_off_chat(group, reason="another word")
    group.refresh_from_db()
    assert not group.is_active
    assert group.note.startswith(f"{timezone.localdate()} 停用：Forbidden: bot was kicked x")
    assert len(group.note) == 300


def test_a_group_gets_its_new_number(group: Chat) -> None:
    waits, over = message(group), message(group, "sent")
    following = follow(group)
    moved = move_chat(group, new_id="-1009")
    assert (moved.pk, moved.chat_id, moved.is_active) == (group.pk, "-1009", True)
    assert "-100" in moved.note
    waits.refresh_from_db()
    over.refresh_from_db()
    following.refresh_from_db()
    assert (waits.recipient, over.recipient, following.chat_id) == ("-1009", "-100", group.pk)


def test_a_group_that_became_one_we_know(group: Chat) -> None:
    other = Chat.objects.create(chat_id="-1009", title="超級群組")
    waits, over = message(group), message(group, "sent")
    both, only = follow(group), follow(group, "import_failed")
    theirs = follow(other)
    assert move_chat(group, new_id="-1009") == other
    for one in (waits, over, both, only, theirs, group):
        one.refresh_from_db()
    assert (waits.chat, waits.recipient) == (other, "-1009")
    assert (over.chat, over.recipient) == (group, "-100")
    assert {one.chat for one in (both, only, theirs)} == {other}
    # No event is sent to the chat twice.
    assert [one.enabled for one in (both, only, theirs)] == [False, True, True]
    assert not group.is_active
    assert "-1009" in group.note


def test_the_second_to_be_told_changes_nothing(group: Chat) -> None:
    stale = Chat.objects.get(pk=group.pk)
    move_chat(group, new_id="-1009")
    assert move_chat(stale, new_id="-1009").chat_id == "-1009"
    assert Chat.objects.count() == 1


@pytest.mark.parametrize("status", ["waiting", "pending", "claimed", "sending", "held", "failed"])
def test_what_another_has_in_hand_goes_too(group: Chat, status: str) -> None:
    """It may come back as refused, or be released or retried by a person, when the old number is long gone."""
    stale = Chat.objects.get(pk=group.pk)
    one = message(group, status)
    move_chat(group, new_id="-1009")
    one.refresh_from_db()
    assert (one.chat_id, one.recipient) == (group.pk, "-1009")
    late = message(stale, status)  # enqueued by a process that had read the chat before
    assert late.recipient == "-100"
    move_chat(stale, new_id="-1009")
    late.refresh_from_db()
    assert late.recipient == "-1009"


def test_two_are_told_at_once(group: Chat) -> None:
    """The number is known by the time that the second writes it."""
    stale = Chat.objects.get(pk=group.pk)
    other = Chat.objects.create(chat_id="-1009")
    one = message(group)
    assert move_chat(group, new_id="-1009") == move_chat(stale, new_id="-1009") == other
    one.refresh_from_db()
    assert (one.chat, one.recipient) == (other, "-1009")


@pytest.mark.django_db(transaction=True)
def test_two_senders_move_it_at_the_same_moment(group: Chat) -> None:
    one, stale = message(group), Chat.objects.get(pk=group.pk)
    moved = at_once(lambda: move_chat(group, new_id="-1009"), lambda: move_chat(stale, new_id="-1009"))
    assert moved == [group, group]
    one.refresh_from_db()
    assert (Chat.objects.get().chat_id, one.recipient) == ("-1009", "-1009")


def test_a_pause_is_never_shortened(group: Chat) -> None:
    before = timezone.now()
    pause_chat(group, seconds=60)
    pause_chat(group, seconds=5)
    group.refresh_from_db()
    assert before + timedelta(seconds=60) <= group.next_at <= timezone.now() + timedelta(seconds=60)


@pytest.mark.parametrize("wrong", ["", "0", "12a", "@x", "t.me/x", "1" * 30, "--5"])
def test_what_is_no_chat(wrong: str) -> None:
    with pytest.raises(ValidationFailed) as failed:
        chat_for(wrong)
    assert list(failed.value.fields) == ["chat_id"]
    assert not Chat.objects.exists()


def test_a_chat_is_made_once() -> None:
    assert chat_for(" 42 ") == chat_for("42")
    assert chat_for("@momo_news").is_group


def test_the_default_chat(settings: Any) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    settings.TELEGRAM_CHAT_ID = "-100"
    with pytest.raises(Unavailable, match="TELEGRAM_BOT_TOKEN"):
        default_chat()
    settings.TELEGRAM_BOT_TOKEN = "1:secret"
    assert default_chat().chat_id == "-100"
    for wrong in ("", "somewhere"):
        settings.TELEGRAM_CHAT_ID = wrong
        with pytest.raises(Unavailable, match="TELEGRAM_CHAT_ID"):
            default_chat()


@pytest.mark.parametrize("body", ["", " \n ", "\u200b\u200d", "<b>\u3164</b>"])
def test_what_shows_nothing_is_no_message(body: str, group: Chat) -> None:
    with pytest.raises(ValidationFailed) as failed:
        enqueue(ChatText(key="nothing", event="manual", chat=group, body=body))
    assert "body" in failed.value.fields
    assert not OutboxMessage.objects.exists()

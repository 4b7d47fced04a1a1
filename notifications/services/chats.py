"""What Telegram tells us about a chat: it moved, it takes nothing more, it wants a pause."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from momo.rest.errors import Unavailable, ValidationFailed
from notifications.models import Chat, OutboxMessage, Subscription
from notifications.models.recipients import CHAT_ID

TELEGRAM = "Telegram "
_NOTE = Chat._meta.get_field("note").max_length or 300
_STATUS = OutboxMessage.Status
# Also what somebody is sending, or a person will judge: it may be tried again.
_UNSENT = (_STATUS.WAITING, _STATUS.PENDING, _STATUS.CLAIMED, _STATUS.SENDING, _STATUS.HELD)


def switch_off_chat(chat: Chat, why: str) -> bool:
    """Write to this chat no more, and note why. False when it was switched off before; that note stays."""
    now = timezone.now()
    note = f"{timezone.localdate(now)} 停用：{' '.join(why.split())}"
    on = Chat.objects.filter(pk=chat.pk, is_active=True)
    return bool(on.update(is_active=False, note=note[:_NOTE], switched_off_at=now))


def switch_on_chat(chat: Chat) -> bool:
    """Write to this chat again; why it was switched off is forgotten. False when it was on."""
    if chat.is_active:
        return False
    chat.is_active, chat.note = True, ""
    # By a save, which the audit trail hears of; of these two alone, since a sender may be writing the pace.
    chat.save(update_fields=["is_active", "note"])
    return True


def move_chat(chat: Chat, new_id: str) -> Chat:
    """A group became a supergroup, with another number. Returns the chat to which messages go from now on.

    When we know the new number already, subscriptions and unsent messages go over to that chat, and the old one is
    switched off. A subscription that the other chat has too is switched off, so that nobody is told twice.

    Raises ValidationFailed for a number that is none.
    """
    new_id = checked_id(new_id)
    try:
        with transaction.atomic():
            return _move(chat, new_id)
    except IntegrityError:
        # Somebody wrote to the new number for the first time meanwhile, so now we know it.
        with transaction.atomic():
            return _move(chat, new_id)


def _move(chat: Chat, new_id: str) -> Chat:
    # Locked in one order, so that of two senders that are told at once one waits and finds it done.
    both = Chat.objects.select_for_update().filter(Q(pk=chat.pk) | Q(chat_id=new_id)).order_by("pk")
    found = {one.pk: one for one in both}
    old = found[chat.pk]
    other = next((one for one in found.values() if one.chat_id == new_id), None)
    if other is None:
        note = f"{timezone.localdate()} 升級為超級群組，原編號 {old.chat_id}"
        Chat.objects.filter(pk=old.pk).update(chat_id=new_id, note=note[:_NOTE])
        other = Chat.objects.get(pk=old.pk)
    elif other != old:
        _hand_over(old, other)
        switch_off_chat(old, f"已升級為超級群組 {new_id}")
    unsent = OutboxMessage.objects.filter(chat=old, status__in=_UNSENT)
    unsent.exclude(chat=other, recipient=new_id).update(chat=other, recipient=new_id)
    return other


def _hand_over(old: Chat, other: Chat) -> None:
    has = [(one.event, one.filters) for one in Subscription.objects.filter(chat=other, enabled=True)]
    for subscription in Subscription.objects.filter(chat=old).order_by("pk"):
        same = (subscription.event, subscription.filters) in has
        Subscription.objects.filter(pk=subscription.pk).update(chat=other, enabled=subscription.enabled and not same)


def wait_for_chat(chat: Chat, seconds: float) -> None:
    """Send this chat nothing for so long, as Telegram asked."""
    until = timezone.now() + timedelta(seconds=seconds)
    Chat.objects.filter(pk=chat.pk).update(next_at=Greatest(F("next_at"), until))


def checked_id(chat_id: str) -> str:
    """A chat's number, or the public name of a channel. Raises ValidationFailed."""
    text = str(chat_id).strip()
    try:
        CHAT_ID(text)
    except ValidationError as error:
        raise ValidationFailed(fields={"chat_id": error.messages}) from error
    return text


def chat_for(chat_id: str) -> Chat:
    """The chat of that number, made if we never wrote to it. Raises ValidationFailed."""
    return Chat.objects.get_or_create(chat_id=checked_id(chat_id))[0]


def require_token() -> None:
    """Raises Unavailable when no bot is configured."""
    if not settings.TELEGRAM_BOT_TOKEN:
        raise Unavailable(TELEGRAM, "請管理員設定 TELEGRAM_BOT_TOKEN（機器人的權杖）")


def default_chat() -> Chat:
    """Where messages without a chat go. Raises Unavailable, naming the setting that is missing or wrong."""
    require_token()
    if not settings.TELEGRAM_CHAT_ID:
        raise Unavailable(TELEGRAM, "請管理員設定 TELEGRAM_CHAT_ID（預設的聊天室編號），或指定 chat_id")
    try:
        return chat_for(settings.TELEGRAM_CHAT_ID)
    except ValidationFailed as error:
        raise Unavailable(TELEGRAM, "TELEGRAM_CHAT_ID 不是聊天室編號，請管理員修正") from error

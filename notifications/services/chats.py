"""Changes of chats: switched off and on, moved to another number, paused, found by number."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict, Unavailable, ValidationFailed
from notifications.models import Chat, OutboxMessage, Subscription
from notifications.models.recipients import CHAT_ID, SWITCHED_OFF

TELEGRAM = "Telegram "
_NOTE = Chat._meta.get_field("note").max_length or 300
_STATUS = OutboxMessage.Status
# Also messages that a worker is sending, that failed, or that a person will judge: they may be sent again.
_UNSENT = (_STATUS.WAITING, _STATUS.PENDING, _STATUS.CLAIMED, _STATUS.SENDING, _STATUS.HELD, _STATUS.FAILED)


def switch_off_chat(chat: Chat, *, reason: str) -> bool:
    """Switch off a chat that Telegram closed to the bot. Returns False when it was off before; its note stays then."""
    now = timezone.now()
    note = f"{timezone.localdate(now)} {SWITCHED_OFF}{' '.join(reason.split())}"
    active = Chat.objects.filter(pk=chat.pk, is_active=True)
    return bool(active.update(is_active=False, note=note[:_NOTE], switched_off_at=now))


def set_chat_active(chat: Chat, *, active: bool, user: User | None = None) -> bool:
    """Switch a chat on, which clears its note, or off, as `user` wishes. Returns False when it was so before."""
    if chat.is_active == active:
        return False
    chat.is_active, chat.note = active, "" if active else f"{timezone.localdate()} 由 {user} 停用"
    if chat.standing == Chat.Standing.WAITING:
        chat.standing = Chat.Standing.KNOWN
    # Saved, since the audit trail records saves; these fields alone, since a worker may be writing the others.
    chat.save(update_fields=["is_active", "note", "standing"])
    return True


def approve_chat(chat: Chat) -> Chat:
    """Let the bot answer, and messages be sent, in a chat that waits for approval. Raises Conflict for another one."""
    current = Chat.objects.get(pk=chat.pk)
    if current.standing != Chat.Standing.WAITING:
        raise Conflict(f"{chat} 沒有在等待核准")
    set_chat_active(current, active=True)
    return current


def bot_joined(chat_id: str, *, title: str, by: str = "") -> Chat:
    """Record that the bot is in a chat of several. One that nobody has approved waits, switched off.

    The chat that TELEGRAM_CHAT_ID names was chosen by whoever set it. Telegram closes a chat when the bot leaves; such
    a chat is switched on again.
    """
    note = f"{timezone.localdate()} 由 {by} 加入" if by else ""
    waits = chat_id != settings.TELEGRAM_CHAT_ID
    defaults = {"title": title, "note": note[:_NOTE] if waits else "", "is_active": not waits}
    if waits:
        defaults["standing"] = Chat.Standing.WAITING
    chat, is_new = Chat.objects.get_or_create(chat_id=checked_id(chat_id), defaults=defaults)
    if not is_new:
        _rename(chat, title)
        switch_on_again(chat)
    return chat


def bot_left(chat_id: str) -> None:
    """Record that the bot was removed from a chat. One that nobody had approved is forgotten."""
    chat = Chat.objects.filter(chat_id=chat_id).first()
    if chat is None:
        return
    if chat.standing == Chat.Standing.WAITING and not OutboxMessage.objects.filter(chat=chat).exists():
        chat.delete()
    else:
        switch_off_chat(chat, reason="機器人已離開這個聊天室")


def chat_of_person(telegram_id: int, *, title: str, is_guest: bool) -> Chat:
    """Return the private chat of a person who writes to the bot; switched on if Telegram had closed it.

    A guest has no linked account; a chat that staff registered is never a guest's.
    """
    standing = Chat.Standing.GUEST if is_guest else Chat.Standing.KNOWN
    defaults = {"title": title, "standing": standing}
    chat, is_new = Chat.objects.get_or_create(chat_id=str(telegram_id), defaults=defaults)
    if not is_new:
        if not is_guest and chat.standing == Chat.Standing.GUEST:
            Chat.objects.filter(pk=chat.pk).update(standing=standing)
            chat.standing = standing
        if not chat.title:
            _rename(chat, title)
        switch_on_again(chat)
    return chat


def switch_on_again(chat: Chat) -> None:
    """Switch on a chat that Telegram had closed and that is open again; not one that a person switched off."""
    if not chat.is_active and SWITCHED_OFF in chat.note and chat.switched_off_at is not None:
        set_chat_active(chat, active=True)


def _rename(chat: Chat, title: str) -> None:
    if title and chat.title != title:
        Chat.objects.filter(pk=chat.pk).update(title=title)
        chat.title = title


def move_chat(chat: Chat, *, new_id: str) -> Chat:
    """Give the chat the number of the supergroup that its group became. Returns the chat of later messages.

    When a chat with the new number exists, it takes over subscriptions and unsent messages, and the old chat is
    switched off. A subscription that the new chat has too is switched off, so that no event is sent there twice.

    Raises ValidationFailed for a malformed number.
    """
    new_id = checked_id(new_id)
    try:
        with transaction.atomic():
            return _move(chat, new_id)
    except IntegrityError:
        # Another transaction has just created the chat with the new number.
        with transaction.atomic():
            return _move(chat, new_id)


def _move(chat: Chat, new_id: str) -> Chat:
    # Locked in one order: of two workers that move the chat at once, one waits, and finds it moved.
    both = list(Chat.objects.select_for_update().filter(Q(pk=chat.pk) | Q(chat_id=new_id)).order_by("pk"))
    old = next(each for each in both if each.pk == chat.pk)
    other = next((each for each in both if each.chat_id == new_id), None)
    if other is None:
        note = f"{timezone.localdate()} 升級為超級群組，原編號 {old.chat_id}"
        Chat.objects.filter(pk=old.pk).update(chat_id=new_id, note=note[:_NOTE])
        other = Chat.objects.get(pk=old.pk)
    elif other != old:
        if other.standing == Chat.Standing.WAITING and old.standing == Chat.Standing.KNOWN:
            # It was approved under its old number.
            Chat.objects.filter(pk=other.pk).update(standing=old.standing, is_active=old.is_active, note=old.note)
        _move_subscriptions(old, other)
        switch_off_chat(old, reason=f"已升級為超級群組 {new_id}")
    unsent = OutboxMessage.objects.filter(chat=old, status__in=_UNSENT)
    unsent.exclude(chat=other, recipient=new_id).update(chat=other, recipient=new_id)
    return other


def _move_subscriptions(old: Chat, other: Chat) -> None:
    kept = list(Subscription.objects.filter(chat=other, enabled=True).values_list("event", "filters"))
    for subscription in Subscription.objects.filter(chat=old).order_by("pk"):
        enabled = subscription.enabled and (subscription.event, subscription.filters) not in kept
        Subscription.objects.filter(pk=subscription.pk).update(chat=other, enabled=enabled)


def pause_chat(chat: Chat, *, seconds: float) -> None:
    """Send nothing to this chat for `seconds`, as Telegram asked."""
    until = timezone.now() + timedelta(seconds=seconds)
    Chat.objects.filter(pk=chat.pk).update(next_at=Greatest(F("next_at"), until))


def checked_id(chat_id: str) -> str:
    """Return a chat's number, or the public name of a channel. Raises ValidationFailed for anything else."""
    text = str(chat_id).strip()
    try:
        CHAT_ID(text)
    except ValidationError as error:
        raise ValidationFailed(fields={"chat_id": error.messages}) from error
    return text


def chat_for(chat_id: str) -> Chat:
    """Return the chat with this number, created if it is new. Raises ValidationFailed for a malformed number."""
    return Chat.objects.get_or_create(chat_id=checked_id(chat_id))[0]


def require_token() -> None:
    """Raises Unavailable when no bot is configured."""
    if not settings.TELEGRAM_BOT_TOKEN:
        raise Unavailable(TELEGRAM, "請管理員設定 TELEGRAM_BOT_TOKEN（機器人的權杖）")


def default_chat() -> Chat:
    """Return the chat for messages without one. Raises Unavailable, naming the setting that is missing or wrong."""
    require_token()
    if not settings.TELEGRAM_CHAT_ID:
        raise Unavailable(TELEGRAM, "請管理員設定 TELEGRAM_CHAT_ID（預設的聊天室編號），或指定 chat_id")
    try:
        return chat_for(settings.TELEGRAM_CHAT_ID)
    except ValidationFailed as error:
        raise Unavailable(TELEGRAM, "TELEGRAM_CHAT_ID 不是聊天室編號，請管理員修正") from error

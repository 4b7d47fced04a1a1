"""Linking of Telegram accounts with users, by codes that work once, and the end of a link."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from auditlog.context import set_actor
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from bot.models import NAME_LENGTH, LinkCode, TelegramAccount
from bot.selectors import may_use_bot
from momo.core.errors import Conflict, Forbidden, NotFound
from momo.core.work import start_task_on_commit
from notifications.models import Chat
from notifications.services.chats import chat_of_person
from notifications.services.subscribing import unsubscribe

CODE_LIFE = dt.timedelta(minutes=15)
CODE_BYTES = 16  # 22 characters of those that a deep link takes
MENUS_TASK = "bot.menus"  # the sweep does the same work, if the broker is down
CODE_REFUSED = "這個連結碼無效、用過了或已過期，請到後台「Telegram 帳號」再產生一個"


@dataclass(frozen=True)
class NewCode:
    """A code with its text, which is known only now."""

    text: str
    expires_at: dt.datetime


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def create_code(*, user: User) -> NewCode:
    """Create a code that links a Telegram account with `user`; earlier codes of the user end."""
    now = timezone.now()
    LinkCode.objects.filter(user=user, used_at=None, expires_at__gt=now).update(expires_at=now)
    text = secrets.token_urlsafe(CODE_BYTES)
    code = LinkCode.objects.create(user=user, digest=_digest(text), created_at=now, expires_at=now + CODE_LIFE)
    return NewCode(text, code.expires_at)


@transaction.atomic
def link(*, code: str, telegram_id: int, name: str) -> TelegramAccount:
    """Link a Telegram account with the user of the code, in the place of an earlier account of that user.

    Raises NotFound for a code that is unknown, used or expired, Forbidden for a user who may not use the bot, and
    Conflict for a Telegram account that belongs to another user.
    """
    now = timezone.now()
    codes = LinkCode.objects.select_for_update(of=("self",)).select_related("user")
    found = codes.filter(digest=_digest(code), used_at=None, expires_at__gt=now).first()
    if found is None:
        raise NotFound(CODE_REFUSED)
    user = found.user
    if not may_use_bot(user):
        raise Forbidden("這個帳號目前不能使用機器人：已停用，或要先到網站變更密碼")
    name = name[:NAME_LENGTH]
    with set_actor(user):
        accounts = TelegramAccount.objects.select_for_update(of=("self",)).select_related("user")
        for other in accounts.filter(Q(telegram_id=telegram_id) | Q(user=user)):
            if other.user != user and other.user is not None and other.user.is_active:
                raise Conflict("這個 Telegram 帳號已經連結到另一位使用者，請先在這裡輸入 /unlink 解除")
            if other.user != user or other.telegram_id != telegram_id:
                unlink(account=other)
        account, _ = TelegramAccount.objects.update_or_create(
            user=user, defaults={"telegram_id": telegram_id, "name": name, "linked_at": now}
        )
    LinkCode.objects.filter(pk=found.pk).update(used_at=now)
    chat_of_person(telegram_id, title=name, is_guest=False)
    start_task_on_commit(MENUS_TASK)
    return account


@transaction.atomic
def unlink(*, account: TelegramAccount) -> None:
    """End a link. The private chat gets no messages any more but answers to guests."""
    chat = Chat.objects.filter(chat_id=str(account.telegram_id)).first()
    if chat is not None:
        unsubscribe(chat=chat)
        Chat.objects.filter(pk=chat.pk).update(standing=Chat.Standing.GUEST)
    account.delete()
    start_task_on_commit(MENUS_TASK)


def unlink_gone() -> int:
    """End the links of users who were switched off or deleted. Returns how many."""
    gone = list(TelegramAccount.objects.filter(Q(user=None) | Q(user__is_active=False)))
    for account in gone:
        unlink(account=account)
    return len(gone)

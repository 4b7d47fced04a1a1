"""Reads of linked accounts."""

from __future__ import annotations

from accounts.models import User
from bot.models import TelegramAccount


def may_use_bot(user: User | None) -> bool:
    """Whether a user may give commands: neither switched off nor before a change of password."""
    return user is not None and user.is_active and not user.must_change_password


def account_of(telegram_id: int) -> TelegramAccount | None:
    """Return the linked account with its user; None where nobody is linked, or the user is deleted."""
    return TelegramAccount.objects.select_related("user").filter(telegram_id=telegram_id, user__isnull=False).first()


def has_account(user: User) -> bool:
    """Whether the user has a linked account."""
    return TelegramAccount.objects.filter(user=user).exists()

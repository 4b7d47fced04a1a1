"""Models of the bot whose changes the audit trail records."""

from __future__ import annotations

from auditlog.registry import auditlog

from bot.models import TelegramAccount


def register() -> None:
    """Register the models; called once when the app is ready."""
    auditlog.register(TelegramAccount, include_fields=["user", "telegram_id", "name"])

"""Models of notifications whose changes the audit trail records. Messages and versions are their own record."""

from __future__ import annotations

from auditlog.registry import auditlog

from notifications.models import Chat, Subscription, Template


def register() -> None:
    """Register the models that people edit; called once when the app is ready."""
    auditlog.register(Template, include_fields=["code", "title", "format", "subject", "body", "variables"])
    auditlog.register(Chat, include_fields=["chat_id", "title", "is_active"])
    auditlog.register(
        Subscription,
        include_fields=[
            "name",
            "event",
            "channel",
            "chat",
            "address",
            "filters",
            "quiet_from",
            "quiet_until",
            "enabled",
        ],
    )

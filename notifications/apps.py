"""Wires the app into Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class NotificationsConfig(AppConfig):
    """The app of templates, the outbox and its channels."""

    name = "notifications"
    verbose_name = "通知"

    def ready(self) -> None:
        # Models exist only from here on.
        from notifications import audit, events  # noqa: PLC0415
        from notifications.checks import check_email  # noqa: PLC0415
        from notifications.services.shipped import write_after_migrate  # noqa: PLC0415

        audit.register()
        register(check_email)
        events.register_events()
        post_migrate.connect(write_after_migrate, dispatch_uid="notifications.shipped")

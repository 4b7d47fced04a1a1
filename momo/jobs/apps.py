"""Configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Registers audited models and events when Django is ready."""

    name = "momo.jobs"
    label = "jobs"
    verbose_name = "資料匯入"

    def ready(self) -> None:
        # Models exist only from here on.
        from momo.jobs import audit, events  # noqa: PLC0415

        audit.register()
        events.register_events()

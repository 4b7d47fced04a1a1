"""Configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TodoConfig(AppConfig):
    """Registers its audited fields, its event, and what the apps say waits for somebody."""

    name = "momo.todo"
    label = "todo"
    verbose_name = "待辦"

    def ready(self) -> None:
        # Models exist only from here on.
        from momo.todo import audit, events  # noqa: PLC0415

        audit.register()
        events.register_events()
        autodiscover_modules("todo")

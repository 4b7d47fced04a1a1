"""Wires the app into Django."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "momo.jobs"
    label = "jobs"
    verbose_name = "資料匯入"

    def ready(self) -> None:
        # Models exist only from here on.
        from momo.jobs import audit, events  # noqa: PLC0415

        audit.register()
        events.register_events()

"""Configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class SavedViewsConfig(AppConfig):
    """Registers the audited model when Django is ready."""

    name = "momo.saved_views"
    label = "saved_views"
    verbose_name = "已存篩選"

    def ready(self) -> None:
        # Models exist only from here on.
        from momo.saved_views import audit  # noqa: PLC0415

        audit.register()

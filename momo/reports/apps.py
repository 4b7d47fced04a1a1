"""The app of reports that come by themselves."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ReportsConfig(AppConfig):
    """The reports app; collects the sections of all apps, registers its event and its audited fields."""

    name = "momo.reports"
    label = "reports"
    verbose_name = "定期報表"

    def ready(self) -> None:
        # Models exist only from here on.
        from momo.reports import audit  # noqa: PLC0415
        from momo.reports.events import register_events  # noqa: PLC0415

        audit.register()
        register_events()
        autodiscover_modules("reports")

"""The app of vendors."""

from __future__ import annotations

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    """The vendors app; registers its importer, its events and its audited fields."""

    name = "vendors"
    verbose_name = "廠商與缺貨"

    def ready(self) -> None:
        # Models can be imported only now.
        from momo.jobs.importers import register  # noqa: PLC0415
        from vendors import audit  # noqa: PLC0415
        from vendors.events import register_events  # noqa: PLC0415
        from vendors.importers import StockoutImporter  # noqa: PLC0415

        audit.register()
        register_events()
        register(StockoutImporter())

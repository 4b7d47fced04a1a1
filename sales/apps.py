"""Wires the app into Django."""

from __future__ import annotations

from django.apps import AppConfig

from momo.core.scope import offer_names


class SalesConfig(AppConfig):
    """The sales app; registers its importer, events and audited fields, and the names of what users may look after."""

    name = "sales"
    verbose_name = "銷售"

    def ready(self) -> None:
        # Models can be imported only now.
        from momo.jobs.importers import register  # noqa: PLC0415
        from sales import audit  # noqa: PLC0415
        from sales.events import register_events  # noqa: PLC0415
        from sales.importers import DailySalesImporter  # noqa: PLC0415
        from sales.selectors.days import names_of_scopes  # noqa: PLC0415

        audit.register()
        register_events()
        register(DailySalesImporter())
        offer_names(names_of_scopes)

"""Wires the app into Django."""

from __future__ import annotations

from django.apps import AppConfig


class SalesConfig(AppConfig):
    """The sales app; registers its importer."""

    name = "sales"
    verbose_name = "銷售"

    def ready(self) -> None:
        # Models can be imported only now.
        from momo.jobs.importers import register  # noqa: PLC0415
        from sales.importers import DailySalesImporter  # noqa: PLC0415

        register(DailySalesImporter())

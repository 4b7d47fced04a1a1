"""Wires the app into Django."""

from __future__ import annotations

from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = "銷售"

    def ready(self) -> None:
        # Models exist only from here on.
        from momo.jobs.importers import register  # noqa: PLC0415
        from sales.importers import DailySalesImporter  # noqa: PLC0415

        register(DailySalesImporter())

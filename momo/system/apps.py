"""Wires the checks of the running system into Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from momo.system.checks import check_database, check_queues


class SystemConfig(AppConfig):
    """Has no models: checks of database and workers, and what the start page says of them."""

    name = "momo.system"
    label = "system"
    verbose_name = "系統"

    def ready(self) -> None:
        register(check_database, Tags.database)
        register(check_queues, "workers")

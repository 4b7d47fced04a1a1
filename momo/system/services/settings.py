"""The rows of settings that admins change."""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction

from momo.core.thresholds import staff_settings, thresholds
from momo.system.meanings import meanings
from momo.system.models import Setting


def ensure_settings(using: str, **kwargs: Any) -> None:
    """Receiver of `post_migrate`: a row for each threshold that has none; what admins stored stays."""
    if Setting._meta.db_table not in connections[using].introspection.table_names():
        return  # a migration back to before them
    known = staff_settings()
    names = [name for group in meanings().values() for name in group if name in known]
    Setting.objects.using(using).bulk_create([Setting(name=name) for name in names], ignore_conflicts=True)


def use_change(**kwargs: Any) -> None:
    """Receiver of `post_save`: this process uses a new value at once, others within `momo.core.thresholds.SECONDS`."""
    transaction.on_commit(thresholds.forget)

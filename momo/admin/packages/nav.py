"""Entries of the sidebar for pages of packages."""

from __future__ import annotations

from momo.admin.kit.nav import SYSTEM, Entry, register

register(
    Entry(SYSTEM, 80, "異動紀錄", "history", "auditlog.logentry"),
    Entry(SYSTEM, 90, "排程", "schedule", "django_celery_beat.periodictask"),
)

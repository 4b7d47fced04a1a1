"""Replaces the pages of packages."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import Group

from momo.admin.packages import audit, schedules

__all__ = ["audit", "schedules"]

# Groups follow from roles.
admin.site.unregister(Group)

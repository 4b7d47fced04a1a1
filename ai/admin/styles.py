"""Admin pages of styles of copy, and the workbench, which writes with them."""

from __future__ import annotations

from django.contrib import admin

from ai.admin.workbench import WorkbenchPages
from ai.models import Style
from momo.admin.kit.display import active_badge, column
from momo.admin.kit.tables import BaseAdmin


@admin.register(Style)
class StyleAdmin(WorkbenchPages, BaseAdmin):
    """Instructions for the model, in the order in which they are offered."""

    list_display = ("name", "description", "on", "position")
    search_fields = ("name", "description")
    search_help_text = "名稱或說明"
    fields = ("name", "description", "prompt", "enabled", "position")

    on = column("啟用", active_badge, of="enabled", order="enabled")

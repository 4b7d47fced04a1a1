"""The admin page 設定: thresholds that admins change in place, and below them all other settings in force."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from momo.admin.kit.display import GOOD, QUIET, badge, column, span, with_sub
from momo.admin.kit.tables import BaseAdmin, EditableRow
from momo.core.environment import env_file
from momo.core.thresholds import SECONDS, staff_settings
from momo.system.meanings import meaning
from momo.system.models import Setting
from momo.system.selectors.settings import NOTHING, settings_in_force, shown, source_of, with_unit


class SettingForm(EditableRow):
    """The value of a threshold; the field shows its bounds, and the value that is in force without one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        setting = staff_settings().get(self.instance.name)
        if setting is not None and "value" in self.fields:
            outside = getattr(settings, setting.name)
            self.fields["value"].widget.attrs |= {"min": setting.least, "max": setting.most, "placeholder": outside}


@admin.register(Setting)
class SettingAdmin(BaseAdmin):
    """Thresholds; they are neither added nor deleted."""

    form = SettingForm
    list_display = ("what", "value", "in_force", "source", "bounds", "without")
    list_display_links = ("what",)
    list_editable = ("value",)
    list_per_page = 200
    list_after_template = "admin/system/settings.html"
    list_disable_select_all = True
    sortable_by = ()
    actions = None
    fields = ("what", "value", "bounds", "without")
    readonly_fields = ("what", "bounds", "without")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=SettingForm, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        shown_below = {"groups": settings_in_force(), "seconds": round(SECONDS)}
        return super().changelist_view(request, {**(extra_context or {}), **shown_below})

    what = column("設定", lambda row: with_sub(span("mo-words", meaning(row.name)), row.name))
    in_force = column("目前使用", lambda row: _in_force(row), number=True)
    source = column("來源", lambda row: _source(row))
    bounds = column("範圍", lambda row: _bounds(row))
    without = column("預設值", lambda row: _default(row), number=True)


def _in_force(row: Setting) -> str:
    setting = staff_settings().get(row.name)
    if setting is None:
        return NOTHING
    return with_unit(getattr(settings, row.name) if row.value is None else row.value, setting.unit)


def _source(row: Setting) -> str:
    setting = staff_settings().get(row.name)
    if setting is None:
        return NOTHING
    return badge("自訂", GOOD) if row.value is not None else badge(source_of(setting, env_file()), QUIET)


def _bounds(row: Setting) -> str:
    setting = staff_settings().get(row.name)
    return NOTHING if setting is None else f"{setting.least:,} – {with_unit(setting.most or 0, setting.unit)}"


def _default(row: Setting) -> str:
    setting = staff_settings().get(row.name)
    return NOTHING if setting is None else shown(setting, default=True)

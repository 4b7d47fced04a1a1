"""Admin pages of targets: attainment of a month, the grid in which they are edited, a list with import and export."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import path
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from momo.admin.kit.display import NO_VALUE, column, money, nowrap
from momo.admin.kit.tables import ReadOnlyAdmin
from momo.admin.kit.transfer import TransferMixin
from sales.admin.attainment import AttainmentPage
from sales.admin.grid import GridPage
from sales.admin.resources import TargetResource
from sales.models import Target


@admin.register(Target)
class TargetAdmin(AttainmentPage, GridPage, TransferMixin, ReadOnlyAdmin):
    """All targets, to search, import and export them; they are edited in the grid."""

    list_display = ("of_month", "dimension", "name", "amount_money", "profit_money")
    list_display_links = None
    list_filter = (("dimension", ChoicesDropdownFilter),)
    search_fields = ("key",)
    search_help_text = "名稱"
    ordering = ("-month", "dimension", "key")
    sortable_by = ("of_month",)
    resource_classes: ClassVar = [TargetResource]

    of_month = column("月份", lambda month: nowrap(f"{month:%Y-%m}"), of="month", order="month")
    name = column("名稱", lambda key: key or NO_VALUE, of="key")
    amount_money = column("業績目標", money, of="amount")
    profit_money = column("毛利目標", money, of="gross_profit")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("attainment/", view(self.attainment), name="sales_target_attainment"),
            path("grid/", view(self.grid), name="sales_target_grid"),
        ]
        return [*own, *super().get_urls()]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(("sales.add_target", "sales.change_target"))

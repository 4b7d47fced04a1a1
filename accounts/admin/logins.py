"""Every try to log in."""

from __future__ import annotations

import ipaddress

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from accounts.models import LoginAttempt
from momo.admin_kit.display import BAD, GOOD, badge, when
from momo.admin_kit.filters import DayRangeFilter
from momo.admin_kit.tables import LongAdmin


@admin.register(LoginAttempt)
class LoginAttemptAdmin(LongAdmin):
    """Every try to log in."""

    list_display = ("tried", "username", "user", "result", "address", "browser")
    list_display_links = ("tried",)
    list_select_related = ("user",)
    list_filter = (("success", BooleanRadioFilter), ("reason", ChoicesDropdownFilter), ("time", DayRangeFilter))
    list_filter_submit = True
    search_fields = ("username",)
    search_help_text = "完整的帳號或位址"
    sortable_by = ()
    ordering = ("-time", "-id")
    fields = ("tried", "username", "user", "result", "address", "user_agent")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LoginAttempt], search_term: str
    ) -> tuple[QuerySet[LoginAttempt], bool]:
        """Whole names and addresses: what the indexes find without reading the history."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(address=str(ipaddress.ip_address(term))), False
        except ValueError:
            return queryset.filter(username=term), False

    @display(description="時間")
    def tried(self, obj: LoginAttempt) -> str:
        return when(obj.time)

    @display(description="結果")
    def result(self, obj: LoginAttempt) -> str:
        return badge(obj.get_reason_display(), GOOD if obj.success else BAD)

    @display(description="瀏覽器")
    def browser(self, obj: LoginAttempt) -> str:
        return obj.user_agent[:80] or "－"

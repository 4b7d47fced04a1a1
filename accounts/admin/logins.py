"""Admin pages of login attempts."""

from __future__ import annotations

import ipaddress

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from accounts.models import LoginAttempt
from momo.admin.kit.display import BAD, GOOD, NO_VALUE, badge, column, when
from momo.admin.kit.filters import DayRangeFilter
from momo.admin.kit.tables import UncountedAdmin


@admin.register(LoginAttempt)
class LoginAttemptAdmin(UncountedAdmin):
    """All attempts to log in."""

    list_display = ("tried", "username", "user", "result", "address", "browser")
    list_select_related = ("user",)
    list_filter = (("success", BooleanRadioFilter), ("reason", ChoicesDropdownFilter), ("time", DayRangeFilter))
    search_fields = ("username",)
    search_help_text = "完整的帳號或位址"
    sortable_by = ()
    ordering = ("-time", "-id")
    fields = ("tried", "username", "user", "result", "address", "user_agent")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LoginAttempt], search_term: str
    ) -> tuple[QuerySet[LoginAttempt], bool]:
        """Exact names and addresses, which the indexes find without reading the whole history."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(address=str(ipaddress.ip_address(term))), False
        except ValueError:
            return queryset.filter(username=term), False

    tried = column("時間", when, of="time")
    result = column("結果", lambda one: badge(one.get_reason_display(), GOOD if one.success else BAD))
    browser = column("瀏覽器", lambda name: name[:80] or NO_VALUE, of="user_agent")

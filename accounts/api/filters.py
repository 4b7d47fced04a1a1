"""Filters of the lists of people and logins."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django_filters import filters

from accounts.models import LoginAttempt, Role, User
from momo.rest.filters import DateRangeFilterSet, StrictBooleanFilter, StrictFilterSet


class UserFilter(StrictFilterSet):
    q = filters.CharFilter(method="search", label="帳號、顯示名稱或電子郵件", max_length=100)
    role = filters.ChoiceFilter(choices=Role.choices, label="角色")
    is_active = StrictBooleanFilter(label="是否啟用")

    class Meta:
        model = User
        fields = ("q", "role", "is_active")

    def search(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return queryset.filter(
            Q(username__icontains=value) | Q(display_name__icontains=value) | Q(email__icontains=value)
        )


class LoginAttemptFilter(DateRangeFilterSet):
    range_field = "time"

    username = filters.CharFilter(label="輸入的帳號，完全相同", max_length=150)
    success = StrictBooleanFilter(label="是否登入成功")

    class Meta:
        model = LoginAttempt
        fields = ("username", "success")

"""Parameters of the lists of users and of login attempts."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import filters

from accounts.models import LoginAttempt, Role, User
from accounts.selectors import search_users
from momo.rest.filters import DateRangeFilterSet, StrictBooleanFilter, StrictFilterSet


class UserFilter(StrictFilterSet):
    """Of `GET /api/users`."""

    q = filters.CharFilter(method="search", label="帳號、顯示名稱或電子郵件", max_length=100)
    role = filters.ChoiceFilter(choices=Role.choices, label="角色")
    is_active = StrictBooleanFilter(label="是否啟用")

    class Meta:
        model = User
        fields = ("q", "role", "is_active")

    def search(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return search_users(queryset, text=value)


class LoginAttemptFilter(DateRangeFilterSet):
    """Of `GET /api/users/login_history`."""

    range_field = "time"

    username = filters.CharFilter(label="輸入的帳號，完全相同", max_length=150)
    success = StrictBooleanFilter(label="是否登入成功")

    class Meta:
        model = LoginAttempt
        fields = ("username", "success")

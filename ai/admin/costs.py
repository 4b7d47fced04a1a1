"""Admin pages of budgets, prices of models, and calls."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from ai.admin.usage import UsagePage
from ai.models import Budget, Call, ModelPrice
from ai.models.calls import Provider
from ai.selectors.usage import calls_of
from momo.admin.kit.display import BAD, GOOD, INFO, WARN, choice_badge, column, thousands, when
from momo.admin.kit.filters import DayRangeFilter, within
from momo.admin.kit.tables import BaseAdmin, UncountedAdmin
from momo.core.formats import Number, number


def exact(amount: Number) -> str:
    """An amount without zeros at its end; its currency stands beside it."""
    return number(amount, thousands=True)


@admin.register(Budget)
class BudgetAdmin(BaseAdmin):
    """What may be spent in a month."""

    list_display = ("who", "whose", "when_valid", "limit", "currency")
    list_select_related = ("user",)
    list_filter = (("provider", ChoicesDropdownFilter),)
    autocomplete_fields = ("user",)
    fields = ("provider", "user", "month", "currency", "amount")

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider":
            kwargs["choices"] = [("", "全部"), *Provider.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    who = column("供應者", lambda row: row.get_provider_display() or "全部", order="provider")
    whose = column("使用者", lambda row: str(row.user) if row.user else "全部", order="user__username")
    when_valid = column("月份", lambda row: f"{row.month:%Y-%m}" if row.month else "每個月", order="month")
    limit = column("金額", exact, of="amount", order="amount", number=True)


@admin.register(ModelPrice)
class ModelPriceAdmin(BaseAdmin):
    """What models cost; a change is a new row from its day on."""

    list_display = ("provider", "which", "given", "written", "search", "currency", "valid_from")
    list_filter = (("provider", ChoicesDropdownFilter),)
    fields = (
        *("provider", "model", "currency", "input_per_million", "output_per_million", "per_search", "valid_from"),
    )

    which = column("模型", lambda row: row.model or "全部", order="model")
    given = column("每百萬輸入 token", exact, of="input_per_million", number=True)
    written = column("每百萬輸出 token", exact, of="output_per_million", number=True)
    search = column("每次搜尋", exact, of="per_search", number=True)


@admin.register(Call)
class CallAdmin(UsagePage, UncountedAdmin):
    """Calls of providers: one's own, for admins everybody's. The list of a long year never counts its rows."""

    list_display = ("time", "kind", "username", "provider", "model", "state", "given", "written", "spent", "currency")
    list_display_links = ("time",)
    list_filter = (
        ("provider", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        within("started_at"),
        ("started_at", DayRangeFilter),
    )
    search_fields = ("username", "model")
    search_help_text = "帳號或模型"
    sortable_by = ()
    fields = (
        *("kind", "username", "provider", "model", "fallback_from", "state", "error"),
        *("given", "written", "searches", "seconds", "spent", "currency", "started_at", "finished_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        return calls_of(request.user).order_by("-id")

    time = column("時間", when, of="started_at")
    state = column(
        "狀態",
        choice_badge(
            {
                Call.Status.RUNNING: INFO,
                Call.Status.SUCCEEDED: GOOD,
                Call.Status.FAILED: BAD,
                Call.Status.ABORTED: WARN,
            }
        ),
    )
    given = column("輸入 token", thousands, of="input_tokens")
    written = column("輸出 token", thousands, of="output_tokens")
    spent = column("費用", exact, of="cost", number=True)

"""Admin tables that nobody edits, and pages that do not count what is long."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import InlineModelAdmin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator


class NoAddChangeDelete:
    """For what the system writes: people with the view permission look, nobody edits."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(NoAddChangeDelete):
    """Rows of a related table under their owner."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False


class ReadOnlyAdmin(NoAddChangeDelete, ModelAdmin):
    """A list and, per row, a page of read-only fields or of its own template."""

    show_full_result_count = False
    list_per_page = 50
    actions: Any = ()


class LongAdmin(ReadOnlyAdmin):
    """A table that grows for ever: pages forward and back, its rows are never counted."""

    paginator = InfinitePaginator


class PageAdmin(ReadOnlyAdmin):
    """A read-only page drawn by `change_form_before_template` instead of by form fields."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return []

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[InlineModelAdmin]]:
        return []

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the template is given beside `original`."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> Any:
        if obj is not None:
            context.update(self.page_context(request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

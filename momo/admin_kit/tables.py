"""Admin tables that nobody edits, and pages that do not count what is long."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import InlineModelAdmin, ShowFacets
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList


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
    hide_title = True


class QuietChangeList(ChangeList):
    """Counts once, and says how many rows only where a search or a filter made them fewer."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class QuietAdmin(ModelAdmin):
    """A list whose rows are counted once, and not again for each value of each filter."""

    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QuietChangeList


class ReadOnlyAdmin(NoAddChangeDelete, QuietAdmin):
    """A list and, per row, a page of read-only fields or of its own template.

    What nobody edits here has no history of edits: it is itself the record of what was done.
    """

    actions: Any = ()

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        context["show_history"] = self.has_change_permission(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        if self.has_change_permission(request):
            return super().history_view(request, object_id, extra_context)
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(page, args=[object_id]))


class LongChangeList(QuietChangeList):
    """Its number of rows is made up by the paginator; pages must not tell it."""

    uncounted = True

    @property
    def has_other_pages(self) -> bool:
        """Whether there is, or may be, more than what this page shows."""
        return self.page_num > 1 or len(self.result_list) >= self.list_per_page


class LongAdmin(ReadOnlyAdmin):
    """A table that grows for ever: pages forward and back, its rows are never counted."""

    paginator = InfinitePaginator

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList


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
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        if obj is not None:
            context.update(self.page_context(request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

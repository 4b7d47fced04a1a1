"""Bases of admin pages: lists with tabs and files, whose rows are counted once or not at all, and read-only pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, BinaryIO, ClassVar

from django.apps import apps
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.forms import Media
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import re_path, reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from momo.admin.kit import nav
from momo.admin.kit.display import action_title, holds_numbers
from momo.admin.kit.exports import KINDS, FoundList, address_of, find_list, list_file
from momo.admin.kit.forms import ModelForm, RowField, is_id
from momo.admin.kit.refusals import show_refusal
from momo.core.errors import ServiceError, ValidationFailed
from momo.sheets.write import CONTENT_TYPES

PREPOPULATING = ("urlify.js", "prepopulate.js", "xregexp.js", "xregexp.min.js")
_BEFORE_LATIN = re.compile(r"^(已(?:新增|刪除|儲存))(?=[A-Za-z])")


class NoChangeDelete:
    """Rows that users may add, but neither change nor delete."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_delete_permission = has_change_permission


class NoAddChangeDelete(NoChangeDelete):
    """Rows that only the system writes: users with the view permission see them, no user changes them."""

    has_add_permission = NoChangeDelete.has_change_permission


def _of_a_row(view: Callable[..., Any], model: type[Model]) -> Callable[..., Any]:
    """`view`, with 404 for an `object_id` that no row can have: views and packages use it in queries as it is."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "object_id" in kwargs and not is_id(model, unquote(str(kwargs["object_id"]))):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


class BaseChangeList(ChangeList):
    """Counts rows once; a second count, of all rows, only if a search or a filter is active.

    A list without rows says what its entry of the sidebar knows, and links to what brings the first ones.
    """

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.title = str(self.opts.verbose_name_plural)
        self.entry = nav.entry_of(self.opts.label_lower)
        step = self.entry and self.entry.step
        self.step = step if step and request.user.has_perm(step.permission) else None

    @property
    def spaced_name(self) -> str:
        """What a row is called, after Chinese words: Latin letters stand apart from them."""
        name = str(self.opts.verbose_name)
        return f" {name}" if name[:1].isascii() else name

    @property
    def number_classes(self) -> str:
        """For the stylesheet: a class for the place of each column of numbers, such as `mo-number-3`."""
        found = [
            place
            for place, name in enumerate(map(str, self.list_display), start=1)
            if holds_numbers(self.model, name, getattr(self.model_admin, name, None))
        ]
        return " ".join(f"mo-number-{place}" for place in found)

    @property
    def tabs(self) -> list[tuple[str, str, bool]]:
        """Title, address and whether it is chosen, of each tab of the admin; conditions that no tab names stay."""
        named = {name for _, asked in self.model_admin.tabs for name in asked}
        now = {name: [value for value in self.filter_params.get(name, ()) if value] for name in named}
        found = []
        for title, asked in self.model_admin.tabs:
            wanted = {name: asked.get(name) for name in named}
            chosen = all(now[name] == ([value] if value else []) for name, value in wanted.items())
            found.append((title, self.get_query_string(wanted), chosen))
        return found

    @property
    def exports(self) -> list[tuple[str, str]]:
        """Title and address of each file with all rows that the list finds."""
        if not self.model_admin.offers_files:
            return []
        address = f"admin:{self.opts.app_label}_{self.opts.model_name}_export_file"
        return [(title, reverse(address, args=[kind]) + self.get_query_string()) for kind, title in KINDS.items()]

    @property
    def conditions(self) -> str:
        """The query string of the list without its page, for what remembers it."""
        return str(self.get_query_string()).removeprefix("?")

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.model_admin.complete_rows(self.result_list)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class EditableRow(ModelForm):
    """The fields of a list that are edited in place: each is named by its heading and its row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", f"{field.label}：{self.instance}")


def _without(starts: tuple[str, ...], rows: list[Any]) -> list[Any]:
    """The nested texts of rows without those that begin with one of `starts`."""
    return [
        _without(starts, row) if isinstance(row, list) else row
        for row in rows
        if isinstance(row, list) or not str(row).startswith(starts)
    ]


class BaseAdmin(ModelAdmin):
    """The base of all our admin pages: rows are counted once, and not again for each value of each filter.

    `tabs` are what staff ask a list most often: a title, and the parameters of the address that it sets.
    """

    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_filter_submit = True
    changelist_class: type[ChangeList] = BaseChangeList
    warn_unsaved_form = True
    deletes_many = True  # whether the list offers to delete the chosen rows
    tabs: ClassVar[Sequence[tuple[str, Mapping[str, str]]]] = ()
    offers_files = True  # whether the list offers files of its own; a page with another export does not
    export_extra: Sequence[tuple[str, str]] = ()  # headings and attributes of rows that files have beside the columns

    @property
    def media(self) -> Media:
        """Without Django's scripts for fields that fill in others, 170 KB on each page: no form has such a field."""
        media = super().media
        scripts = [script for script in media._js if not script.endswith(PREPOPULATING)]
        return Media(css=media._css, js=scripts)

    def get_urls(self) -> list[Any]:
        urls: list[Any] = super().get_urls()
        for pattern in urls:
            pattern.callback = _of_a_row(pattern.callback, self.model)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export_file"
        # Only these: packages have pages of their own below export/.
        return [
            re_path(rf"^export/(?P<kind>{'|'.join(KINDS)})/$", self.admin_site.admin_view(self.export), name=name),
            *urls,
        ]

    def export(self, request: HttpRequest, kind: str) -> HttpResponse | FileResponse:
        """All rows that the list finds with the conditions of the address, as a file."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        query = request.GET.urlencode()
        try:
            found = find_list(self, user=request.user, query=query)
            handle = self.export_file(found, kind)
        except ValidationFailed as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(f"{address_of(self)}?{query}")
        name = found.file_name(kind)
        return FileResponse(handle, as_attachment=True, filename=name, content_type=CONTENT_TYPES[kind])

    def export_file(self, found: FoundList, kind: str) -> BinaryIO:
        """The open file (of `KINDS`) of what a list finds. Raises ValidationFailed for more rows than it holds."""
        return list_file(found, kind)

    def complete_rows(self, rows: Iterable[Any]) -> None:
        """Add to the rows of a page, or to some of a file, what their columns need beside the list's query."""

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any) -> None:
        # Django's messages put the model's name right behind the verb.
        spaced = _BEFORE_LATIN.sub(r"\1 ", str(message))
        super().message_user(request, SafeString(spaced) if hasattr(message, "__html__") else spaced, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if not all(is_id(self.model, chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest(ACTION_CHECKBOX_NAME)
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ServiceError as refusal:
            # The form was valid and the service refuses: somebody else saved the same in the meantime.
            if request.method != "POST":
                raise
            show_refusal(request, refusal)
            return HttpResponseRedirect(request.get_full_path())

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["form_class"] = RowField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def own_page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """A page that is neither list nor form, in the frame of the admin; `title` is its heading."""
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if not self.deletes_many:
            actions.pop("delete_selected", None)
        return actions

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Leaves out each `dialog_action` that does not fit the row in its present state."""
        found = [(one, getattr(one.method, "fits", None)) for one in super().get_actions_detail(request, object_id)]
        row = self.model._default_manager.filter(pk=object_id).first() if any(fits for _, fits in found) else None
        return [one for one, fits in found if fits is None or (row is not None and fits(row))]

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        name = str(self.opts.verbose_name)
        context["title"] = action_title("新增", name) if kwargs.get("add") else name
        return super().render_change_form(request, context, **kwargs)

    def render_delete_form(self, request: HttpRequest, context: Any) -> Any:
        refused = context["perms_lacking"] or context["protected"]
        context["title"] = action_title("無法刪除" if refused else "刪除", str(self.opts.verbose_name))
        context["subtitle"] = str(context["object"])
        return super().render_delete_form(request, context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Without rows that only join two models: they have neither a page nor a name that users know."""
        rows, counts, lacking, protected = super().get_deleted_objects(objs, request)
        joins = [model._meta for model in apps.get_models(include_auto_created=True) if model._meta.auto_created]
        for join in joins:
            counts.pop(join.verbose_name_plural, None)
        hidden = tuple(f"{capfirst(join.verbose_name)}: " for join in joins)
        return _without(hidden, rows), counts, lacking, protected

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        page = super().history_view(request, object_id, {"title": "變更紀錄", **(extra_context or {})})
        if isinstance(page, TemplateResponse) and page.context_data:
            page.context_data["subtitle"] = str(page.context_data["object"])
        return page

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": EditableRow, **kwargs})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return self.changelist_class


class ReadOnlyAdmin(NoAddChangeDelete, BaseAdmin):
    """A list and, per row, a page of read-only fields or of its own template.

    Rows that users cannot change have no page of changes; its address redirects to the row.
    """

    actions: Any = ()

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        context["show_history"] = self.has_change_permission(request, kwargs.get("obj"))
        return super().render_change_form(request, context, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        if self.has_change_permission(request):
            return super().history_view(request, object_id, extra_context)
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(page, args=[object_id]))


class UncountedChangeList(BaseChangeList):
    """The paginator makes up the number of rows, so pages must not show it."""

    uncounted = True

    @property
    def has_other_pages(self) -> bool:
        """Whether there are, or may be, rows beside those of this page."""
        return bool(self.page_num > 1 or len(self.result_list) >= self.list_per_page)


class UncountedAdmin(ReadOnlyAdmin):
    """A table that grows without end: pages forward and back, its rows are never counted."""

    paginator = InfinitePaginator
    changelist_class = UncountedChangeList


class PageAdmin(ReadOnlyAdmin):
    """A read-only page drawn by `change_form_before_template` instead of by form fields."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return []

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Variables of the template beside `original`."""
        return {}

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        if kwargs.get("obj") is not None:
            context.update(self.page_context(request, kwargs["obj"]))
        return super().render_change_form(request, context, **kwargs)

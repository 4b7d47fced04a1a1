"""Admin pages of the search: questions and answers, and a page that asks."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from ai.models import Search
from ai.selectors.history import generations_of
from ai.services.search import MAX_QUERY, search
from momo.admin.kit.display import column, full_name, full_time, link, when
from momo.admin.kit.refusals import show_refusal
from momo.admin.kit.tables import PageAdmin
from momo.core.errors import ServiceError
from notifications.admin.looks import frame


class QuestionForm(forms.Form):
    """A question."""

    query = forms.CharField(
        label="問題",
        max_length=MAX_QUERY,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "placeholder": "例如：2026 年台灣防曬新品的趨勢"}),
    )


@admin.register(Search)
class SearchAdmin(PageAdmin):
    """What was asked and answered: of oneself, for admins of everybody."""

    list_display = ("question", "sources", "who", "asked")
    list_display_links = ("question",)
    list_select_related = ("call",)
    search_fields = ("request__query", "content")
    search_help_text = "問題或答案"
    ordering = ("-id",)
    sortable_by = ()
    actions_list: ClassVar[Any] = ("ask",)
    change_form_before_template = "admin/ai/search/page.html"

    question = column("問題", full_name)
    sources = column("來源", lambda extra: len(extra.get("sources", ())), of="extra", number=True)
    who = column("使用者", of="call.username")
    asked = column("時間", when, of="created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Search]:
        own = generations_of(request.user).filter(kind="search")
        rows: QuerySet[Search] = super().get_queryset(request)
        return rows.filter(pk__in=own.order_by().values("pk"))

    @action(description="搜尋", icon="travel_explore", variant=ActionVariant.PRIMARY, permissions=["view"])
    def ask(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form; POST asks and leads to the answer."""
        form = QuestionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                found, notices = search(user=request.user, query=form.cleaned_data["query"])
            except ServiceError as refusal:
                show_refusal(request, refusal)
            else:
                for notice in notices:
                    messages.warning(request, notice)
                return HttpResponseRedirect(reverse("admin:ai_search_change", args=[found.pk]))
        return self.own_page(
            request, "admin/ai/search/ask.html", title="上網搜尋", form=form, back=reverse("admin:ai_search_changelist")
        )

    def page_context(self, request: HttpRequest, obj: Search) -> dict[str, Any]:
        entry = obj.extra.get("search_entry_point")
        return {
            "sources": [link(one["url"], one["title"], new_tab=True) for one in obj.extra.get("sources", ())],
            "queries": obj.extra.get("queries", ()),
            "entry_point": frame(entry, title="Google 搜尋建議") if entry else "",
            "facts": [("使用者", obj.call.username), ("模型", obj.call.model), ("時間", full_time(obj.created_at))],
        }

"""Admin pages of what was generated: one's own texts, for admins everybody's."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import action

from ai.admin.costs import exact
from ai.admin.marks import marked, rows_of
from ai.models import Call, Domain, Generation
from ai.selectors.history import generations_of, matching
from ai.services.history import delete_generation, set_favorites, toggle_favorite
from momo.admin.kit.dialogs import confirm_dialog, dialog_action, leave_dialog
from momo.admin.kit.display import NO_VALUE, WARN, badge, column, full_name, full_time, page_link, thousands, when
from momo.admin.kit.filters import Choices, ChoicesFilter, DayRangeFilter, choice_filter, within
from momo.admin.kit.tables import PageAdmin

NAME = 100  # characters of a text that stand for its product


def warned_choices() -> Choices:
    """Texts by whether a check found something."""
    return {"yes": ("有警告", ~Q(warnings=[])), "no": ("沒有警告", Q(warnings=[]))}


def subject(generation: Generation) -> str:
    """What a text is about: the question, the product, or how the text begins."""
    asked = str(generation.request.get("query", "")) if generation.kind == Call.Kind.SEARCH else ""
    return asked or generation.product_name or generation.content[:NAME]


@admin.register(Generation)
class GenerationAdmin(PageAdmin):
    """The history: texts are read, marked as favourites and deleted, but never changed."""

    list_display = ("what", "kind", "style", "warned", "starred", "who", "by_model", "made")
    list_display_links = ("what",)
    list_select_related = ("call",)
    list_filter = (
        ("kind", ChoicesFilter),
        ("favorite", BooleanRadioFilter),
        choice_filter("警告", "warned", warned_choices),
        within("created_at"),
        ("created_at", DayRangeFilter),
    )
    tabs = (
        ("全部", {}),
        *((kind.label, {"kind__exact": kind.value}) for kind in Call.Kind),
        ("有警告", {"warned": "yes"}),
        ("最愛", {"favorite__exact": "1"}),
    )
    search_fields = ("content",)
    search_help_text = "內容、品名或搜尋的問題"
    ordering = ("-id",)
    sortable_by = ()
    actions = ("add_favorites", "remove_favorites")
    actions_detail: ClassVar[Any] = ("favorite", "remove")
    change_form_before_template = "admin/ai/generation/page.html"

    what = column("商品或問題", lambda row: full_name(subject(row)))
    warned = column("警告", lambda found: badge(len(found), WARN) if found else NO_VALUE, of="warnings")
    starred = column("最愛", lambda favorite: badge("最愛", "brand") if favorite else NO_VALUE, of="favorite")
    who = column("使用者", of="call.username")
    by_model = column("模型", of="call.model")
    made = column("時間", when, of="created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Generation]:
        own = generations_of(request.user)
        rows: QuerySet[Generation] = super().get_queryset(request)
        return rows.filter(pk__in=own.order_by().values("pk"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Generation], search_term: str
    ) -> tuple[QuerySet[Generation], bool]:
        return matching(queryset, search_term.strip()) if search_term.strip() else queryset, False

    # --- Actions: whoever may see a text may do these with it -----------------------------------------------------

    @action(description="加入最愛", permissions=["view"])
    def add_favorites(self, request: HttpRequest, chosen: QuerySet[Generation]) -> None:
        messages.success(request, f"已將 {set_favorites(generations=chosen, favorite=True)} 筆加入最愛")

    @action(description="移出最愛", permissions=["view"])
    def remove_favorites(self, request: HttpRequest, chosen: QuerySet[Generation]) -> None:
        messages.success(request, f"已將 {set_favorites(generations=chosen, favorite=False)} 筆移出最愛")

    @dialog_action(
        "最愛",
        "star",
        permission="view",
        dialog=confirm_dialog("最愛", "加入最愛的文案不會因為過了保存期限而刪除；已經是最愛時移出。", yes="確定"),
    )
    def favorite(self, request: HttpRequest, form: Any, generation: Generation) -> str:
        return "已加入最愛" if toggle_favorite(generation=_own(request, generation)) else "已移出最愛"

    @dialog_action(
        "刪除",
        "delete",
        permission="view",
        dialog=confirm_dialog("刪除這筆紀錄", "刪除後不能復原；用量與費用仍會保留。", yes="刪除"),
    )
    def remove(self, request: HttpRequest, form: Any, generation: Generation) -> HttpResponse:
        delete_generation(generation=_own(request, generation))
        messages.success(request, "已刪除")
        return _to_list(request)

    # --- Page ------------------------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, obj: Generation) -> dict[str, Any]:
        call, asked = obj.call, obj.request
        product = obj.product and page_link("products_product", obj.product_id, obj.product_name or obj.product)
        is_search = obj.kind == Call.Kind.SEARCH
        return {
            "subject": subject(obj),
            "text": marked(obj.content, obj.warnings),
            "warnings": rows_of(obj.warnings),
            "is_search": is_search,
            "search_url": reverse("admin:ai_search_change", args=[obj.pk]) if is_search else "",
            "facts": [
                ("商品", product or NO_VALUE),
                ("風格", obj.style or NO_VALUE),
                ("關鍵字", "、".join(map(str, asked.get("keywords", ()))) or NO_VALUE),
                ("類別", dict(Domain.choices).get(asked.get("domain", ""), NO_VALUE)),
                ("使用者", call.username),
                ("模型", f"{call.get_provider_display()} {call.model}"),
                ("token（輸入、輸出）", f"{thousands(call.input_tokens)}、{thousands(call.output_tokens)}"),
                ("費用", f"{exact(call.cost)} {call.currency}"),
                ("時間", full_time(obj.created_at)),
            ],
        }


def _own(request: HttpRequest, generation: Generation) -> Generation:
    """The row, if the user may see it: actions look it up among all. Raises Http404."""
    return get_object_or_404(generations_of(request.user), pk=generation.pk)


def _to_list(request: HttpRequest) -> HttpResponse:
    """The row's page is gone with it."""
    return leave_dialog(request, reverse("admin:ai_generation_changelist"))

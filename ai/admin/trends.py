"""Admin pages of trends: which lists are read, and what they say."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget

from ai.models import TrendCategory, TrendList
from ai.selectors.trends import age_of, is_stale, list_of
from ai.services.trend_import import FIELDS, LIMITS, import_trend_list
from ai.services.trends import KEY_FORMS, check_key
from momo.admin.kit.dialogs import confirm_dialog, dialog_action
from momo.admin.kit.display import (
    GOOD,
    NO_VALUE,
    QUIET,
    WARN,
    badge,
    column,
    duration,
    link,
    money,
    page_link,
    picture,
    span,
    when,
    with_sub,
)
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.tables import BaseAdmin, PageAdmin
from momo.core.errors import ValidationFailed
from momo.core.work import require_task
from momo.sheets.formats.base import MEBIBYTE


def state_badge(trend: TrendCategory) -> str:
    """How old the list of a category is."""
    age = age_of(trend)
    if age is None:
        return badge("還沒有清單", QUIET)
    tone, text = (WARN, "過舊") if is_stale(trend) else (GOOD, "最新")
    return with_sub(badge(text, tone), f"{duration(age)}前")


def _list_link(trend: TrendCategory) -> str:
    found = list_of(trend)
    return page_link("ai_trendlist", found.pk, f"{len(found.items)} 項") if found else NO_VALUE


def _start(**arguments: Any) -> str:
    require_task("ai.refresh_trends", kwargs=arguments)
    return "趨勢清單開始更新，完成後會顯示新的時間"


class TrendCategoryForm(ModelForm):
    """Refuses a key that cannot name a list of its source."""

    class Meta:
        model = TrendCategory
        fields = ("source", "key", "category", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].help_text = "；".join((*KEY_FORMS.values(), "YouTube 是要搜尋的文字"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            check_key(source=cleaned.get("source", ""), key=cleaned.get("key", ""))
        except ValidationFailed as refusal:
            self.add_error("key", refusal.fields["key"][0])
        return cleaned


class TrendFileForm(forms.Form):
    """A workbook with a list."""

    file = forms.FileField(
        label="檔案",
        max_length=255,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.xls,.xlsb,.ods,.csv"}),
        error_messages={"required": "請選擇檔案"},
    )

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > LIMITS.bytes:
            raise forms.ValidationError(f"檔案最多 {LIMITS.bytes // MEBIBYTE} MB")
        return upload


@admin.register(TrendCategory)
class TrendCategoryAdmin(BaseAdmin):
    """Which lists are read, under which category of ours they are shown, and how the last attempt ended."""

    form = TrendCategoryForm
    list_display = ("name", "source", "key", "enabled", "items", "state", "attempted", "problem")
    list_display_links = ("name",)
    list_editable = ("enabled",)
    list_filter = (("source", ChoicesDropdownFilter), ("enabled", BooleanRadioFilter))
    list_select_related = ("list",)
    search_fields = ("category", "key")
    search_help_text = "分類、代碼或搜尋詞"
    ordering = ("source", "category", "pk")
    fields = ("source", "key", "category", "enabled", "items", "state", "attempted", "problem")
    readonly_fields = ("items", "state", "attempted", "problem")
    actions_list = ("refresh_all",)
    actions_detail: ClassVar[Any] = ("refresh_one", "import_list")

    name = column("分類", of="category", order="category")
    items = column("清單", _list_link, number=True)
    state = column("狀態", state_badge)
    attempted = column("最近嘗試", when, of="attempted_at", order="attempted_at")
    problem = column("最近的錯誤", lambda error: span("mo-wrap", error or NO_VALUE), of="error")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else TrendCategoryForm.Meta.fields

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its list goes with a category, although nobody deletes lists by themselves."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, needed - {str(TrendList._meta.verbose_name)}, protected

    def save_model(self, request: HttpRequest, obj: TrendCategory, form: Any, change: bool) -> None:
        # A refresh may be writing its outcome to the same row.
        obj.save(update_fields=form.changed_data if change else None)

    @dialog_action(
        "立即更新",
        "refresh",
        variant=ActionVariant.PRIMARY,
        permission="change",
        dialog=confirm_dialog("更新趨勢清單", "讀取全部啟用的清單；讀不到的保留上一次的內容。", yes="開始更新"),
    )
    def refresh_all(self, request: HttpRequest, form: Any) -> str:
        return _start()

    @dialog_action(
        "更新這個清單",
        "refresh",
        permission="change",
        dialog=confirm_dialog("更新這個清單", "讀不到時保留上一次的內容。", yes="開始更新"),
    )
    def refresh_one(self, request: HttpRequest, form: Any, trend: TrendCategory) -> str:
        return _start(trend_id=trend.pk)

    @action(description="匯入清單", icon="upload_file", permissions=["change"])
    def import_list(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET shows the form; POST replaces the list by that of the file."""
        trend = get_object_or_404(TrendCategory, pk=object_id)
        form = TrendFileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                with NamedTemporaryFile() as file:
                    file.writelines(upload.chunks())
                    file.flush()
                    stored = import_trend_list(trend=trend, path=Path(file.name), name=upload.name)
            except ValidationFailed as refusal:
                for text in refusal.fields["file"]:
                    form.add_error("file", text)
            else:
                self.log_change(request, trend, f"匯入清單 {upload.name}")
                messages.success(request, f"已匯入 {len(stored.items)} 項")
                return HttpResponseRedirect(reverse("admin:ai_trendlist_change", args=[stored.pk]))
        return self.own_page(
            request,
            "admin/ai/trendcategory/import.html",
            title=f"匯入「{trend}」的清單",
            form=form,
            columns=[(field.label, field.required, "、".join(field.aliases)) for field in FIELDS],
            limit=LIMITS.bytes // MEBIBYTE,
            back=reverse("admin:ai_trendcategory_change", args=[trend.pk]),
        )


@admin.register(TrendList)
class TrendListAdmin(PageAdmin):
    """The last good list of each category, with its age."""

    list_display = ("name", "source", "title", "number", "state", "fetched", "by_hand")
    list_display_links = ("name",)
    list_filter = (("trend__source", ChoicesDropdownFilter), ("by_hand", BooleanRadioFilter))
    list_select_related = ("trend",)
    search_fields = ("trend__category", "title")
    search_help_text = "分類或標題"
    ordering = ("trend__source", "trend__category", "pk")
    sortable_by = ("name", "fetched")
    change_form_before_template = "admin/ai/trendlist/page.html"

    name = column("分類", of="trend.category", order="trend__category")
    source = column("來源", lambda row: row.trend.get_source_display())
    number = column("項目", len, of="items", number=True)
    state = column("狀態", lambda row: state_badge(row.trend))
    fetched = column("取得時間", when, of="fetched_at", order="fetched_at")

    def page_context(self, request: HttpRequest, obj: TrendList) -> dict[str, Any]:
        trend = obj.trend
        return {
            "state": state_badge(trend),
            "facts": [
                ("來源", trend.get_source_display()),
                ("代碼或搜尋詞", page_link("ai_trendcategory", trend.pk, trend.key)),
                ("取得時間", when(obj.fetched_at)),
                ("方式", "人工匯入" if obj.by_hand else "自動讀取"),
                ("最近嘗試", when(trend.attempted_at)),
            ],
            "problem": trend.error,
            "rows": [
                {
                    **item,
                    "picture": picture(item.get("image_url") or ""),
                    "label": link(item.get("url") or "", item["name"], new_tab=True),
                    "cost": money(item.get("price")),
                    "seen": f"{item['views']:,}" if item.get("views") is not None else NO_VALUE,
                    "points": NO_VALUE if item.get("score") is None else f"{item['score']:g}",
                }
                for item in obj.items
            ],
        }

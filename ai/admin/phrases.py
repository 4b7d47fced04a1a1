"""Admin pages of phrases of law, with import and export."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from import_export.fields import Field
from import_export.instance_loaders import ModelInstanceLoader
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from ai.models import Domain, Phrase
from ai.services.phrases import is_shipped, mark_changed, set_enabled
from momo.admin.kit.tables import BaseAdmin
from momo.admin.kit.transfer import (
    KEPT,
    ChoiceWidget,
    KeptTextField,
    SheetResource,
    TextWidget,
    TransferMixin,
    YesNoWidget,
)

ALL = ("", "全部")


class DomainWidget(ChoiceWidget):
    """A domain; an empty cell is every domain, as in the key of a phrase."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return super().clean(value) or ""


class AllowedWidget(YesNoWidget):
    """Whether a phrase may be used; empty is no."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        return bool(super().clean(value))


class PhraseResource(SheetResource):
    """Phrases, keyed by domain, whether they are allowed, and text; other cells left empty keep the stored value."""

    empty_cells = f"「類別」留空即全部。{KEPT}"

    domain = Field("domain", "類別", widget=DomainWidget([ALL, *Domain.choices]))
    allowed = Field("allowed", "可以使用", widget=AllowedWidget())
    text = Field("text", "詞句", widget=TextWidget())
    category = KeptTextField("category", "種類")
    severity = Field("severity", "嚴重程度", widget=ChoiceWidget(Phrase.Severity.choices), saves_null_values=False)
    law = KeptTextField("law", "法規")
    reason = KeptTextField("reason", "原因")
    suggestion = KeptTextField("suggestion", "建議")
    source = KeptTextField("source", "出處")
    enabled = Field("enabled", "啟用", widget=YesNoWidget(), saves_null_values=False)

    class Meta:
        model = Phrase
        name = "法規詞句"
        fields = (
            "domain",
            "allowed",
            "text",
            "category",
            "severity",
            "law",
            "reason",
            "suggestion",
            "source",
            "enabled",
        )
        import_id_fields = ("domain", "allowed", "text")
        instance_loader_class = ModelInstanceLoader  # the cached one takes a single key

    def skip_row(self, instance: Phrase, original: Phrase, row: Any, import_validation_errors: Any = None) -> bool:
        skipped = super().skip_row(instance, original, row, import_validation_errors)
        if not skipped:
            fields = [name for name in self._meta.fields if getattr(instance, name) != getattr(original, name)]
            mark_changed(instance, fields=fields)
        return skipped


@admin.register(Phrase)
class PhraseAdmin(TransferMixin, BaseAdmin):
    """Shipped phrases can be changed and disabled, but neither renamed nor deleted: the next upgrade would add them."""

    list_display = ("text", "domain_name", "category", "allowed", "severity", "enabled", "law")
    list_filter = (
        ("domain", ChoicesDropdownFilter),
        ("severity", ChoicesDropdownFilter),
        ("allowed", BooleanRadioFilter),
        ("enabled", BooleanRadioFilter),
        ("shipped", BooleanRadioFilter),
    )
    search_fields = ("text", "category", "reason", "law")
    search_help_text = "詞句、種類、原因或法規"
    resource_classes: ClassVar = [PhraseResource]
    actions = ("enable", "disable")
    deletes_many = False

    fieldsets: ClassVar = (
        (
            None,
            {
                "fields": ("text", "domain", "allowed", "category", "severity", "enabled"),
                "description": "「{疾病}」代表一類詞的任何一個，「…」代表中間最多 6 個字，例如「{對治}…{疾病}」。"
                "空格、表情符號、全形、簡體與異體字不必另外登記。",
            },
        ),
        (
            None,
            {
                "fields": ("reason", "suggestion", "law", "source"),
                "description": "建議寫成「改寫為甲、乙」時，文案工作台可以直接把詞句換成甲或乙；其他寫法只供參考。",
            },
        ),
    )

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "domain":
            kwargs["choices"] = [ALL, *Domain.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Phrase | None = None) -> Any:
        return ("text", "domain", "allowed") if obj is not None and is_shipped(obj) else ()

    def has_delete_permission(self, request: HttpRequest, obj: Phrase | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and (obj is None or not is_shipped(obj))

    def save_model(self, request: HttpRequest, obj: Phrase, form: Any, change: bool) -> None:
        mark_changed(obj, fields=form.changed_data)
        super().save_model(request, obj, form, change)

    @display(description="類別", ordering="domain")
    def domain_name(self, obj: Phrase) -> str:
        return obj.get_domain_display() or "全部"

    @action(description="啟用選取的詞句", permissions=["change"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Phrase]) -> None:
        self._switch(request, chosen, enabled=True)

    @action(description="停用選取的詞句", permissions=["change"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Phrase]) -> None:
        self._switch(request, chosen, enabled=False)

    def _switch(self, request: HttpRequest, chosen: QuerySet[Phrase], *, enabled: bool) -> None:
        changed = set_enabled(ids=list(chosen.values_list("pk", flat=True)), enabled=enabled)
        messages.success(request, f"已{'啟用' if enabled else '停用'} {changed} 個詞句")

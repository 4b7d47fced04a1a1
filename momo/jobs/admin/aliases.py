"""Headers that staff teach: a column called so is this field."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from import_export.fields import Field
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from momo.admin_kit.tables import QuietAdmin
from momo.admin_kit.transfer import SheetResource, TextWidget, TransferMixin
from momo.jobs.importers import importers
from momo.jobs.models import ColumnAlias
from momo.sheets.columns import normalised


def field_choices() -> list[tuple[str, str]]:
    """`job type:field`, since fields belong to a kind of report."""
    return [
        (f"{job_type}:{field.name}", f"{importer.label}・{field.label}")
        for job_type, importer in importers().items()
        for field in importer.fields
    ]


def complaint(alias: ColumnAlias) -> str:
    """Why a header cannot mean what it is to mean: it has no letters, or means something already."""
    if not normalised(alias.alias):
        return "標題沒有可以比對的文字"
    same = ColumnAlias.objects.filter(job_type=alias.job_type).exclude(pk=alias.pk)
    if any(normalised(other) == normalised(alias.alias) for other in same.values_list("alias", flat=True)):
        return "這個標題已經是其他欄位的別名"
    return ""


class AliasForm(forms.ModelForm):
    """Kind of report and field are chosen as one, so that they always fit."""

    target = forms.ChoiceField(label="欄位", widget=UnfoldAdminSelectWidget)

    class Meta:
        model = ColumnAlias
        fields = ("alias",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["target"]
        chosen.choices = field_choices()
        if self.instance.pk:
            chosen.initial = f"{self.instance.job_type}:{self.instance.field}"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        job_type, _, field = (cleaned.get("target") or "").partition(":")
        self.instance.job_type, self.instance.field = job_type, field
        if alias := cleaned.get("alias"):
            why = complaint(ColumnAlias(pk=self.instance.pk, job_type=job_type, field=field, alias=alias))
            if why:
                self.add_error("alias", why)
        return cleaned


class AliasResource(SheetResource):
    """Keyed by kind of report and header."""

    job_type = Field("job_type", "類型", widget=TextWidget())
    field = Field("field", "欄位", widget=TextWidget())
    alias = Field("alias", "標題", widget=TextWidget())

    class Meta:
        model = ColumnAlias
        name = "欄位別名"
        fields = ("job_type", "field", "alias")
        import_id_fields = ("job_type", "alias")
        clean_model_instances = True
        skip_unchanged = True
        use_transactions = True

    def identity(self, values: tuple[str, ...]) -> tuple[str, ...]:
        job_type, alias = values
        return job_type, normalised(alias)

    def validate_instance(
        self, instance: ColumnAlias, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        errors = dict(import_validation_errors or {})
        if instance.job_type not in importers():
            errors["job_type"] = ValidationError(f"沒有「{instance.job_type}」這種報表；可用：{'、'.join(importers())}")
        elif f"{instance.job_type}:{instance.field}" not in dict(field_choices()):
            known = "、".join(field.name for field in importers()[instance.job_type].fields)
            errors["field"] = ValidationError(f"沒有「{instance.field}」這個欄位；可用：{known}")
        elif instance.alias and (why := complaint(instance)):
            errors["alias"] = ValidationError(why)
        super().validate_instance(instance, errors, validate_unique)


@admin.register(ColumnAlias)
class ColumnAliasAdmin(TransferMixin, QuietAdmin, ModelAdmin):
    """What the programs that make reports call their columns, beside what we know ourselves."""

    form = AliasForm
    list_display = ("alias", "report", "means")
    list_display_links = ("alias",)
    search_fields = ("alias", "field")
    search_help_text = "標題或欄位"
    ordering = ("job_type", "field", "alias")
    fields = ("target", "alias")
    resource_classes: ClassVar = [AliasResource]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("report", "means", "alias") if not self.has_change_permission(request, obj) else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("report", "means") if not self.has_change_permission(request, obj) else ()

    @display(description="報表")
    def report(self, obj: ColumnAlias) -> str:
        importer = importers().get(obj.job_type)
        return importer.label if importer else obj.job_type

    @display(description="欄位")
    def means(self, obj: ColumnAlias) -> str:
        importer = importers().get(obj.job_type)
        known = {field.name: field.label for field in importer.fields} if importer else {}
        return known.get(obj.field, obj.field)

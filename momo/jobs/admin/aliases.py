"""Admin pages of column aliases: headers that staff teach."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from import_export.fields import Field
from import_export.instance_loaders import ModelInstanceLoader
from unfold.widgets import UnfoldAdminSelectWidget

from momo.admin.kit.display import column
from momo.admin.kit.forms import ModelForm
from momo.admin.kit.tables import BaseAdmin
from momo.admin.kit.transfer import SheetResource, TextWidget, TransferMixin
from momo.jobs.importers import importers, label_of
from momo.jobs.models import ColumnAlias
from momo.jobs.services.aliases import complaint, field_label
from momo.sheets.columns import normalised


def field_choices() -> list[tuple[str, str]]:
    """Return (`job type:field`, label) for every field, since fields belong to a kind of report."""
    return [
        (f"{job_type}:{field.name}", f"{importer.label}・{field.label}")
        for job_type, importer in importers().items()
        for field in importer.fields
    ]


class AliasForm(ModelForm):
    """Form of an alias. Kind of report and field are one choice, so that they always fit."""

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


class ReportWidget(TextWidget):
    """Reads a kind of report from its label or its code."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = super().clean(value, row, **kwargs)
        return next((job_type for job_type, one in importers().items() if one.label == text), text)


class FieldWidget(TextWidget):
    """Reads a field of the row's kind of report from its label or its code."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = super().clean(value, row, **kwargs)
        importer = importers().get(ReportWidget().clean((row or {}).get("類型")))
        return next((one.name for one in importer.fields if one.label == text), text) if importer else text


class AliasResource(SheetResource):
    """Import and export, keyed by kind of report and header. Exports labels; imports labels and codes."""

    job_type = Field("job_type", "類型", widget=ReportWidget())
    field = Field("field", "欄位", widget=FieldWidget())
    alias = Field("alias", "標題", widget=TextWidget())

    class Meta:
        model = ColumnAlias
        name = "欄位別名"
        fields = ("job_type", "field", "alias")
        import_id_fields = ("job_type", "alias")
        instance_loader_class = ModelInstanceLoader  # the cached one takes a single key

    def identity(self, values: tuple[str, ...]) -> tuple[str, ...]:
        job_type, alias = values
        return job_type, normalised(alias)

    def dehydrate_job_type(self, alias: ColumnAlias) -> str:
        return label_of(alias.job_type)

    def dehydrate_field(self, alias: ColumnAlias) -> str:
        return field_label(alias.job_type, alias.field)

    def validate_instance(
        self, instance: ColumnAlias, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        errors = dict(import_validation_errors or {})
        if instance.job_type not in importers():
            known = "、".join(importer.label for importer in importers().values())
            errors["job_type"] = ValidationError(f"沒有「{instance.job_type}」這種報表；可用：{known}")
        elif f"{instance.job_type}:{instance.field}" not in dict(field_choices()):
            known = "、".join(field.label for field in importers()[instance.job_type].fields)
            errors["field"] = ValidationError(f"沒有「{instance.field}」這個欄位；可用：{known}")
        elif instance.alias and (why := complaint(instance)):
            errors["alias"] = ValidationError(why)
        super().validate_instance(instance, errors, validate_unique)


@admin.register(ColumnAlias)
class ColumnAliasAdmin(TransferMixin, BaseAdmin):
    """Admin pages of column aliases."""

    form = AliasForm
    list_display = ("alias", "report", "means")
    search_fields = ("alias", "field")
    search_help_text = "標題、欄位或報表"
    ordering = ("job_type", "field", "alias")
    fields = ("target", "alias")
    readonly_fields = ("report", "means")
    resource_classes: ClassVar = [AliasResource]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ColumnAlias], search_term: str
    ) -> tuple[QuerySet[ColumnAlias], bool]:
        """Search the labels of reports and fields too, which the list shows and the database does not hold."""
        found, twice = super().get_search_results(request, queryset, search_term)
        term = search_term.strip().lower()
        if not term:
            return found, twice
        labelled = Q(pk__in=())
        for job_type, importer in importers().items():
            if term in importer.label.lower():
                labelled |= Q(job_type=job_type)
            names = [one.name for one in importer.fields if term in one.label.lower()]
            labelled |= Q(job_type=job_type, field__in=names)
        return found | queryset.filter(labelled), twice

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if self.has_change_permission(request, obj) else ("report", "means", "alias")

    report = column("報表", label_of, of="job_type")
    means = column("欄位", lambda alias: field_label(alias.job_type, alias.field))

"""Import and export of fact sheets as spreadsheets: a row for each product, a column for each fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from import_export.fields import Field
from import_export.instance_loaders import ModelInstanceLoader

from ai.models import Domain, FactSheet
from ai.services.fact_sheets import beside_catalogue, fact_as_text, fact_from_text, save_fact_sheet
from ai.services.facts import own_facts, shown_facts
from momo.admin.kit.transfer import ChoiceWidget, SheetResource, TextWidget
from momo.core.errors import Conflict, ValidationFailed
from products.models import Product

GUESSED = "自動判斷"


class ProductWidget(TextWidget):
    """A product by momo's code, of those that were loaded before."""

    known: Mapping[str, Product]

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        code = super().clean(value, row, **kwargs)
        if code and code not in self.known:
            raise ValidationError({"product": [f"商品目錄沒有品號「{code}」"]})
        return self.known[code] if code else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value.product_id if value is not None else ""


class DomainWidget(ChoiceWidget):
    """A domain, or the words for the one that the category suggests; an empty cell is None."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return "" if TextWidget().clean(value) == GUESSED else super().clean(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return super().render(value) if value else GUESSED


class FactWidget(TextWidget):
    """One fact, as in the form: a line for each entry."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return fact_from_text(self.key, super().clean(value)) or None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return fact_as_text(value)


class FactField(Field):
    """A column of one fact, with the catalogue's value where staff wrote none; an empty cell keeps it."""

    def __init__(self, key: str, label: str) -> None:
        super().__init__(key, label, widget=FactWidget(key), saves_null_values=False)
        self.key = key

    def get_value(self, instance: FactSheet) -> Any:
        return _shown(instance).get(self.key)

    def save(self, instance: FactSheet, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        value = self.clean(row)
        if value is not None:
            instance.facts = {**instance.facts, self.key: value}


def _shown(sheet: FactSheet) -> dict[str, Any]:
    return shown_facts(sheet.product, sheet) if sheet.product_id else sheet.facts


# A class of resources takes its columns from its body; these come from the model's table of facts.
FactColumns: Any = type(
    "FactColumns", (SheetResource,), {key: FactField(key, label) for key, label in FactSheet.FACTS.items()}
)


class FactSheetResource(FactColumns):
    """Sheets by product; a row of a product without a sheet makes one."""

    empty_cells = "留空的儲存格和沒有的欄位保留原值；和商品目錄相同的內容會跟著目錄更新。多項時一行一項。"

    product = Field("product", "品號", widget=ProductWidget())
    domain = Field("domain", "類別", widget=DomainWidget(Domain.choices), saves_null_values=False)

    class Meta:
        model = FactSheet
        name = "商品事實"
        fields = ("product", "domain", *FactSheet.FACTS)
        import_id_fields = ("product",)
        instance_loader_class = ModelInstanceLoader  # not used: sheets come with their products

    def get_queryset(self) -> QuerySet[FactSheet]:
        return FactSheet.objects.select_related("product")

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        product = self.fields["product"]
        codes = {TextWidget().clean(value) for value in dataset[product.column_name]}
        rows = Product.objects.select_related("category", "fact_sheet")
        product.widget.known = rows.in_bulk(codes, field_name="product_id")

    def get_instance(self, instance_loader: Any, row: Any) -> FactSheet | None:
        product = self.fields["product"].clean(row)
        return getattr(product, "fact_sheet", None)

    def import_instance(self, instance: FactSheet, row: Any, **kwargs: Any) -> None:
        if instance.pk:
            # Prices that count no more are not stored again, as if somebody had confirmed them.
            instance.facts = own_facts(instance, instance.product)
        super().import_instance(instance, row, **kwargs)
        try:
            if instance.product_id:
                beside_catalogue(instance.product, instance.facts)
        except ValidationFailed as error:
            raise ValidationError({"product": error.fields["facts"]}) from error

    def save_instance(self, instance: FactSheet, is_create: bool, row: Any, **kwargs: Any) -> None:
        values: dict[str, Any] = {"product": instance.product, "domain": instance.domain, "facts": instance.facts}
        try:
            instance.pk = save_fact_sheet(**values, user=kwargs.get("user")).pk
        except Conflict as error:
            raise ValidationError({"product": [str(error)]}) from error

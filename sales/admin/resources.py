"""Import and export of targets as spreadsheets, saved through the service."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from import_export import widgets
from import_export.fields import Field
from import_export.instance_loaders import ModelInstanceLoader

from momo.admin.kit.transfer import KEPT, ChoiceWidget, SheetResource, TextWidget
from momo.core.errors import Conflict, ValidationFailed
from momo.sheets import values
from sales.models import Target
from sales.selectors.targets import ALL
from sales.services.targets import amount_of, checked_key, save_target

WHOLE = "合計"  # stands in the column of names for the target of all sales
DIMENSION_LABEL = "維度"
DIMENSION = ChoiceWidget(Target.DIMENSIONS)
_MONTH = re.compile(r"(20[0-9]{2})[-/.年]?(0?[1-9]|1[0-2])月?")


class MonthWidget(widgets.Widget):
    """A month: `2026-11`, `2026/11`, `2026年11月`; a day, as a spreadsheet makes one of `2026-11`, means its month."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | None:
        text = TextWidget().clean(value)
        if found := _MONTH.fullmatch(text):
            return date(int(found[1]), int(found[2]), 1)
        day = values.date_from_text(text.partition(" ")[0])
        return None if day is None else day.replace(day=1)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return f"{value:%Y-%m}" if value else ""


class NameWidget(TextWidget):
    """The name of a key; WHOLE for that of all sales, which may be left out."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        name = super().clean(value, row, **kwargs)
        return name or (WHOLE if DIMENSION.clean((row or {}).get(DIMENSION_LABEL)) == ALL else "")

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value or WHOLE


class AmountWidget(widgets.Widget):
    """New Taiwan dollars, as users write them; an empty cell is None."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Decimal | None:
        return amount_of(TextWidget().clean(value))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value


class TargetResource(SheetResource):
    """Targets by month, dimension and name."""

    empty_cells = KEPT
    MAX_ROWS: ClassVar = 1000  # each is checked and stored twice, for the preview and for good

    month = Field("month", "月份", widget=MonthWidget())
    dimension = Field("dimension", DIMENSION_LABEL, widget=DIMENSION)
    key = Field("key", "名稱", widget=NameWidget())
    amount = Field("amount", "業績目標", widget=AmountWidget(), saves_null_values=False)
    gross_profit = Field("gross_profit", "毛利目標", widget=AmountWidget(), saves_null_values=False)

    class Meta:
        model = Target
        name = "目標"
        fields = ("month", "dimension", "key", "amount", "gross_profit")
        import_id_fields = ("month", "dimension", "key")
        instance_loader_class = ModelInstanceLoader  # the cached one takes a single key

    def get_instance(self, instance_loader: Any, row: Any) -> Target | None:
        month, dimension, key = (one.clean(row) for one in self.keys)
        return Target.objects.filter(month=month, dimension=dimension, key=_stored(dimension, key)).first()

    def import_instance(self, instance: Target, row: Any, **kwargs: Any) -> None:
        super().import_instance(instance, row, **kwargs)
        instance.key = _stored(instance.dimension, instance.key)

    def save_instance(self, instance: Target, is_create: bool, row: Any, **kwargs: Any) -> None:
        given = {name: getattr(instance, name) for name in self._meta.fields}
        try:
            instance.pk = save_target(target=None if is_create else instance, **given).pk
        except (ValidationFailed, Conflict) as error:
            fields = error.fields if isinstance(error, ValidationFailed) else {}
            raise ValidationError(fields or str(error)) from error


def _stored(dimension: str | None, key: str) -> str:
    """The key as it is stored. Raises ValidationError for a name that cannot have targets."""
    if dimension == ALL:
        return "" if key == WHOLE else key
    try:
        return checked_key(key)
    except ValidationFailed as error:
        raise ValidationError(error.fields) from error

"""Form fields of reports: sections in their order, and names that no sales report has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget

from momo.admin.kit.sections import sections

PLACES = 12  # sections of a report


class SectionsWidget(forms.MultiWidget):
    """A choice for each place; the order of the places is that of the report."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(
            [UnfoldAdminSelectWidget(attrs={"aria-label": f"第 {place} 段"}) for place in range(1, PLACES + 1)], attrs
        )

    def decompress(self, value: Any) -> list[str]:
        return list(value or ())

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        kept = [str(code) for code in value or () if code]
        known = {code: section.title for code, section in sections().items()}
        # One that is gone stays visible, so that saving keeps nothing that the page does not show.
        known |= {code: f"{code}（系統已沒有這一段）" for code in kept if code not in known}
        for widget in self.widgets:
            widget.choices = [("", "（不放）"), *known.items()]  # type: ignore[attr-defined]
        return super().get_context(name, value, attrs)


class SectionsField(forms.Field):
    """Codes of registered sections, each at most once."""

    widget = SectionsWidget

    def clean(self, value: Any) -> list[str]:
        codes = [code for code in value or () if code]
        known = sections()
        if not codes:
            raise ValidationError("請至少選一段")
        if strange := [code for code in codes if code not in known]:
            raise ValidationError(f"沒有「{strange[0][:40]}」這一段")
        if twice := [code for code in known if codes.count(code) > 1]:
            raise ValidationError(f"「{known[twice[0]].title}」選了兩次")
        return codes

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [code for code in data or () if code] != list(initial or ())


def unknown_names(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Names that no sales report has; none as long as there is no report at all."""
    return [name for name in names if known and name not in known]

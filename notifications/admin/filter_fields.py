"""The conditions of a subscription as one form field, whose parts depend on the kind of event."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from momo.admin.kit.forms import lines_of
from notifications.events import EventKind, FilterField

TEXTS, TEXT_LENGTH = 500, 200  # lines of one field, characters of one
LARGEST = 1_000_000


def _kept(filters: Any, field: FilterField) -> list[str]:
    """Return the stored values of a field as texts, whatever else the column holds."""
    value = filters.get(field.name) if isinstance(filters, Mapping) else None
    if isinstance(value, list):
        return [str(entry) for entry in value]
    return [] if value in (None, "") else [f"{value}"]


def options(field: FilterField, chosen: list[str]) -> list[tuple[str, str]]:
    """Return the choices of a field; a chosen value that is gone stays visible, so that saving keeps it."""
    known = [(str(value), str(label)) for value, label in field.choices()]
    values = {value for value, _ in known}
    return [*known, *((value, f"{value}（已不在清單裡）") for value in chosen if value not in values)]


class FiltersWidget(forms.Widget):
    """One part for each condition of the event; without a known event there is no part."""

    template_name = "admin/notifications/filters.html"
    kind: EventKind | None = None

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["parts"] = [self._part(name, field, value) for field in (self.kind.filters if self.kind else ())]
        context["known"] = self.kind is not None
        context["event"] = self.kind.code if self.kind else ""
        return context

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # The renderer of forms finds no templates of the project's own folder.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def _part(self, name: str, field: FilterField, value: Any) -> dict[str, Any]:
        kept = _kept(value, field)
        part: dict[str, Any] = {
            "id": f"id_{name}__{field.name}",
            "name": f"{name}__{field.name}",
            "label": field.label,
            "kind": field.kind,
            "help_text": field.help_text,
            "value": "\n".join(kept),
        }
        if field.kind == "choices":
            part["options"] = [(option, label, option in kept) for option, label in options(field, kept)]
        return part

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, Any] | None:
        """Return the submitted values as they are; None when the page had the fields of another event or none."""
        if self.kind is None or f"{name}__event" not in data or data[f"{name}__event"] != self.kind.code:
            return None
        keys = {field: f"{name}__{field.name}" for field in self.kind.filters}
        return {
            field.name: data.getlist(key) if field.kind == "choices" else data.get(key, "")
            for field, key in keys.items()
        }

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""


class FiltersField(forms.Field):
    """Value of `Subscription.filters`: only conditions that are set, each in the form of its kind."""

    widget = FiltersWidget

    def __init__(self, **kwargs: Any) -> None:
        self.kind: EventKind | None = None
        self.kept: Any = {}
        super().__init__(required=False, **kwargs)

    def use(self, kind: EventKind | None, kept: Any) -> None:
        """Show the conditions of `kind`; `kept` are the stored filters of this kind."""
        self.kind = self.widget.kind = kind
        self.kept = kept

    def clean(self, value: Any) -> dict[str, Any]:
        if self.kind is None:
            return dict(self.kept) if isinstance(self.kept, Mapping) else {}
        if value is None:
            # The event was changed, and no script replaced the fields.
            return {}
        faults: list[str] = []
        cleaned: dict[str, Any] = {}
        for field in self.kind.filters:
            try:
                made = self._clean_part(field, value.get(field.name))
            except ValidationError as fault:
                faults += [f"{field.label}：{text}" for text in fault.messages]
            else:
                if made:
                    cleaned[field.name] = made
        if faults:
            raise ValidationError(faults)
        return cleaned

    def _clean_part(self, field: FilterField, given: Any) -> Any:
        if field.kind == "choices":
            allowed = {value for value, _ in options(field, _kept(self.kept, field))}
            strange = [value for value in given if value not in allowed]
            if strange:
                raise ValidationError(f"沒有「{strange[0][:40]}」這個選項")
            return list(dict.fromkeys(given))
        if field.kind == "texts":
            return lines_of(given, most=TEXTS, longest=TEXT_LENGTH)
        return _number(given)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != (initial or {}))
        except ValidationError:
            return True


def _number(given: str) -> float | int | None:
    text = given.strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError as error:
        raise ValidationError("請輸入數字") from error
    if not math.isfinite(number) or not 0 <= number <= LARGEST:
        raise ValidationError(f"請輸入 0 到 {LARGEST:,} 之間的數字")
    return int(number) if number.is_integer() else number

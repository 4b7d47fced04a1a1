"""The base of model forms, generic to the type checker only (Django's class takes no parameters), lists and ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from unfold.widgets import UnfoldAdminTextareaWidget

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm


def is_id(model: type[Model], text: str) -> bool:
    """Whether `text` is written as the primary key of a row would be; `abc`, `-1`, ` 1` and `١` are not."""
    try:
        return str(model._meta.pk.to_python(text)) == text and not text.startswith("-")
    except ValidationError:
        return False


class RowField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice among many rows. Shows no choice where it refused what is no id: Django's widget would look it up."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        assert self.queryset is not None
        known = super().bound_data(data, initial)
        return known if is_id(self.queryset.model, str(known)) else None


def lines_of(text: str, *, most: int, longest: int) -> list[str]:
    """The different texts, one on each line. Raises ValidationError beyond `most` lines or `longest` characters."""
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(lines) > most:
        raise ValidationError(f"最多 {most} 行，這裡有 {len(lines)} 行")
    if wrong := [line for line in lines if len(line) > longest or not line.isprintable()]:
        raise ValidationError(f"每一行最多 {longest} 個字，且不含控制字元：{wrong[0][:40]!r}")
    return lines


class LinesField(forms.CharField):
    """A list of at most `most` different texts, one on each line of at most `longest` characters."""

    def __init__(self, *, most: int, longest: int, **kwargs: Any) -> None:
        self.most, self.longest = most, longest
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        super().__init__(required=False, widget=widget, max_length=most * (longest + 2), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, (list, tuple)) else value

    def clean(self, value: Any) -> Any:
        return lines_of(super().clean(value), most=self.most, longest=self.longest)

    def has_changed(self, initial: Any, data: Any) -> bool:
        # As lists: browsers send lines that end with CR LF.
        try:
            return bool(self.clean(data) != list(initial or ()))
        except ValidationError:
            return True

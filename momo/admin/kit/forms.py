"""The base of model forms, generic to the type checker only (Django's class takes no parameters), and ids in forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model

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

"""The audit trail's changes as people read them: names of fields, labels of choices, times of Taipei."""

from __future__ import annotations

from datetime import UTC
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_datetime

from momo.admin_kit.display import full_time

EMPTY = "（空）"
YES_NO = {"True": "是", "False": "否"}
LONGEST = 120


class Change(NamedTuple):
    """One field of an entry, from what to what."""

    field: str
    old: str
    new: str


def _field(entry: Any, name: str) -> Any:
    model = entry.content_type.model_class() if entry.content_type else None
    if model is None:
        return None
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _points_to_user(field: Any) -> bool:
    return isinstance(field, models.ForeignKey) and field.related_model._meta.label == settings.AUTH_USER_MODEL


def _pairs(entry: Any) -> list[tuple[str, Any, Any]]:
    """(field, old, new) of plain fields; changes of many-to-many relations have another shape and are left out."""
    changes = entry.changes_dict or {}
    return [(name, *pair) for name, pair in changes.items() if isinstance(pair, (list, tuple)) and len(pair) == 2]


def user_ids_in(entry: Any) -> set[int]:
    """Ids of the users that an entry's changes mention."""
    values = [
        value
        for name, *pair in _pairs(entry)
        if _points_to_user(_field(entry, name))
        for value in pair
        if value is not None
    ]
    return {int(value) for value in values if str(value).isdigit()}


def changes_of(entry: Any, people: dict[int, str]) -> list[Change]:
    """What changed, without what was and stayed empty."""
    found = []
    for name, old, new in _pairs(entry):
        field = _field(entry, name)
        change = Change(str(getattr(field, "verbose_name", name)), _text(field, old, people), _text(field, new, people))
        if change.old != change.new:
            found.append(change)
    return found


def _text(field: Any, value: Any, people: dict[int, str]) -> str:
    text = "" if value is None or value == "None" else str(value)
    if not text:
        return EMPTY
    if getattr(field, "choices", None):
        return str({str(key): label for key, label in field.flatchoices}.get(text, text))
    if isinstance(field, models.BooleanField):
        return YES_NO.get(text, text)
    if isinstance(field, models.DateTimeField):
        moment = parse_datetime(text)
        # Written down as naive UTC.
        return full_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) if moment else text
    if _points_to_user(field) and text.isdigit():
        return people.get(int(text), f"已刪除的使用者（{text}）")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

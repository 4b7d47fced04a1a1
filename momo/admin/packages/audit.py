"""Admin pages of the audit trail (django-auditlog): changes as text, with the names and labels that users know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from auditlog.models import LogEntry
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from accounts.audit import ACTOR_NAME
from accounts.models import User
from momo.admin.kit.display import BAD, GOOD, INFO, NO_VALUE, choice_badge, column, full_time
from momo.admin.kit.filters import DayRangeFilter
from momo.admin.kit.tables import UncountedAdmin

admin.site.unregister(LogEntry)

SHORT = 3  # changes of an entry that the list shows
MAX_LENGTH = 120  # characters of a value


def _points_to_user(field: Any) -> bool:
    return isinstance(field, models.ForeignKey) and field.related_model._meta.label == settings.AUTH_USER_MODEL


def _changed(entry: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """Name, field, old and new of plain fields; changes of many-to-many relations have another shape and are skipped.

    The field is None where the model no longer has it.
    """
    model = entry.content_type.model_class() if entry.content_type else None
    fields = {field.name: field for field in model._meta.get_fields()} if model else {}
    for name, pair in (entry.changes_dict or {}).items():
        if getattr(fields.get(name), "primary_key", False):  # a number that no page names
            continue
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            labels = getattr(model, "json_labels", {}).get(name)
            if labels:
                yield from _changed_keys(labels, *pair)
            else:
                yield name, fields.get(name), *pair


def _changed_keys(labels: dict[str, str], *pair: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """The same for the keys of a JSON field whose model names them: each is shown as a field of its own."""
    old, new = (_mapping(text) for text in pair)
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield labels.get(key, key), None, _words(old.get(key)), _words(new.get(key))


def _mapping(text: Any) -> dict[str, Any]:
    """A JSON object as the trail stores it; empty where it stores none."""
    try:
        value = json.loads(str(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _words(value: Any) -> str:
    """A JSON value on one line."""
    if isinstance(value, list):
        return "、".join(map(_words, value))
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part)
    return "" if value is None else str(value)


def user_ids_in(entry: Any) -> set[int]:
    """Ids of the users that an entry's changes mention."""
    pairs = [pair for _, field, *pair in _changed(entry) if _points_to_user(field)]
    return {int(value) for pair in pairs for value in pair if str(value).isdecimal()}


def changes_of(entry: Any, user_names: dict[int, str]) -> list[tuple[str, str, str]]:
    """Changed fields as (label, old, new), without those that were and are empty. `user_names` are names by id."""
    found = [
        (str(getattr(field, "verbose_name", name)), _text(field, old, user_names), _text(field, new, user_names))
        for name, field, old, new in _changed(entry)
    ]
    return [(label, old, new) for label, old, new in found if old != new]


def _text(field: Any, value: Any, user_names: dict[int, str]) -> str:
    text = "" if value is None or value == "None" else str(value)
    if not text:
        return "（空）"
    if getattr(field, "choices", None):
        return str({str(key): label for key, label in field.flatchoices}.get(text, text))
    if isinstance(field, models.BooleanField):
        return {"True": "是", "False": "否"}.get(text, text)
    if isinstance(field, models.DateTimeField):
        moment = parse_datetime(text)
        # Stored as naive UTC.
        return full_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) if moment else text
    if _points_to_user(field) and text.isdecimal():
        return user_names.get(int(text), f"已刪除的使用者（{text}）")
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"


def add_user_names(entries: Iterable[Any]) -> None:
    """Set `user_names`, names by id, of each entry, for changes of references to users."""
    ids = {pk for entry in entries for pk in user_ids_in(entry)}
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
    for entry in entries:
        entry.user_names = names


@admin.register(LogEntry)
class AuditAdmin(UncountedAdmin):
    """Recorded changes: by which user, of which row, when and from which address."""

    list_display = ("time", "who", "did", "kind", "what", "changes_short", "remote_addr")
    list_display_links = ("time", "what")
    list_select_related = ("content_type", "actor")
    list_filter = (("action", ChoicesDropdownFilter), ("timestamp", DayRangeFilter))
    list_fullwidth = True
    search_fields = ("object_repr", "actor__username", "actor__display_name")
    search_help_text = "對象或執行者"
    sortable_by = ()
    ordering = ("-timestamp", "-id")
    fields = ("time", "who", "remote_addr", "did", "kind", "what", "changes_long", "cid")

    def complete_rows(self, rows: Iterable[Any]) -> None:
        add_user_names(rows)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            add_user_names([entry])
        return entry

    time = column("時間", full_time, of="timestamp")
    did = column(
        "動作",
        choice_badge(
            {LogEntry.Action.CREATE: GOOD, LogEntry.Action.UPDATE: INFO, LogEntry.Action.DELETE: BAD}, "action"
        ),
    )
    kind = column("類別", lambda kind: kind.name if kind else NO_VALUE, of="content_type")
    what = column("對象", of="object_repr")
    changes_long = column("內容", lambda entry: _lines(changes_of(entry, entry.user_names)))

    @display(description="執行者")
    def who(self, obj: LogEntry) -> str:
        if obj.actor:
            return str(obj.actor)
        name = (obj.additional_data or {}).get(ACTOR_NAME) or obj.actor_email
        return f"已刪除的使用者（{name}）" if name else "系統"

    @display(description="內容")
    def changes_short(self, obj: Any) -> str:
        changes = changes_of(obj, obj.user_names)
        return _lines(changes[:SHORT], f"…另有 {len(changes) - SHORT} 項" if len(changes) > SHORT else "")


def _lines(changes: list[tuple[str, str, str]], more: str = "") -> SafeString:
    parts = format_html_join("", "<div><b>{}</b>　{} → {}</div>", changes) if changes else NO_VALUE
    return format_html('<div class="mo-changes">{}{}</div>', parts, more)

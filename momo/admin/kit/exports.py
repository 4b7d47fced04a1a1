"""What a list finds, as a file: its columns as values and, in a workbook, a second sheet that says what was asked.

A list, its files and the CSV address of a saved view find the same rows: each is the list as its page would be built
for its user from the same query string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from itertools import chain, islice
from operator import attrgetter
from typing import Any, BinaryIO, Protocol, cast

from django.conf import settings
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.forms import ModelChoiceField
from django.http import HttpRequest, QueryDict
from django.urls import resolve, reverse
from django.utils import timezone
from unfold.views import ChangeList

from momo.admin.kit.display import NO_VALUE, full_time, picture, when
from momo.admin.kit.filters import ChoiceFilter
from momo.core.errors import Forbidden, ValidationFailed
from momo.sheets.write import Column, as_records, most_rows, records_file

KINDS = {"xlsx": "Excel", "csv": "CSV"}
MOST_ROWS = 100_000  # of a list whose cells are made one by one, in some 10 seconds
CHUNK = 1000  # rows
COLUMN_KINDS: Mapping[type, str] = {
    int: "integer",
    float: "decimal",
    Decimal: "decimal",
    datetime: "datetime",
    date: "date",
}
WIDTHS = {"text": 28, "datetime": 18}
_AS_STORED = (when, full_time, picture)  # what they show is the value in another form
_ICON = re.compile(r"<(\w+)[^>]*\bmaterial-symbols-outlined\b[^>]*>[^<]*</\1>")
_TIME = re.compile(r'<time\b[^>]*\btitle="([^"]*)"[^>]*>[^<]*</time>')
_TAG = re.compile(r"<[^>]*>")
_NUMBER = re.compile(r"([-+]?)\$?(\d[\d,]*(?:\.\d+)?)%?")


class Listed(Protocol):
    """What a `ModelAdmin` with files has: `momo.admin.kit.tables.BaseAdmin`."""

    model: Any
    opts: Any
    list_display: Any
    export_extra: Sequence[tuple[str, str]]

    def has_view_or_change_permission(self, request: HttpRequest) -> bool: ...
    def get_changelist_instance(self, request: HttpRequest) -> ChangeList: ...
    def complete_rows(self, rows: Iterable[Any]) -> None: ...
    def export_file(self, found: FoundList, kind: str) -> BinaryIO: ...


class _Notes(list[str]):
    """In place of the messages of a request: what the page would say above the list."""

    def add(self, level: int, message: object, extra_tags: str = "") -> None:
        self.append(str(message))


@dataclass(frozen=True)
class FoundList:
    """A list as its page would show it to `user`, and what the page would say."""

    admin: Listed
    changes: Any  # ChangeList, with what those of the apps add to it
    user: Any
    query: str
    notes: Sequence[str]

    @property
    def title(self) -> str:
        """The name of the list."""
        return str(self.admin.opts.verbose_name_plural)

    def file_name(self, kind: str) -> str:
        """The name of its file of today."""
        return f"momo_{self.title}_{timezone.localdate():%Y%m%d}.{kind}"


def address_of(admin: Listed) -> str:
    """The address of a list."""
    return reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")


def find_list(admin: Listed, *, user: Any, query: str) -> FoundList:
    """The list that `user` would see with `query`. Raises Forbidden, and ValidationFailed for what is no condition."""
    request, notes = HttpRequest(), _Notes()
    request.method = "GET"
    request.path = request.path_info = address_of(admin)
    request.resolver_match = resolve(request.path)
    request.GET = QueryDict(query)
    request.user = user
    request._messages = notes  # type: ignore[attr-defined]
    if not admin.has_view_or_change_permission(request):
        raise Forbidden("沒有這個清單的權限")
    try:
        changes = admin.get_changelist_instance(request)
    except (IncorrectLookupParameters, SuspiciousOperation) as error:
        raise ValidationFailed("清單不認得這些條件，請重新篩選") from error
    return FoundList(admin, changes, user, query, notes)


def refuse_too_many(rows: int, most: int) -> None:
    """Raises ValidationFailed for more rows than a file holds."""
    if rows > most:
        raise ValidationFailed(f"有 {rows:,} 列，一個檔案最多 {most:,} 列；請縮小範圍。")


def list_file(found: FoundList, kind: str) -> BinaryIO:
    """The open file (of KINDS) with all rows of a list. Raises ValidationFailed for more than it holds."""
    most = min(most_rows(kind), MOST_ROWS)
    if not getattr(found.changes, "uncounted", False):
        refuse_too_many(found.changes.result_count, most)
    readers = [_Reader(found.admin, str(name)) for name in found.changes.list_display if name != "action_checkbox"]
    headings = [(reader.heading, reader.number_format) for reader in readers]
    headings += [(heading, "") for heading, _ in found.admin.export_extra]
    extra = [attrgetter(path) for _, path in found.admin.export_extra]
    # One transaction: the cursor of `iterator` stays on its connection behind a pooler too.
    with transaction.atomic():
        values = (
            [*(reader.value(row) for reader in readers), *(read(row) for read in extra)] for row in _rows(found, most)
        )
        first = list(islice(values, CHUNK))
        columns = [_column(*heading, [row[place] for row in first]) for place, heading in enumerate(headings)]
        records = as_records(columns, chain(first, values))
        return records_file(records, kind=kind, sheet=found.title[:31], columns=columns, about=facts_of(found))


def _rows(found: FoundList, most: int) -> Iterator[Any]:
    rows = found.changes.queryset.iterator(chunk_size=CHUNK)
    number = 0
    while chunk := list(islice(rows, CHUNK)):
        number += len(chunk)
        if number > most:
            raise ValidationFailed(f"超過 {most:,} 列，一個檔案放不下；請縮小範圍。")
        found.admin.complete_rows(chunk)
        yield from chunk


class _Reader:
    """A column of a list: its heading, and its value in a row, as a number, a day or a time where it is one."""

    def __init__(self, admin: Listed, name: str) -> None:
        self.admin, self.name = admin, name
        self.heading = str(label_for_field(name, admin.model, admin))  # type: ignore[call-overload]
        # As Django reads a list: a field of the model comes before a method of the same name.
        is_field = any(name == known.name for known in admin.model._meta.fields)
        self.column = None if is_field or name == "__str__" else getattr(admin, name, None)
        order = getattr(self.column, "admin_order_field", None)
        is_number = getattr(self.column, "number", False) and isinstance(order, str)
        path = getattr(self.column, "of", "") or (order if is_number else "")
        self.stored = attrgetter(path.replace("__", ".")) if path else None
        # Numbers of rows are no amounts: no separators.
        self.number_format = "0" if path and path.endswith("_id") else ""

    def value(self, row: Any) -> Any:
        """A value for `momo.sheets.write.cell`; None for none."""
        if self.stored is not None:
            stored = self.stored(row)
            if _is_exact(stored) or getattr(self.column, "show", None) in _AS_STORED:
                return stored
        if self.column is not None:
            shown = plain(self.column(row))
            return _number(shown) if getattr(self.column, "number", False) else shown
        model_field, _, shown = lookup_field(self.name, row, self.admin)  # type: ignore[arg-type]
        if model_field is not None and model_field.flatchoices:
            shown = dict(model_field.flatchoices).get(shown, shown)
        return plain(shown)


def _is_exact(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal, date)) and not isinstance(value, (bool, datetime))


def plain(value: Any) -> Any:
    """What a list shows as a value of a file: HTML as its text on one line, a time in full."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None or isinstance(value, (int, float, Decimal, date)):
        return value
    text = str(value)
    if hasattr(value, "__html__"):
        text = unescape(_TAG.sub(" ", _TIME.sub(r"\1", _ICON.sub("", text))))
    text = " ".join(text.split())
    return None if text == NO_VALUE else text


def _number(shown: Any) -> Any:
    """The number that a column of numbers shows, as in `-10.00%` or `$1,290`; other text as it is."""
    found = _NUMBER.fullmatch(shown) if isinstance(shown, str) else None
    return float(f"{found[1]}{found[2]}".replace(",", "")) if found else shown


def _column(heading: str, number_format: str, values: Sequence[Any]) -> Column:
    """The column of a file, of the kind of the first of its values."""
    value = next((value for value in values if value is not None), "")
    kind = COLUMN_KINDS.get(type(value), "text")
    return Column(heading, kind, WIDTHS.get(kind, 14), number_format=number_format if kind == "integer" else "")


# --- What was asked ---------------------------------------------------------------------------------------------------


def facts_of(found: FoundList) -> list[tuple[str, str]]:
    """Filters, time and source of a file, as title and text."""
    query = f"?{found.query}" if found.query else ""
    return [
        ("清單", found.title),
        *chosen_filters(found.changes),
        *([("搜尋", found.changes.query)] if found.changes.query else []),
        *(("備註", note) for note in found.notes),
        ("匯出時間", f"{timezone.localtime():%Y-%m-%d %H:%M}"),
        ("匯出者", str(found.user)),
        ("來源", f"{settings.PUBLIC_URL}{address_of(found.admin)}{query}"),
    ]


def chosen_filters(changes: Any) -> list[tuple[str, str]]:
    """Title and chosen values of each filter of a list in use."""
    found = []
    for spec in changes.filter_specs:
        forms = [choice["form"] for choice in spec.choices(changes) if "form" in choice]
        texts = [text for form in forms for text in _chosen(form)]
        if not texts and isinstance(spec, ChoiceFilter) and "" in spec.offered():
            texts = [str(spec.offered()[""][0])]
        if texts:
            found.append((str(spec.title), "、".join(texts)))
    return found


def _chosen(form: Any) -> Iterator[str]:
    """What is chosen in the form of a filter, in the words of the page."""
    ends = {"_from": "{} 起", "_to": "到 {}"}
    for name, form_field in form.fields.items():
        given = form.data.get(name)
        values = [str(value) for value in (given if isinstance(given, list) else [given]) if value not in (None, "")]
        if not values:
            continue
        shape = next((shape for end, shape in ends.items() if name.endswith(end)), "{}")
        labels = _labels(form_field, values)
        yield from (shape.format(labels.get(value, value)) for value in values)


def _labels(form_field: Any, values: Sequence[str]) -> dict[str, str]:
    if isinstance(form_field, ModelChoiceField):
        rows = cast(Any, form_field.queryset).filter(pk__in=values)
        return {str(row.pk): str(row) for row in rows}
    return {str(value): str(label) for value, label in getattr(form_field, "choices", ())}

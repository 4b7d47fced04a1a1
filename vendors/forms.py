"""Reads the form of the answer page; what is wrong is said row by row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from momo.core.errors import ValidationFailed
from momo.core.texts import clean_text, one_line
from vendors.models import AnswerKind
from vendors.selectors.answers import PAGE_ROWS, Answer, Row
from vendors.services.answers import FOREIGN

MOST_PIECES = 1_000_000
DAYS_AHEAD = 2 * 365
OTHER, MINE = "other", "mine"
_ROW_FIELD = re.compile(r"([0-9]{1,18})-(?:answer|restock_date|restock_quantity|substitute|pick|other)")
_RAW = 300  # characters of a wrong value that is shown again


class Text(forms.CharField):
    """Text as it is stored: line breaks are one character, control characters are dropped."""

    def to_python(self, value: Any) -> str:
        return clean_text(super().to_python(value) or "").strip()


class Pieces(forms.IntegerField):
    """A number that may have thousands separators."""

    def to_python(self, value: Any) -> int | None:
        return super().to_python(re.sub("[,，]", "", value) if isinstance(value, str) else value)


class HeadForm(forms.Form):
    """What a form has besides its rows. The buttons come last: a form that was cut off has none."""

    action = forms.ChoiceField(
        choices=[("submit", ""), ("draft", "")], error_messages={"required": "表單沒有完整送達，請再送一次"}
    )
    token = forms.UUIDField(
        error_messages={"required": "表單不正確，請重新整理頁面", "invalid": "表單不正確，請重新整理頁面"}
    )
    seen = forms.IntegerField(min_value=0, max_value=2**63 - 1)
    person = Text(label="填寫人", max_length=60, required=False)
    remark = Text(label="備註", max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["person"] = one_line(cleaned.get("person", ""))
        if cleaned.get("action") == "submit" and not cleaned["person"] and "person" not in self.errors:
            self.add_error("person", "請填寫您的姓名")
        return cleaned


class RowForm(forms.Form):
    """One row. `initial` is what the page shows: a date that was given earlier may be over by now."""

    answer = forms.ChoiceField(choices=[("", "尚未回覆"), *AnswerKind.choices], required=False)
    restock_date = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d", "%Y/%m/%d"],
        error_messages={"invalid": "請填日期，例如 2026-12-31"},
    )
    restock_quantity = Pieces(
        required=False,
        min_value=1,
        max_value=MOST_PIECES,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), f"請填 1 到 {MOST_PIECES:,} 的整數"),
    )
    substitute = Text(
        required=False,
        max_length=200,
        error_messages={"max_length": "最多 200 個字"},
    )

    def clean(self) -> dict[str, Any]:
        """Keep what belongs to the answer; without one, a date or a text says which is meant."""
        given = super().clean() or self.cleaned_data
        answer = given.get("answer") or ""
        if not answer and "answer" not in self.errors:
            restock = bool(given.get("restock_date") or given.get("restock_quantity"))
            answer = AnswerKind.RESTOCK if restock else AnswerKind.SUBSTITUTE if given.get("substitute") else ""
        made: dict[str, Any] = Answer(answer)._asdict()
        if answer == AnswerKind.RESTOCK:
            made |= {name: given.get(name) for name in ("restock_date", "restock_quantity")}
        elif answer == AnswerKind.SUBSTITUTE:
            made["substitute"] = one_line(given.get("substitute") or "")
        # Fields of another answer are not stored, so nothing in them is wrong.
        for name in set(self.errors) - {"answer"}:
            if not (answer == AnswerKind.SUBSTITUTE if name == "substitute" else answer == AnswerKind.RESTOCK):
                del self.errors[name]
        return made

    def complaints(self, *, draft: bool) -> dict[str, str]:
        """What is wrong, by field. A draft may be incomplete."""
        found = {name: str(texts[0]) for name, texts in self.errors.items()}
        made, today = self.cleaned_data, timezone.localdate()
        day = made.get("restock_date")
        if day and day != self.initial["restock_date"] and not today <= day <= today + timedelta(days=DAYS_AHEAD):
            found["restock_date"] = "請填今天以後、兩年以內的日期"
        if not draft and made.get("answer") == AnswerKind.RESTOCK and not day:
            found.setdefault("restock_date", "請填預計到貨日")
        if not draft and made.get("answer") == AnswerKind.SUBSTITUTE and not made.get("substitute"):
            found.setdefault("substitute", "請填替代商品的品名或品號")
        return found


@dataclass
class Sent:
    """A form as it was read. `errors` and `raw` are by row, `head` has its own; `picked` are rows with a choice."""

    head: HeadForm
    answers: dict[int, Answer] = field(default_factory=dict)
    picked: set[int] = field(default_factory=set)
    errors: dict[int, dict[str, str]] = field(default_factory=dict)
    raw: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return self.head.is_valid() and not self.errors


def row_ids(data: QueryDict) -> list[int]:
    """The ids of the rows that a form names, in its order. Raises ValidationFailed for more than a page has."""
    ids = list(dict.fromkeys(int(found[1]) for name in data if (found := _ROW_FIELD.fullmatch(name))))
    if len(ids) > PAGE_ROWS:
        raise ValidationFailed(FOREIGN)
    return ids


def raw_of(answer: Answer) -> dict[str, str]:
    """An answer as the fields of the page hold it."""
    return {name: str(value or "") for name, value in answer._asdict().items()}


def read(data: QueryDict, rows: Sequence[Row]) -> Sent:
    """Read a form about `rows`, which are those that it names."""
    sent = Sent(HeadForm(data))
    sent.head.is_valid()
    draft = sent.head.cleaned_data.get("action") == "draft"
    for row in rows:
        _read_row(sent, data, row, draft=draft)
    return sent


def _read_row(sent: Sent, data: Mapping[str, Any], row: Row, *, draft: bool) -> None:
    pk, pick, shown = row.line.pk, data.get(f"{row.line.pk}-pick"), data.get(f"{row.line.pk}-other")
    form = RowForm(data, prefix=str(pk), initial=row.shown._asdict())
    sent.raw[pk] = {name: str(data.get(f"{pk}-{name}", ""))[:_RAW] for name in Answer._fields} | {"pick": pick or ""}
    if shown and row.other and pick not in (OTHER, MINE):
        if not draft:
            sent.errors[pk] = {"pick": "請選擇要採用哪一份"}
        sent.answers[pk] = row.shown
        return
    if shown and row.other and pick == OTHER and shown == str(row.other.pk):
        sent.answers[pk] = Answer.of(row.other)
        sent.picked.add(pk)
        return
    form.is_valid()
    if complaints := form.complaints(draft=draft):
        sent.errors[pk] = complaints
        return
    sent.answers[pk] = Answer(**form.cleaned_data)
    if shown and pick == MINE:
        sent.picked.add(pk)

"""The variables that a template declares: what they are called, of which type they are, and what is given for them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from momo.rest.errors import ValidationFailed
from notifications.templating.bounds import (
    LIST_ITEMS,
    NAME_LENGTH,
    NUMBER,
    TEXT_LENGTH,
    URL_LENGTH,
    VALUES_BYTES,
    VARIABLES,
)
from notifications.templating.values import clean_text

NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# Words of the language, which cannot be names in it.
RESERVED = frozenset(
    [
        "and",
        "as",
        "blank",
        "cols",
        "contains",
        "continue",
        "else",
        "empty",
        "false",
        "for",
        "forloop",
        "if",
        "in",
        "limit",
        "nil",
        "not",
        "null",
        "offset",
        "or",
        "required",
        "reversed",
        "true",
        "with",
    ]
)
LABELS = {
    "text": "文字",
    "integer": "整數",
    "number": "數字",
    "boolean": "是否",
    "date": "日期",
    "datetime": "日期時間",
    "url": "網址",
    "list": "清單",
}
SCALAR_TYPES = tuple(name for name in LABELS if name != "list")
KEYS = ("name", "type", "required", "example", "description", "fields")
DESCRIPTION_LENGTH = 200
# What a value is when it is not given; a number that is missing is nothing, since 0 would be a lie.
EMPTY: dict[str, Any] = {"text": "", "url": "", "list": []}
INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
DECIMAL = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
DIGITS = 30  # of a number that is given for a text
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
YEARS = range(1900, 2200)  # so that every moment has a local time
NOT_IN_URLS = re.compile(r"[\s<>\"'`\\^{}|]")


@dataclass(frozen=True)
class Variable:
    """`example` is as it would be given, of the type; None for none. `fields` are those of a list's items; a list
    without fields is one of texts."""

    name: str
    type: str
    required: bool = False
    example: Any = None
    description: str = ""
    fields: tuple[Variable, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The form in which it is kept."""
        return {
            "name": self.name,
            "type": self.type,
            "required": self.required,
            "example": _kept(self.example),
            "description": self.description,
            "fields": [field.as_dict() for field in self.fields],
        }


class Wrong(Exception):
    """A value that is not of its type; the text is for people."""


def _kept(value: Any) -> Any:
    """An example as JSON has it."""
    if isinstance(value, list):
        return [_kept(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _kept(entry) for name, entry in value.items()}
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return value


# --- Declarations ---------------------------------------------------------------------------------------------------


def declared(raw: Sequence[Mapping[str, Any]]) -> list[Variable]:
    """The declarations that `raw` makes. Raises ValidationFailed with everything that is wrong under `variables`."""
    faults: list[str] = []
    made = _declarations(raw, "變數", (*SCALAR_TYPES, "list"), faults)
    if faults:
        raise ValidationFailed(fields={"variables": faults})
    return made


def _declarations(raw: Any, what: str, types: Sequence[str], faults: list[str]) -> list[Variable]:
    if not isinstance(raw, (list, tuple)):
        faults.append(f"{what}要是清單")
        return []
    if len(raw) > VARIABLES:
        faults.append(f"{what}最多 {VARIABLES} 個")
        return []
    made: list[Variable] = []
    for number, entry in enumerate(raw, 1):
        try:
            variable = _declaration(entry, what, types, faults)
            if variable.name in {other.name for other in made}:
                raise Wrong("名稱重複")
        except Wrong as wrong:
            name = entry.get("name") if isinstance(entry, Mapping) else None
            faults.append(f"第 {number} 個{what}{f'「{str(name)[:NAME_LENGTH]}」' if name else ''}：{wrong}")
        else:
            made.append(variable)
    return made


def _declaration(entry: Any, what: str, types: Sequence[str], faults: list[str]) -> Variable:
    if not isinstance(entry, Mapping):
        raise Wrong("要有 name 與 type")
    strange = [str(key)[:NAME_LENGTH] for key in entry if key not in KEYS]
    if strange:
        raise Wrong(f"不認得「{'、'.join(strange)}」；可用：{'、'.join(KEYS)}")
    name, kind, required = entry.get("name"), entry.get("type"), entry.get("required", False)
    if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > NAME_LENGTH:
        raise Wrong(f"名稱請用小寫英文字母、數字與底線，以字母開頭，最多 {NAME_LENGTH} 個字")
    if name in RESERVED:
        raise Wrong("這個名稱是範本語言的保留字")
    if not isinstance(kind, str) or kind not in types:
        raise Wrong(f"類型要是 {'、'.join(types)} 其中之一")
    if not isinstance(required, bool):
        raise Wrong("required 要是 true 或 false")
    description = entry.get("description") or ""
    if not isinstance(description, str) or len(description) > DESCRIPTION_LENGTH:
        raise Wrong(f"說明最多 {DESCRIPTION_LENGTH} 個字")
    fields: list[Variable] = []
    if entry.get("fields"):
        if kind != "list":
            raise Wrong("只有清單才有欄位")
        fields = _declarations(entry["fields"], f"「{name}」的欄位", SCALAR_TYPES, faults)
    example = entry.get("example")
    bare = Variable(name, kind, required, None, clean_text(description), tuple(fields))
    if example is None and fields:
        item = {field.name: field.example for field in fields if field.example is not None}
        example = [item] if item else None
    if example is None:
        if required and what == "變數":
            raise Wrong("必填的變數要有範例")
        return bare
    reader = _Reader(strict=True)
    value = reader.value(bare, example, "範例")
    if reader.faults:
        raise Wrong("；".join(f"{place}：{'、'.join(texts)}" for place, texts in reader.faults.items()))
    return Variable(name, kind, required, value, bare.description, bare.fields)


def examples(variables: Iterable[Variable], *, only_required: bool = False) -> dict[str, Any]:
    """The examples as values to give; of variables without one nothing is given."""
    return {
        variable.name: variable.example
        for variable in variables
        if variable.example is not None and (variable.required or not only_required)
    }


# --- Values ---------------------------------------------------------------------------------------------------------


def coerce(variables: Iterable[Variable], given: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """A value for each variable, of its type, bounded and clean. `strict` refuses names that are not declared, else
    they are left out: what an event brings may be more than a template of staff still wants.

    Raises ValidationFailed naming each: `{"variables.usage_percent": ["必填"]}`.
    """
    reader = _Reader(strict=strict)
    if not isinstance(given, Mapping):
        raise ValidationFailed(fields={"variables": ['要是物件，例如 {"usage_percent": 85}']})
    values = reader.record(list(variables), given, "variables")
    if reader.faults:
        raise ValidationFailed(fields=reader.faults)
    return values


class _Reader:
    """Reads values, and gathers what is wrong with them under where they stand."""

    MOST = 50  # faults told

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.faults: dict[str, list[str]] = {}
        self.bytes = 0

    def complain(self, place: str, message: str) -> None:
        if len(self.faults) < self.MOST:
            self.faults.setdefault(place, []).append(message)

    def record(self, variables: list[Variable], given: Mapping[str, Any], place: str) -> dict[str, Any]:
        if self.strict:
            names = {variable.name for variable in variables}
            known = "、".join(sorted(names)) or "沒有任何變數"
            for name in given:
                if name not in names:
                    self.complain(f"{place}.{clean_text(str(name))[:NAME_LENGTH]}", f"沒有這個變數；可用：{known}")
        return {
            variable.name: self.value(variable, given.get(variable.name), f"{place}.{variable.name}")
            for variable in variables
        }

    def value(self, variable: Variable, given: Any, place: str) -> Any:
        empty = EMPTY.get(variable.type)
        if given is None:
            if variable.required:
                self.complain(place, "必填")
            return empty
        try:
            if variable.type == "list":
                return self._list(variable, given, place)
            return self._scalar(variable.type, given)
        except Wrong as wrong:
            self.complain(place, str(wrong))
            return empty

    def _list(self, variable: Variable, given: Any, place: str) -> list[Any]:
        if not isinstance(given, (list, tuple)):
            raise Wrong("要是清單")
        if len(given) > LIST_ITEMS:
            raise Wrong(f"最多 {LIST_ITEMS} 項")
        if not variable.fields:
            text = Variable(variable.name, "text", required=True)
            return [self.value(text, item, f"{place}.{number}") for number, item in enumerate(given)]
        made = []
        for number, item in enumerate(given):
            if isinstance(item, Mapping):
                made.append(self.record(list(variable.fields), item, f"{place}.{number}"))
            else:
                self.complain(f"{place}.{number}", "要是物件，有欄位與值")
        return made

    def _scalar(self, kind: str, given: Any) -> Any:
        if kind in ("text", "url"):
            return self._url(given) if kind == "url" else self._text(given)
        if kind == "boolean":
            return _boolean(given)
        if kind in ("integer", "number"):
            return _number(given, whole=kind == "integer")
        return _day(given) if kind == "date" else _moment(given)

    def _text(self, given: Any) -> str:
        if isinstance(given, float) or (isinstance(given, int) and not isinstance(given, bool)):
            given = str(given) if abs(given) < 10**DIGITS else None
        if not isinstance(given, str):
            raise Wrong("要是文字")
        if len(given) > TEXT_LENGTH:
            raise Wrong(f"最多 {TEXT_LENGTH} 個字")
        text = clean_text(given)
        self.bytes += len(text.encode())
        if self.bytes > VALUES_BYTES:
            raise Wrong(f"所有的值加起來超過 {VALUES_BYTES // 1024} KB")
        return text

    def _url(self, given: Any) -> str:
        text = self._text(given).strip()
        if not text:
            return ""
        try:
            parts = urlsplit(text)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        except ValueError:
            fine = False
        if not fine or NOT_IN_URLS.search(text) or len(text) > URL_LENGTH:
            raise Wrong(f"要是 http:// 或 https:// 開頭的網址，最多 {URL_LENGTH} 個字")
        return text


def _boolean(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.strip().lower() in ("true", "false"):
        return given.strip().lower() == "true"
    raise Wrong("要是 true 或 false")


def _number(value: Any, *, whole: bool) -> int | float:
    given: Any = value
    if isinstance(given, str):
        text = given.strip()
        if DECIMAL.fullmatch(text):
            given = int(text) if INTEGER.fullmatch(text) else float(text)
    # Of a whole number nobody asks whether it is finite: a long one does not fit into the answer.
    fine = isinstance(given, int) or (isinstance(given, (float, Decimal)) and math.isfinite(given))
    if isinstance(given, bool) or not fine:
        raise Wrong("要是整數" if whole else "要是數字")
    if abs(given) > NUMBER:
        raise Wrong("數字太大")
    rounded = int(given)
    if given == rounded:
        return rounded
    if whole:
        raise Wrong("要是整數")
    return float(given)


def _day(given: Any) -> dt.date:
    if isinstance(given, dt.datetime):
        given = timezone.localtime(_moment(given)).date()
    elif isinstance(given, str) and DATE.fullmatch(given.strip()):
        try:
            given = dt.date.fromisoformat(given.strip())
        except ValueError:
            given = None
    if not isinstance(given, dt.date) or given.year not in YEARS:
        raise Wrong("要是日期，例如 2026-11-25")
    return given


def _moment(given: Any) -> dt.datetime:
    """A moment without an offset is one in Taipei."""
    if isinstance(given, str):
        try:
            given = dt.datetime.fromisoformat(given.strip())
        except ValueError:
            given = None
    if not isinstance(given, dt.datetime) or given.year not in YEARS:
        raise Wrong("要是日期時間，例如 2026-11-25T14:05:00+08:00")
    return timezone.make_aware(given) if timezone.is_naive(given) else given

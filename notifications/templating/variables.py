"""The variables that a template declares: what they are called, of which type they are, and what is given for them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.utils import timezone

from momo.core.errors import ValidationFailed
from momo.core.texts import clean_text
from notifications.templating.bounds import (
    LIST_ITEMS,
    NAME_LENGTH,
    NUMBER,
    TEXT_LENGTH,
    URL_LENGTH,
    VALUES_BYTES,
    VARIABLES,
)

NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{NAME_LENGTH - 1}}}", re.ASCII)
# Keywords of Liquid, which cannot be names of variables.
RESERVED = re.compile(
    "and|as|blank|cols|contains|continue|else|empty|false|for|forloop|if|in|limit|nil|not|null|offset|or|required"
    "|reversed|true|with"
)
DESCRIPTION_LENGTH = 200
DECIMAL = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
DIGITS = 30  # of a number that is given where a text is declared
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
YEARS = range(1900, 2200)  # so that every moment has a local time
NOT_IN_URLS = re.compile(r"[\s<>\"'`\\^{}|]")


@dataclass(frozen=True)
class Variable:
    """A declared variable.

    `example` is a value of the type, None if there is none. `fields` are those of a list's items; a list without fields
    holds texts.
    """

    name: str
    type: str
    required: bool = False
    example: Any = None
    description: str = ""
    fields: tuple[Variable, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The declaration as JSON, as the model keeps it."""
        declaration: dict[str, Any] = json.loads(json.dumps(asdict(self), default=lambda day: day.isoformat()))
        return declaration


KEYS = tuple(field.name for field in fields(Variable))


class WrongValue(Exception):
    """A value or a declaration is refused; the message is Chinese."""


def is_name(name: str) -> bool:
    """Whether a variable or the item of a loop may be called so."""
    return bool(NAME.fullmatch(name)) and not RESERVED.fullmatch(name)


# --- Types ----------------------------------------------------------------------------------------------------------


def _text(given: Any) -> str:
    if isinstance(given, (int, float)) and not isinstance(given, bool) and abs(given) < 10**DIGITS:
        given = str(given)
    if not isinstance(given, str) or len(given) > TEXT_LENGTH:
        raise ValueError
    return clean_text(given)


def _url(given: Any) -> str:
    text = _text(given).strip()
    parts = urlsplit(text)
    fine = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    if text and (not fine or NOT_IN_URLS.search(text) or len(text) > URL_LENGTH):
        raise ValueError
    return text


def _boolean(given: Any) -> bool:
    return given if isinstance(given, bool) else {"true": True, "false": False}[given.strip().lower()]


def _number(given: Any) -> int | float:
    if isinstance(given, str) and DECIMAL.fullmatch(given.strip()):
        given = Decimal(given.strip())
    if isinstance(given, bool) or not isinstance(given, (int, float, Decimal)) or not -NUMBER <= given <= NUMBER:
        raise ValueError
    return int(given) if given == int(given) else float(given)


def _integer(given: Any) -> int:
    number = _number(given)
    if not isinstance(number, int):
        raise ValueError
    return number


def _date(given: Any) -> dt.date:
    if isinstance(given, dt.datetime):
        given = timezone.localtime(_datetime(given)).date()
    day = dt.date.fromisoformat(given.strip()) if isinstance(given, str) and DATE.fullmatch(given.strip()) else given
    if not isinstance(day, dt.date) or day.year not in YEARS:
        raise ValueError
    return day


def _datetime(given: Any) -> dt.datetime:
    """A moment without an offset is in Taipei time."""
    moment = given if isinstance(given, dt.datetime) else dt.datetime.fromisoformat(given.strip())
    if moment.year not in YEARS:
        raise ValueError
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


class Type(NamedTuple):
    """A type of variables. `read` raises one of REFUSALS for a value that is not as `wanted`.

    `empty` is the value of a variable that is not given: None for a number, since 0 would be a false figure.
    """

    label: str
    wanted: str
    read: Callable[[Any], Any]
    empty: Any = None


REFUSALS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
TYPES = {
    "text": Type("文字", f"要是文字，最多 {TEXT_LENGTH} 個字", _text, ""),
    "integer": Type("整數", "要是整數，最多 15 位", _integer),
    "number": Type("數字", "要是數字，整數部分最多 15 位", _number),
    "boolean": Type("是否", "要是 true 或 false", _boolean),
    "date": Type("日期", "要是日期，例如 2026-11-25", _date),
    "datetime": Type("日期時間", "要是日期時間，例如 2026-11-25T14:05:00+08:00", _datetime),
    "url": Type("網址", f"要是 http:// 或 https:// 開頭的網址，最多 {URL_LENGTH} 個字", _url, ""),
}
SCALAR_TYPES = tuple(TYPES)
LABELS = {**{name: one.label for name, one in TYPES.items()}, "list": "清單"}


# --- Declarations ---------------------------------------------------------------------------------------------------


def declared(raw: Sequence[Mapping[str, Any]]) -> list[Variable]:
    """The declarations in `raw`. Raise ValidationFailed with every fault, all under `variables`."""
    faults: list[str] = []
    made = _declarations(raw, "變數", (*SCALAR_TYPES, "list"), faults)
    if faults:
        raise ValidationFailed(fields={"variables": faults})
    return made


def _declarations(raw: Any, what: str, types: Sequence[str], faults: list[str]) -> list[Variable]:
    if not isinstance(raw, (list, tuple)) or len(raw) > VARIABLES:
        faults.append(f"{what}要是清單，最多 {VARIABLES} 個")
        return []
    made: list[Variable] = []
    for number, entry in enumerate(raw, 1):
        try:
            variable = _declaration(entry, what, types, faults)
            if variable.name in {other.name for other in made}:
                raise WrongValue("名稱重複")
            made.append(variable)
        except WrongValue as error:
            name = entry.get("name") if isinstance(entry, Mapping) else None
            faults.append(f"第 {number} 個{what}{f'「{str(name)[:NAME_LENGTH]}」' if name else ''}：{error}")
    return made


def _declaration(entry: Any, what: str, types: Sequence[str], faults: list[str]) -> Variable:
    _check_entry(entry, types)
    made, example = Variable(**entry), entry.get("example")
    fields = _declarations(entry.get("fields") or [], f"「{made.name}」的欄位", SCALAR_TYPES, faults)
    made = replace(made, description=clean_text(made.description or ""), fields=tuple(fields))
    if example is None and (item := examples(fields)):
        example = [item]
    if example is None and made.required and what == "變數":
        raise WrongValue("必填的變數要有範例")
    reader = _Reader(strict=True)
    value = None if example is None else reader.value(made, example, "範例")
    if reader.faults:
        raise WrongValue("；".join(f"{place}：{'、'.join(texts)}" for place, texts in reader.faults.items()))
    return replace(made, example=value)


def _check_entry(entry: Any, types: Sequence[str]) -> None:
    if not isinstance(entry, Mapping):
        raise WrongValue("要有 name 與 type")
    unknown = [str(key)[:NAME_LENGTH] for key in entry if key not in KEYS]
    name, description = entry.get("name"), entry.get("description") or ""
    for fine, message in (
        (not unknown, f"不認得「{'、'.join(unknown)}」；可用：{'、'.join(KEYS)}"),
        (
            isinstance(name, str) and is_name(name),
            f"名稱請用小寫英文字母、數字與底線，以字母開頭，最多 {NAME_LENGTH} 個字，不能是範本語言的保留字",
        ),
        (entry.get("type") in types, f"類型要是 {'、'.join(types)} 其中之一"),
        (isinstance(entry.get("required", False), bool), "required 要是 true 或 false"),
        (
            isinstance(description, str) and len(description) <= DESCRIPTION_LENGTH,
            f"說明最多 {DESCRIPTION_LENGTH} 個字",
        ),
        (not entry.get("fields") or entry.get("type") == "list", "只有清單才有欄位"),
    ):
        if not fine:
            raise WrongValue(message)


def stored(raw: Sequence[Variable | Mapping[str, Any]]) -> list[Variable]:
    """The declarations of a saved version, which `declared` checked when the version was saved.

    Raise ValidationFailed if they do not even have the form of declarations.
    """
    try:
        return [
            entry
            if isinstance(entry, Variable)
            else Variable(**{**entry, "fields": tuple(stored(entry.get("fields") or ()))})
            for entry in raw
        ]
    except (AttributeError, TypeError) as error:
        raise ValidationFailed(fields={"variables": ["變數的宣告無法使用，請重新儲存範本"]}) from error


def examples(variables: Iterable[Variable], *, only_required: bool = False) -> dict[str, Any]:
    """The examples as values for `coerce`; variables without an example are left out."""
    return {
        variable.name: variable.example
        for variable in variables
        if variable.example is not None and (variable.required or not only_required)
    }


# --- Values ---------------------------------------------------------------------------------------------------------


def coerce(variables: Iterable[Variable], given: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """A value for each variable, of its type, bounded and clean.

    `strict` refuses names that are not declared; otherwise they are left out, since an event may bring more values than
    the template of staff declares. Raise ValidationFailed by name: `{"variables.usage_percent": ["必填"]}`.
    """
    reader = _Reader(strict=strict)
    if not isinstance(given, Mapping):
        raise ValidationFailed(fields={"variables": ['要是物件，例如 {"usage_percent": 85}']})
    values = reader.record(list(variables), given, "variables")
    if reader.faults:
        raise ValidationFailed(fields=reader.faults)
    return values


class _Reader:
    """Reads values, and collects the faults of each under its path."""

    MOST = 50  # paths with faults in one answer

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.faults: dict[str, list[str]] = {}
        self.bytes = 0

    def add_fault(self, place: str, message: str) -> None:
        if len(self.faults) < self.MOST:
            self.faults.setdefault(place, []).append(message)

    def record(self, variables: list[Variable], given: Mapping[str, Any], place: str) -> dict[str, Any]:
        if self.strict:
            names = {variable.name for variable in variables}
            known = "、".join(sorted(names)) or "沒有任何變數"
            for name in given:
                if name not in names:
                    self.add_fault(f"{place}.{clean_text(str(name))[:NAME_LENGTH]}", f"沒有這個變數；可用：{known}")
        return {
            variable.name: self.value(variable, given.get(variable.name), f"{place}.{variable.name}")
            for variable in variables
        }

    def value(self, variable: Variable, given: Any, place: str) -> Any:
        if variable.type == "list":
            return self._list(variable, given, place)
        kind = TYPES[variable.type]
        try:
            value = kind.empty if given is None else kind.read(given)
        except REFUSALS:
            self.add_fault(place, kind.wanted)
            return kind.empty
        self.bytes += len(value.encode()) if isinstance(value, str) else 0
        if given is None and variable.required:
            self.add_fault(place, "必填")
        elif self.bytes > VALUES_BYTES:
            self.add_fault(place, f"所有的值加起來超過 {VALUES_BYTES // 1024} KB")
        return value

    def _list(self, variable: Variable, given: Any, place: str) -> list[Any]:
        if given is None and variable.required:
            self.add_fault(place, "必填")
        elif given is not None and (not isinstance(given, (list, tuple)) or len(given) > LIST_ITEMS):
            self.add_fault(place, f"要是清單，最多 {LIST_ITEMS} 項")
            given = None
        made, text = [], Variable(variable.name, "text", required=True)
        for number, item in enumerate(given or ()):
            if not variable.fields:
                made.append(self.value(text, item, f"{place}.{number}"))
            elif isinstance(item, Mapping):
                made.append(self.record(list(variable.fields), item, f"{place}.{number}"))
            else:
                self.add_fault(f"{place}.{number}", "要是物件，有欄位與值")
        return made

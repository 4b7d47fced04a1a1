"""Values of templates as text, and the filters: each takes little, gives little, and does nothing else.

A missing value, or a missing argument of arithmetic (an optional variable that was not sent), gives nothing, so that
templates need not ask first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.utils import timezone
from liquid.builtin.filters import math

from momo.core import formats
from notifications.templating.bounds import BODY_BYTES, NUMBER
from notifications.templating.faults import LanguageFault

PLACES = 6  # decimal places that `round` may ask for
TEXT, NUMBERS, WHOLE = ("text", "url"), ("integer", "number"), ("integer",)
SCALARS = (*TEXT, *NUMBERS, "boolean", "date", "datetime")
LISTS = ("list",)
SAME = "same"  # gives the kind that it takes
# The kinds of values while rendering, named like the types of variables; a url is a text then.
KINDS = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    dt.date: "date",
    dt.datetime: "datetime",
    list: "list",
}
# What a filter gives for a missing value, by the kind that it gives; None for any other.
NOTHING: dict[str, Any] = {"text": "", "encoded": "", "integer": 0}


@dataclass(frozen=True)
class FilterSpec:
    """`takes` are the kinds of value, `arguments` those of each argument, of which `needed` must be there."""

    call: Callable[..., Any]
    takes: Sequence[str]
    gives: str
    arguments: Sequence[Sequence[str]] = ()
    needed: int = 0


def local_datetime(value: dt.datetime) -> str:
    """In Taipei time, to the minute."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"


def as_text(value: Any) -> str:
    """What `{{ value }}` prints; nothing for no value, and for the literals `empty` and `blank`."""
    match value:
        case str():
            return str(value)
        case bool():
            return "是" if value else "否"
        case int() | float():
            return formats.number(value)
        case dt.datetime():
            return local_datetime(value)
        case dt.date():
            return f"{value:%Y-%m-%d}"
    return ""


def checked(name: str, spec: FilterSpec) -> Callable[..., Any]:
    """The filter as Liquid calls it: with bounds, and with the kinds of its value and of its arguments checked."""

    def apply(value: Any, *given: Any) -> Any:
        if not spec.needed <= len(given) <= len(spec.arguments):
            raise LanguageFault(f"過濾器「{name}」的參數個數不對")
        if spec.call is not _default and (value is None or (spec.gives == "number" and None in given)):
            return NOTHING.get(spec.gives)
        for one, kinds in ((value, spec.takes), *zip(given, spec.arguments, strict=False)):
            if one is not None and KINDS.get(type(one)) not in kinds:
                raise LanguageFault(f"過濾器「{name}」不能用在這種值")
        made = spec.call(value, *given)
        if spec.gives == "number":
            made = int(made) if made == int(made) else float(made)
        if isinstance(made, str) and len(made) > BODY_BYTES:
            raise LanguageFault(f"{name} 產生的文字太長")
        if isinstance(made, (int, float)) and abs(made) > NUMBER:
            raise LanguageFault("計算結果的數字太大")
        return made

    return apply


def _divided_by(value: Any, other: Any) -> int | Decimal:
    """Of two whole numbers a whole one, rounded down, as Liquid does; Liquid divides others as floats."""
    if other == 0:
        raise LanguageFault("不能除以 0")
    if isinstance(value, int) and isinstance(other, int):
        return value // other
    return formats.to_decimal(value) / formats.to_decimal(other)


def _default(value: Any, other: Any) -> Any:
    return other if value is None or value is False or value == "" else value


def _join(value: list[Any], separator: str = " ") -> str:
    parts = [as_text(item) for item in value]
    if sum(map(len, parts)) + len(separator) * len(parts) > BODY_BYTES:
        raise LanguageFault("join 產生的文字太長")
    return separator.join(parts)


def _truncate(value: str, length: int = 50, ending: str = "…") -> str:
    if length < 1:
        raise LanguageFault("truncate 的長度要是 1 以上的整數")
    return value if len(value) <= length else value[: max(length - len(ending), 0)] + ending


def _round(value: float, places: int = 0) -> Decimal:
    if not 0 <= places <= PLACES:
        raise LanguageFault(f"round 的小數位數要在 0 到 {PLACES} 之間")
    return formats.rounded(value, places)


def _date(value: dt.date) -> str:
    return as_text(timezone.localtime(value).date() if isinstance(value, dt.datetime) else value)


FILTERS: dict[str, FilterSpec] = {
    "default": FilterSpec(_default, SCALARS, SAME, (SCALARS,), 1),
    "size": FilterSpec(len, (*TEXT, *LISTS), "integer"),
    "join": FilterSpec(_join, LISTS, "text", (TEXT,)),
    "first": FilterSpec(lambda value: value[0] if value else None, LISTS, "text"),
    "last": FilterSpec(lambda value: value[-1] if value else None, LISTS, "text"),
    "upcase": FilterSpec(str.upper, TEXT, "text"),
    "downcase": FilterSpec(str.lower, TEXT, "text"),
    "strip": FilterSpec(str.strip, TEXT, "text"),
    "truncate": FilterSpec(_truncate, TEXT, "text", (WHOLE, TEXT)),
    "url_encode": FilterSpec(lambda value: quote(as_text(value), safe=""), SCALARS, "encoded"),
    "plus": FilterSpec(math.plus, NUMBERS, "number", (NUMBERS,), 1),
    "minus": FilterSpec(math.minus, NUMBERS, "number", (NUMBERS,), 1),
    "times": FilterSpec(math.times, NUMBERS, "number", (NUMBERS,), 1),
    "at_least": FilterSpec(max, NUMBERS, "number", (NUMBERS,), 1),
    "at_most": FilterSpec(min, NUMBERS, "number", (NUMBERS,), 1),
    "divided_by": FilterSpec(_divided_by, NUMBERS, "number", (NUMBERS,), 1),
    "round": FilterSpec(_round, NUMBERS, "number", (WHOLE,)),
    "abs": FilterSpec(abs, NUMBERS, SAME),
    # Whole New Taiwan dollars: `$12,345`, `-$1,200`.
    "money": FilterSpec(lambda value: formats.money(formats.rounded(value)), NUMBERS, "text"),
    "number": FilterSpec(lambda value: formats.number(value, thousands=True), NUMBERS, "text"),
    "percent": FilterSpec(formats.percent, NUMBERS, "text"),
    "signed_percent": FilterSpec(lambda value: formats.percent(value, sign=True), NUMBERS, "text"),
    "date": FilterSpec(_date, ("date", "datetime"), "text"),
    "datetime": FilterSpec(local_datetime, ("datetime",), "text"),
    "yes_no": FilterSpec(as_text, ("boolean",), "text"),
}

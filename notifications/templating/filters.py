"""The filters that templates may use: each takes little, gives little, and does nothing else.

A filter given nothing (an optional variable that was not sent) gives nothing, so that templates need not ask first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote

from django.utils import timezone

from notifications.templating.bounds import BODY_BYTES, NUMBER
from notifications.templating.faults import FilterFault
from notifications.templating.values import as_text, decimal, local_datetime, plain_number

PLACES = 6  # decimal places that `round` may ask for
TEXT, NUMBERS, WHOLE = ("text", "url"), ("integer", "number"), ("integer",)
SCALARS = (*TEXT, *NUMBERS, "boolean", "date", "datetime")
LISTS = ("list",)
SAME = "same"  # gives the kind that it takes


@dataclass(frozen=True)
class FilterSpec:
    """`takes` are the kinds of value, `arguments` those of each argument, of which `needed` must be there."""

    call: Callable[..., Any]
    takes: Sequence[str]
    gives: str
    arguments: Sequence[Sequence[str]] = ()
    needed: int = 0


def _bounded(text: str) -> str:
    if len(text) > BODY_BYTES:
        raise FilterFault("過濾器產生的文字太長")
    return text


def _text(value: Any) -> str:
    if isinstance(value, (list, dict)):
        raise FilterFault("這個過濾器只能用在文字")
    return as_text(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> int | float:
    if not _is_number(value):
        raise FilterFault("這個過濾器只能用在數字")
    number: int | float = value
    return number


def _in_bounds(value: Decimal | int | float) -> int | float:
    number: int | float = int(value) if value == int(value) else float(value)
    if abs(number) > NUMBER:
        raise FilterFault("計算結果的數字太大")
    return number


def _arithmetic(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Any, Any], Any]:
    def calculate(value: Any, other: Any) -> int | float | None:
        if value is None or other is None:
            return None
        return _in_bounds(operation(decimal(_number(value)), decimal(_number(other))))

    return calculate


def _divided_by(value: Any, other: Any) -> int | float | None:
    """Of two whole numbers a whole one, rounded down, as Liquid does."""
    if value is None or other is None:
        return None
    if _number(other) == 0:
        raise FilterFault("不能除以 0")
    if isinstance(_number(value), int) and isinstance(other, int):
        return int(value // other)
    return _in_bounds(decimal(value) / decimal(other))


def _default(value: Any, other: Any) -> Any:
    return other if value is None or value is False or value == "" else value


def _size(value: Any) -> int:
    return 0 if value is None else len(value if isinstance(value, list) else _text(value))


def _join(value: Any, separator: Any = " ") -> str:
    if value is not None and not isinstance(value, list):
        raise FilterFault("join 只能用在清單")
    parts, between = [_text(item) for item in value or []], _text(separator)
    if sum(map(len, parts)) + len(between) * len(parts) > BODY_BYTES:
        raise FilterFault("join 產生的文字太長")
    return between.join(parts)


def _first(value: Any) -> Any:
    return value[0] if value else None


def _last(value: Any) -> Any:
    return value[-1] if value else None


def _truncate(value: Any, length: Any = 50, ending: Any = "…") -> str:
    text, tail = _text(value), _text(ending)
    if not _is_number(length) or length < 1:
        raise FilterFault("truncate 的長度要是 1 以上的整數")
    if len(text) <= length:
        return text
    return _bounded(text[: max(int(length) - len(tail), 0)] + tail)


def _round(value: Any, places: Any = 0) -> int | float | None:
    if value is None:
        return None
    if not isinstance(places, int) or not 0 <= places <= PLACES:
        raise FilterFault(f"round 的小數位數要在 0 到 {PLACES} 之間")
    return _in_bounds(decimal(_number(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def _abs(value: Any) -> int | float | None:
    return None if value is None else abs(_number(value))


def _money(value: Any) -> str:
    """Whole New Taiwan dollars: `$12,345`, `-$1,200`."""
    if value is None:
        return ""
    text = plain_number(_number(value), places=0, thousands=True)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def _thousands(value: Any) -> str:
    return "" if value is None else plain_number(_number(value), thousands=True)


def _percent(value: Any) -> str:
    """Two decimal places at most."""
    return "" if value is None else f"{plain_number(_number(value), places=2)}%"


def _signed_percent(value: Any) -> str:
    text = _percent(value)
    return text if text in ("", "0%") or text.startswith("-") else f"+{text}"


def _date(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return f"{timezone.localtime(value):%Y-%m-%d}"
    if value is None or isinstance(value, dt.date):
        return as_text(value)
    raise FilterFault("date 只能用在日期")


def _datetime(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, dt.datetime):
        raise FilterFault("datetime 只能用在日期時間")
    return local_datetime(value)


def _yes_no(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, bool):
        raise FilterFault("yes_no 只能用在是否")
    return "是" if value else "否"


def _upcase(value: Any) -> str:
    return _bounded(_text(value).upper())


def _downcase(value: Any) -> str:
    return _bounded(_text(value).lower())


def _strip(value: Any) -> str:
    return _text(value).strip()


def _url_encode(value: Any) -> str:
    return _bounded(quote(_text(value), safe=""))


CALCULATIONS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "plus": lambda one, other: one + other,
    "minus": lambda one, other: one - other,
    "times": lambda one, other: one * other,
    "at_least": max,
    "at_most": min,
}
FILTERS: dict[str, FilterSpec] = {
    "default": FilterSpec(_default, SCALARS, SAME, (SCALARS,), 1),
    "size": FilterSpec(_size, (*TEXT, *LISTS), "integer"),
    "join": FilterSpec(_join, LISTS, "text", (TEXT,)),
    "first": FilterSpec(_first, LISTS, "text"),
    "last": FilterSpec(_last, LISTS, "text"),
    "upcase": FilterSpec(_upcase, TEXT, "text"),
    "downcase": FilterSpec(_downcase, TEXT, "text"),
    "strip": FilterSpec(_strip, TEXT, "text"),
    "truncate": FilterSpec(_truncate, TEXT, "text", (WHOLE, TEXT)),
    "url_encode": FilterSpec(_url_encode, SCALARS, "encoded"),
    **{
        name: FilterSpec(_arithmetic(operation), NUMBERS, "number", (NUMBERS,), 1)
        for name, operation in CALCULATIONS.items()
    },
    "divided_by": FilterSpec(_divided_by, NUMBERS, "number", (NUMBERS,), 1),
    "round": FilterSpec(_round, NUMBERS, "number", (WHOLE,)),
    "abs": FilterSpec(_abs, NUMBERS, SAME),
    "money": FilterSpec(_money, NUMBERS, "text"),
    "number": FilterSpec(_thousands, NUMBERS, "text"),
    "percent": FilterSpec(_percent, NUMBERS, "text"),
    "signed_percent": FilterSpec(_signed_percent, NUMBERS, "text"),
    "date": FilterSpec(_date, ("date", "datetime"), "text"),
    "datetime": FilterSpec(_datetime, ("datetime",), "text"),
    "yes_no": FilterSpec(_yes_no, ("boolean",), "text"),
}

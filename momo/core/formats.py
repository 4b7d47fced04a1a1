"""Numbers, New Taiwan dollars and percentages as text, and the percentages themselves.

Pure text without HTML: colours, arrows and the sign for "no value" belong to `momo.admin.kit`. Halves are rounded away
from zero, as PostgreSQL rounds `numeric`.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

Number = int | float | Decimal
_Exact = TypeVar("_Exact", int, Decimal)


def to_decimal(value: Number) -> Decimal:
    """The number as it is written, without the noise of binary fractions: 0.1 is exactly 0.1."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def rounded(value: Number, places: int = 0) -> Decimal:
    """`value` with `places` decimal places."""
    return to_decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def number(
    value: Number, *, places: int | None = None, fixed: bool = False, sign: bool = False, thousands: bool = False
) -> str:
    """Digits without an exponent, `1234.5`.

    `places` rounds, None keeps all decimals. Zeros at the end are dropped unless `fixed`. `sign` puts `+` before a
    number above zero. `thousands` adds separators.
    """
    exact = to_decimal(value) if places is None else rounded(value, places)
    text = f"{abs(exact):,f}" if thousands else f"{abs(exact):f}"
    if "." in text and not fixed:
        text = text.rstrip("0").rstrip(".")
    if exact == 0:
        return text
    return f"-{text}" if exact < 0 else f"+{text}" if sign else text


def amount(value: Number) -> str:
    """New Taiwan dollars with thousands separators, and with cents only if there are any: `1,234`, `-1,234.50`."""
    exact = to_decimal(value)
    whole = exact == exact.to_integral_value()
    return number(exact, places=0 if whole else 2, fixed=True, thousands=True)


def money(value: Number) -> str:
    """`amount` with its currency, the minus sign first: `$1,234`, `-$1,234.50`."""
    text = amount(value)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def percent(value: Number, *, places: int = 2, fixed: bool = False, sign: bool = False, thousands: bool = False) -> str:
    """A percentage with at most `places` decimals, or exactly that many if `fixed`: `12.5%`."""
    return f"{number(value, places=places, fixed=fixed, sign=sign, thousands=thousands)}%"


def percent_of(part: _Exact, whole: _Exact, *, places: int = 2) -> float | None:
    """`part` of `whole` in percent; None if `whole` is 0. Integer arithmetic, since floats round halves either way."""
    if whole == 0:
        return None
    scale: int = 10**places
    size = int((abs(part) * 200 * scale + abs(whole)) // (2 * abs(whole)))
    return (size if (part < 0) == (whole < 0) else -size) / float(scale)


def change_percent(old: int | None, new: int | None) -> float | None:
    """The change from `old` to `new` in percent of `old`, two decimals; None if either is unknown or `old` is 0."""
    return None if old is None or new is None else percent_of(new - old, old)

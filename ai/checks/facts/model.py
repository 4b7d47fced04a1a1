"""What is true of a product, from any mapping: of a fact sheet, of a request, of the catalogue."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ai.checks.facts.normalise import shadow_of
from ai.checks.facts.numbers import numbers

KEYS = (
    "brand", "name", "price", "list_price", "content", "count", "origin", "ingredients", "certifications", "awards",
    "patents", "warranty", "shelf_life", "promotion", "other",
)  # fmt: skip
_TEXT_LIMIT = 20_000  # characters of one value
_LIMIT = 50_000  # characters of all
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})")


@dataclass(frozen=True)
class Facts:
    """`texts` are pairs of key and text, `prices` and `list_prices` New Taiwan dollars.

    `periods` are first and last day of promotions, None where open.
    """

    texts: tuple[tuple[str, str], ...] = ()
    prices: tuple[float, ...] = ()
    list_prices: tuple[float, ...] = ()
    periods: tuple[tuple[date | None, date | None], ...] = ()

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        """Facts of a mapping with the keys of `KEYS`; the values of other keys are further supporting texts.

        A value is a text, a number, or a list of them; a promotion also `{"text", "starts", "ends"}`. Empty values are
        left out. Raises ValueError, naming the key in Traditional Chinese, for a value of another shape.
        """
        texts: list[tuple[str, str]] = []
        money: dict[str, tuple[float, ...]] = {"price": (), "list_price": ()}
        periods = []
        for key, value in mapping.items():
            key = str(key)
            for part in _parts(key, value):
                if isinstance(part, Mapping):
                    texts += [(key, text) for text in _parts(key, part.get("text")) if isinstance(text, str)]
                    periods.append((_day(part.get("starts")), _day(part.get("ends"))))
                elif key in money:
                    found = (number.value for number in numbers(shadow_of(part).text))
                    money[key] += tuple(amount for amount in found if amount)
                else:
                    texts.append((key, part))
        if sum(len(text) for _, text in texts) > _LIMIT:
            raise ValueError(f"事實太長：全部最多 {_LIMIT:,} 個字")
        return cls(tuple(texts), money["price"], money["list_price"], tuple(periods))

    def of(self, key: str) -> list[str]:
        """The texts of a key."""
        return [text for known, text in self.texts if known == key]


def _parts(key: str, value: Any) -> Iterator[str | Mapping[str, Any]]:
    """Texts of a value, and mappings of a promotion."""
    if value is None or value == "":
        return
    if isinstance(value, str):
        if len(value) > _TEXT_LIMIT:
            raise ValueError(f"「{key}」太長：最多 {_TEXT_LIMIT:,} 個字")
        yield value
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and math.isfinite(value):
        yield f"{value:f}".rstrip("0").rstrip(".") if not isinstance(value, int) else str(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            if isinstance(part, (list, tuple)):
                raise ValueError(f"「{key}」的清單裡只能是文字或數字")
            yield from _parts(key, part)
    elif isinstance(value, Mapping) and key == "promotion":
        if isinstance(value.get("text"), Mapping):
            raise ValueError("「promotion」的 text 要是文字")
        yield value
    else:
        raise ValueError(f"「{key}」要是文字、數字，或它們的清單")


def _day(value: Any) -> date | None:
    """A day of `2026-11-01`, `2026/11/1` or a date; None for anything else."""
    if isinstance(value, date):
        return value
    if not (match := _DATE.search(str(value or ""))):
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        return None

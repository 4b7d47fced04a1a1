"""Numbers in a shadow: digits, Chinese numerals, and mixtures of both (3萬, 1.2萬, 1萬2千)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

NUMERALS = "零一二兩三四五六七八九十百千萬億"
# Longer runs of digits are identifiers, not amounts.
_LONGEST = 15
_NUMBER = re.compile(
    r"(?P<digits>\d+(?:,\d{3}(?!\d))*(?:,\d{3})?(?:\.\d+)?)(?:(?P<scale>[十百千]?[萬億]"
    r"|[十百千])(?P<rest>(?:\d(?:\.\d)?[千百十]){0,3})(?P<last>\d(?=[就元塊有多能，。!?]|$))?)?"
    rf"|(?P<chinese>[{NUMERALS}]+(?:點[零一二三四五六七八九]+)?|半(?=年|個月|天|小時|個小時|價))"
)
_REST = re.compile(r"(\d(?:\.\d)?)([千百十])")
_SCALES = {"十": 10.0, "百": 100.0, "千": 1_000.0, "萬": 10_000.0, "億": 100_000_000.0}


@dataclass(slots=True)
class Number:
    """A number at `shadow[start:end]`. `value` is None for what is no amount: too many digits, or no reading."""

    start: int
    end: int
    value: float | None
    chinese: bool


def numbers(shadow: str) -> Iterator[Number]:
    """All numbers, from left to right."""
    place = 0
    while number := number_from(shadow, place):
        yield number
        place = number.end


def number_from(shadow: str, place: int) -> Number | None:
    """The first number at or after a place."""
    match = _NUMBER.search(shadow, place)
    if not match:
        return None
    if chinese := match["chinese"]:
        return Number(match.start(), match.end(), read_chinese(chinese), True)
    digits, rest = match["digits"], match["rest"] or ""
    value = float(digits.replace(",", "")) if len(digits) <= _LONGEST else None
    if value is not None and match["scale"]:
        for scale in match["scale"]:
            value *= _SCALES[scale]
        value += sum(float(digit) * _SCALES[scale] for digit, scale in _REST.findall(rest))
        if match["last"] and not rest:  # 1萬6
            value += float(match["last"]) * _SCALES[match["scale"][-1]] / 10
    return Number(match.start(), match.end(), value, False)


@lru_cache(maxsize=4096)
def read_chinese(text: str) -> float | None:
    """The value of a Chinese numeral, None if it has no reading: 兩千五 is 2,500, 百萬 a million, 七五 is 75."""
    # Its tables take a tenth of the start of a process, and few processes read copy.
    import cn2an  # noqa: PLC0415

    if text == "半":
        return 0.5
    if len(text) > _LONGEST:
        return None
    if text[0] in "百千萬億":
        text = "一" + text
    try:
        return float(cn2an.cn2an(text.replace("兩", "二"), "smart"))
    except (ValueError, KeyError, IndexError):
        return None

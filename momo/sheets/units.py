"""Units of money that a report states: 單位：新台幣千元 in a title, 業績(千元) in a header, NT$K.

A unit is heeded when it can mean one thing only, and refused otherwise: read in dollars, amounts of a report in
thousands are a thousand times too small, and nothing else would show it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from momo.sheets.errors import SheetError

_SCALES: Mapping[str, int] = {
    "": 1,
    "十": 10,
    "百": 100,
    **dict.fromkeys(("千", "仟", "k", "thousand", "thousands", "000", "'000"), 1_000),
    "萬": 10_000,
    "十萬": 100_000,
    **dict.fromkeys(("百萬", "佰萬", "m", "mn", "million", "millions"), 1_000_000),
    **dict.fromkeys(("千萬", "仟萬"), 10_000_000),
    "億": 100_000_000,
}
_SCALE = "|".join(sorted(map(re.escape, filter(None, _SCALES)), key=len, reverse=True))
_CURRENCY = r"(?:新[台臺]幣|[台臺]幣|nt\$|ntd\$?|twd|nt)"
_TOKEN = re.compile(
    rf"(?:in)?{_CURRENCY}?:?(?P<a>{_SCALE})?[元圓]整?"
    rf"|(?:in)?{_CURRENCY}:?(?P<b>{_SCALE})?"
    rf"|(?:in)?(?P<c>thousands?|millions?)(?:of)?{_CURRENCY}?(?:dollars)?|(?P<d>[千仟萬億百佰]萬?)"
)
_FOREIGN = re.compile(
    r"美[元金]|人民幣|日[圓元幣]|港[幣元]|歐元|英鎊|韓[元圜]|外幣|us\$|usd|rmb|cny|jpy|hkd|eur|gbp|krw|[¥€£]"
)
_MANY_PIECES = re.compile(r"[十百千仟萬億][件個組盒包]")
# What a unit is stated by, and the words after it up to where the statement ends.
_STATED = re.compile(
    r"(?:單位|幣別|幣種|currency|unit)s?\s*[:=為是]?\s*[(\[【]?\s*(?P<units>(?:(?!單位|幣別)[^。;)\]】]){1,40})"
)
_COUNTED_IN = re.compile(r"以\s*(?P<units>[^,。;以]{1,12}?)\s*(?:為單位|計|表示|列示)")
_BRACKETED = re.compile(r"[(\[【]\s*(?P<units>[^()\[\]【】]{1,20})\s*[)\]】]")
_SEPARATORS = re.compile(r"[、,/|;及和與\s]+")
LINE_LENGTH = 200  # characters of a line in which a unit is looked for


def scale_of(token: str) -> int | None:
    """Dollars that 1 stands for under the unit `token` (NFKC, lower case, without white space); None if it is none."""
    found = _TOKEN.fullmatch(token) if token else None
    if found is None:
        return None
    return _SCALES.get(next(filter(None, found.groups()), ""))


@dataclass(frozen=True)
class Stated:
    """A line that states the unit of money: `where` it is, `scale` dollars; None if it cannot be heeded."""

    where: str
    line: str
    scale: int | None


def stated(lines: Iterable[tuple[str, Any]]) -> list[Stated]:
    """The units that `lines`, pairs of place and cell, state."""
    found = []
    for where, cell in lines:
        if isinstance(cell, str) and 1 < len(cell) <= LINE_LENGTH:
            line = " ".join(cell.split())
            found += [Stated(where, line, scale) for scale in _scales(unicodedata.normalize("NFKC", line).lower())]
    return found


def _scales(line: str) -> list[int | None]:
    """Each scale in one line; None for a unit that is not of New Taiwan dollars, or of pieces by the thousand."""
    scales: list[int | None] = []
    for found in (*_STATED.finditer(line), *_COUNTED_IN.finditer(line)):
        for unit in _SEPARATORS.split(found["units"]):
            scale = scale_of(unit)
            if scale is not None:
                # The currency alone (NT$) does not say whether amounts are counted by the dollar.
                scales += [scale] if scale > 1 or unit.endswith(("元", "圓", "整")) else []
            elif _FOREIGN.match(unit) or _MANY_PIECES.match(unit):
                scales.append(None)
            elif unit and unit not in "件個組":
                break  # what follows is another statement: 單位：電商部 製表：…
    # Without the word it has to stand alone, or in brackets.
    alone = ["".join(line.strip(" ()[]【】").split())]
    for text in alone + ["".join(found["units"].split()) for found in _BRACKETED.finditer(line)]:
        scale = scale_of(text)
        if (scale is not None and scale > 1) or _FOREIGN.fullmatch(text):
            scales.append(scale)
    return scales


def scale_in_force(found: Sequence[Stated], *, sheet: str, unsure: Sequence[str]) -> Stated | None:
    """The one unit of the report other than dollars, None if amounts are in dollars.

    `unsure` are headers of prices of one piece, which such a report often has in dollars all the same. Raises
    SheetError if the lines contradict each other, or it is not known what the unit applies to.
    """
    for each in found:
        if each.scale is None or (each.scale > 1 and unsure):
            raise unsure_unit(each, sheet, unsure if each.scale else ())
    scales = {each.scale for each in found}
    if len(scales) > 1:
        raise unsure_unit(next(each for each in found if each.scale != 1), sheet)
    return found[0] if scales and scales != {1} else None


def refuse_mixed_units(sheet: str, scales: Mapping[str, int]) -> None:
    """Raise SheetError if some headers of amounts state a unit other than dollars and others none (0)."""
    large = [header for header, scale in scales.items() if scale > 1]
    bare = [header for header, scale in scales.items() if not scale]
    if large and bare:
        raise SheetError(
            f"工作表「{sheet}」的「{large[0]}」註明了單位，「{'、'.join(bare)}」沒有，無法確定是不是元；"
            f"請在標題註明，例如 {bare[0]}(元)。"
        )


def unsure_unit(line: Stated, sheet: str, columns: Sequence[str] = ()) -> SheetError:
    """The error for a line whose unit cannot be heeded, of `columns` or of all amounts."""
    of = f"「{'、'.join(columns)}」" if columns else "金額"
    return SheetError(
        f"工作表「{sheet}」{line.where}寫著「{line.line[:60]}」，無法確定{of}的單位；"
        "請在欄位標題註明，例如 業績(千元)、售價(元)，或改成以新台幣元為單位再匯入。"
    )

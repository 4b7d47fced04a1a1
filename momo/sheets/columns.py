"""Matches the columns of a report to fields by their headers.

Headers are compared after NFKC, without white space and bracketed suffixes; see `normalised`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from openpyxl.utils import get_column_letter

from momo.sheets.errors import DuplicateColumn, SheetError

HEADER_ROWS = 10  # the header is in one of the first rows
NUMBER_HEADING = "原列號"  # header of the original row numbers in a file of only bad rows (`marks`)
HEADER_LENGTH = 100  # characters; longer text is a note, too long for the patterns below

# Headers of personal data in momo's exports (names, addresses, ids). They match no field, even with an alias, so that
# no such cell is stored or shown.
_PERSONAL = re.compile(r"(?:收件人|收貨人|訂購人|購買人).*|.*(?:個人識別碼|身[分份]證).*|貨運公司(?:出貨|回收)地址.*")


class Kind(StrEnum):
    """The type of a column's cells."""

    DATE = "date"
    MONEY = "money"  # New Taiwan dollars with cents, may be negative
    INTEGER = "integer"
    CODE = "code"  # text with significant leading zeros; "123.0" is 123
    TEXT = "text"


@dataclass(frozen=True)
class Field:
    """A column that an importer reads; `aliases` are its headers, the best first."""

    name: str
    label: str
    kind: Kind
    aliases: tuple[str, ...]
    required: bool = False
    max_length: int = 200


@dataclass(frozen=True)
class Matched:
    """The columns found: `columns` is field name → column index, `headers` is field name → header as written.

    `unknown` are headers that match no field, in order; `missing` are labels of required fields without a column.
    """

    row: int  # of the header, 0-based
    columns: Mapping[str, int]
    headers: Mapping[str, str]
    unknown: Sequence[str] = field(default_factory=list)
    missing: Sequence[str] = field(default_factory=list)
    spare: Sequence[tuple[str, str]] = ()  # (field name, header) of further columns of a field


_SUFFIX = re.compile(r"[(\[【〔｛{<].*?[)\]】〕｝}>]$")
# A suffix that changes the meaning of a header: a share, a target, another period, unit or currency. Such a header does
# not match the field. Suffixes such as tax (含稅), 元, 件 and NT$ change nothing.
_MEANINGFUL = re.compile(
    r"[%‰千仟萬億率]|[占佔]比|比[例重]|達成|成長|增減|[增降漲跌]幅|差[異額]|排名|名次|平均|均價|單價|單件|每[件個單]|元/"
    r"|目標|預[算估測計期定]|計[畫劃]|去年|前年|昨|[上前]一?個?[日天月週周季年期]|同期|同比|環比|歷[史年]"
    r"|累[計積]|[本當全][月季年]|[年季月]度|美[元金]|人民幣|日[圓元幣]|港[幣元]|歐元|外幣"
    r"|us\$|usd|rmb|cny|jpy|hkd|eur|yoy|qoq|ytd|mtd|last|prev|target|budget|forecast|average|avg|thousand|million"
    r"|^.(?:[km]元?|mom|退|退貨|退款|取消|贈|贈品)(?:數|數量|量|金額|額)?.$"
)
_SPACES = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")


def _whole(header: Any) -> str:
    """NFKC, lower case, without white space."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", str(header))).lower()


def normalised(header: Any) -> str:
    """A header in the form for comparison: NFKC, lower case, without white space and one bracketed suffix."""
    text = _whole(header)
    return _SUFFIX.sub("", text) or text


def _without_bracket(whole: str) -> str | None:
    """A header of `_whole` without its suffix; None if the suffix changes the meaning."""
    suffix = _SUFFIX.search(whole)
    if suffix is None or not suffix.start():
        return whole
    return None if _MEANINGFUL.search(suffix[0]) else whole[: suffix.start()]


def is_personal(header: Any) -> bool:
    """Whether a column with this header holds personal data, which is never read."""
    return _PERSONAL.fullmatch(_whole(str(header)[:HEADER_LENGTH])) is not None


def match(
    rows: Sequence[Sequence[Any]], fields: Iterable[Field], aliases: Mapping[str, Sequence[str]] | None = None
) -> Matched | None:
    """Find the header among the first HEADER_ROWS of `rows` and match its columns to `fields`.

    `aliases` are the headers added by staff, by field name. Returns the row with the most fields (the first of equals),
    or None if no row has two. If different headers match one field, the one first in its aliases counts. Raises
    DuplicateColumn if two columns have the same header of a field, and SheetError for our own list of bad rows, which
    would replace whole days.

    A header over two rows (merged cells: a group's title, its columns below) counts as the lower row. An exact match,
    suffix included, is better than a match without the suffix. A suffix that changes the meaning (千元, 占比, 去年同期)
    makes a header unknown, unless an alias has exactly this text.
    """
    fields = list(fields)
    known = _known(fields, aliases or {})
    top = rows[:HEADER_ROWS]
    most = 1
    best: tuple[int, Sequence[Any]] | None = None
    for number, row in enumerate(top):
        headers = [(number, row)]
        if number + 1 < len(top) and (both := _merged(row, top[number + 1], known)):
            headers.append((number + 1, both))
        for place, cells in headers:
            found = len({claim[0] for cell in cells if (claim := _claim(cell, known)) is not None})
            if found > most:
                most, best = found, (place, cells)
    if best is None:
        return None
    if any(cell == NUMBER_HEADING for row in top for cell in row):
        raise SheetError(f"這是錯誤清單（有「{NUMBER_HEADING}」欄），只含有錯的列；請在原檔修正後重新上傳。")
    return _matched(*best, fields, known)


@dataclass(frozen=True)
class _Known:
    """Header → (field name, rank among its aliases), for exact headers and for headers without suffix."""

    exact: Mapping[str, tuple[str, int]]
    loose: Mapping[str, tuple[str, int]]


def _known(fields: Sequence[Field], aliases: Mapping[str, Sequence[str]]) -> _Known:
    exact: dict[str, tuple[str, int]] = {}
    loose: dict[str, tuple[str, int]] = {}
    # Aliases of staff take precedence over built-in aliases, also those of another field.
    for by_staff in (True, False):
        for each in fields:
            own = aliases.get(each.name, ()) if by_staff else each.aliases
            for rank, alias in enumerate(own, start=len(each.aliases) if by_staff else 0):
                exact.setdefault(_whole(alias), (each.name, rank))
    for text, claim in exact.items():
        short = _without_bracket(text)
        if short is not None:
            # An exact alias takes precedence over another field's alias without suffix.
            loose.setdefault(short, exact.get(short, claim))
    return _Known(exact, loose)


def _claim(cell: Any, known: _Known) -> tuple[str, tuple[int, int]] | None:
    """The field of a header, and how good the match is (smaller is better): (0 if exact else 1, rank of the alias)."""
    if not isinstance(cell, str) or not cell or len(cell) > HEADER_LENGTH or is_personal(cell):
        return None
    whole = _whole(cell)
    exact = known.exact.get(whole)
    if exact is not None:
        return exact[0], (0, exact[1])
    short = _without_bracket(whole)
    loose = None if short is None else known.loose.get(short)
    return None if loose is None else (loose[0], (1, loose[1]))


def _merged(upper: Sequence[Any], lower: Sequence[Any], known: _Known) -> list[Any] | None:
    """Two rows as one header; None if the lower has text below a column that matches a field already."""
    if any(below not in ("", None) and _claim(above, known) for above, below in zip(upper, lower, strict=False)):
        return None
    return [above if below in ("", None) else below for above, below in zip_longest(upper, lower, fillvalue="")]


def _matched(row: int, cells: Sequence[Any], fields: Sequence[Field], known: _Known) -> Matched:
    claims = [(index, *claim) for index, cell in enumerate(cells) if (claim := _claim(cell, known)) is not None]
    columns: dict[str, int] = {}
    for each in fields:
        ranks = {index: rank for index, name, rank in claims if name == each.name}
        places = [index for index, rank in ranks.items() if rank == min(ranks.values())]
        if len(places) > 1:
            where = "、".join(get_column_letter(index + 1) for index in places)
            raise DuplicateColumn(
                f"第 {row + 1} 列有 {len(places)} 個「{shown(cells[places[0]])}」欄（{where}），無法判斷要用哪一欄；"
                "請刪除或改名多出來的欄再匯入。"
            )
        if places:
            columns[each.name] = places[0]
    return Matched(
        row=row,
        columns=columns,
        headers={name: shown(cells[index]) for name, index in columns.items()},
        unknown=[shown(cell)[:HEADER_LENGTH] for cell in cells if shown(cell) and _claim(cell, known) is None],
        missing=[each.label for each in fields if each.required and each.name not in columns],
        spare=[(name, shown(cells[index])) for index, name, _ in claims if columns[name] != index],
    )


def shown(header: Any) -> str:
    """A header as it is shown: on one line."""
    return " ".join(str(header).split()) if header is not None else ""

"""Which column of a report is which: fields that a report has, and headers that mean them.

Headers are compared after NFKC, without spaces, line breaks and bracketed suffixes; see `normalised`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from momo.sheets.errors import DuplicateColumn, SheetError

HEADER_ROWS = 10  # the header stands in one of the first so many rows
NUMBER_HEADING = "原列號"  # heads the original rows' numbers where a file comes back with its bad rows only
HEADER_LENGTH = 100  # letters; what is longer is a note, and none for the patterns below to search through

# People's names, addresses and identity in momo's exports: never read, whatever an alias says, so that no such cell
# gets into a table, an error or a page.
_PERSONAL = re.compile(r"(?:收件人|收貨人|訂購人|購買人).*|.*(?:個人識別碼|身[分份]證).*|貨運公司(?:出貨|回收)地址.*")


class Kind(StrEnum):
    """What a column's cells are."""

    DATE = "date"
    MONEY = "money"  # New Taiwan dollars to the cent, negative too
    INTEGER = "integer"
    CODE = "code"  # text whose leading zeros count; "123.0" is 123
    TEXT = "text"


@dataclass(frozen=True)
class Field:
    """A column that an importer knows: `aliases` are headers for it, the most telling first."""

    name: str
    label: str
    kind: Kind
    aliases: tuple[str, ...]
    required: bool = False
    max_length: int = 200


@dataclass(frozen=True)
class Matched:
    """Where the fields stand: `columns` is field name → column index, `headers` field name → header as written.

    `unknown` are headers that no field has (in order), `missing` the labels of required fields without a column.
    """

    row: int  # of the header, 0-based
    columns: Mapping[str, int]
    headers: Mapping[str, str]
    unknown: Sequence[str] = field(default_factory=list)
    missing: Sequence[str] = field(default_factory=list)
    spare: Sequence[tuple[str, str]] = ()  # (field name, header) of columns of a field that has a better one


_SUFFIX = re.compile(r"[(\[【〔｛{<].*?[)\]】〕｝}>]$")
# What makes another figure of the one before the bracket: a share, a target, another time, unit or currency. So no
# header of the figure; tax (含稅), 元, 件, NT$ and the like leave it what it is.
_TELLING = re.compile(
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
    """A header as it is compared: NFKC, lower case, without white space and one bracketed suffix."""
    text = _whole(header)
    return _SUFFIX.sub("", text) or text


def _without_bracket(whole: str) -> str | None:
    """What a header (as `_whole` gives it) means by itself; None when its bracket makes it mean something else."""
    suffix = _SUFFIX.search(whole)
    if suffix is None or not suffix.start():
        return whole
    return None if _TELLING.search(suffix[0]) else whole[: suffix.start()]


def is_personal(header: Any) -> bool:
    """Whether a column of that name holds personal data, which is never read."""
    return _PERSONAL.fullmatch(_whole(str(header)[:HEADER_LENGTH])) is not None


def match(
    rows: Sequence[Sequence[Any]], fields: Iterable[Field], aliases: Mapping[str, Sequence[str]] | None = None
) -> Matched | None:
    """Find the header among the first HEADER_ROWS of `rows` and match its columns to `fields`.

    `aliases` are further headers by field name (those of staff). Returns the row with the most fields (the first of
    equals), or None when no row has at least two. Raises DuplicateColumn when two columns have the same header of a
    field; of different headers of one field the one that stands first in its aliases counts. Headers of personal data
    are unknown ones. Raises SheetError for our own list of bad rows, which would take the place of whole days.

    A header over two rows (merged cells: a group's title, its columns below) counts as the lower of the two. A column
    whose header is an alias to the letter, bracket included, goes before one that is so only without the bracket. A
    bracket that changes what is meant (千元, 占比, 去年同期) makes a header unknown, unless that very text is an alias.
    """
    fields = list(fields)
    known = _known(fields, aliases or {})
    best: tuple[int, int, list[Any]] | None = None
    for number in range(min(HEADER_ROWS, len(rows))):
        cells = list(rows[number])
        claims = {index for index, cell in enumerate(cells) if _claim(cell, known)}
        if best is None or len(_fields(cells, known)) > best[0]:
            best = (len(_fields(cells, known)), number, cells)
        if number + 1 < min(HEADER_ROWS, len(rows)):
            both = _merged(cells, rows[number + 1], claims)
            if both is not None and len(_fields(both, known)) > best[0]:
                best = (len(_fields(both, known)), number + 1, both)
    if best is None or best[0] < 2:
        return None
    if any(cell == NUMBER_HEADING for row in rows[:HEADER_ROWS] for cell in row):
        raise SheetError(f"這是錯誤清單（有「{NUMBER_HEADING}」欄），只含有錯的列；請在原檔修正後重新上傳。")
    return _matched(best[1], best[2], fields, known)


@dataclass(frozen=True)
class _Known:
    """Header as compared → (field name, rank among its aliases): to the letter, and without its bracket."""

    exact: Mapping[str, tuple[str, int]]
    loose: Mapping[str, tuple[str, int]]


def _known(fields: Sequence[Field], aliases: Mapping[str, Sequence[str]]) -> _Known:
    exact: dict[str, tuple[str, int]] = {}
    loose: dict[str, tuple[str, int]] = {}
    # What staff have taught says which field a header is, even where a field has it from the start.
    for taught in (True, False):
        for each in fields:
            own = aliases.get(each.name, ()) if taught else each.aliases
            for rank, alias in enumerate(own, start=len(each.aliases) if taught else 0):
                exact.setdefault(_whole(alias), (each.name, rank))
    for text, claim in exact.items():
        short = _without_bracket(text)
        if short is not None:
            # An alias that is so to the letter says more of its field than another's whose bracket is dropped.
            loose.setdefault(short, exact.get(short, claim))
    return _Known(exact, loose)


def _claim(cell: Any, known: _Known) -> tuple[str, tuple[int, int]] | None:
    """The field that a header is, and how sure (smaller is surer): whether to the letter, then rank of the alias."""
    if not isinstance(cell, str) or not cell or len(cell) > HEADER_LENGTH or is_personal(cell):
        return None
    whole = _whole(cell)
    exact = known.exact.get(whole)
    if exact is not None:
        return exact[0], (0, exact[1])
    short = _without_bracket(whole)
    loose = None if short is None else known.loose.get(short)
    return None if loose is None else (loose[0], (1, loose[1]))


def _fields(cells: Sequence[Any], known: _Known) -> set[str]:
    return {claim[0] for claim in (_claim(cell, known) for cell in cells) if claim is not None}


def _merged(upper: Sequence[Any], lower: Sequence[Any], claims: set[int]) -> list[Any] | None:
    """Two rows as one header, unless the lower says something below a column that is known already."""
    if any(index in claims and cell not in ("", None) for index, cell in enumerate(lower)):
        return None
    width = max(len(upper), len(lower))
    pad = [*upper, *[""] * (width - len(upper))]
    return [below if below not in ("", None) else above for above, below in zip_longest(pad, lower, fillvalue="")]


def _matched(row: int, cells: Sequence[Any], fields: Sequence[Field], known: _Known) -> Matched:
    columns: dict[str, int] = {}
    certainty: dict[str, tuple[int, int]] = {}
    twice: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        claim = _claim(cell, known)
        if claim is None:
            continue
        name, sure = claim
        if name not in columns or sure < certainty[name]:
            columns[name], certainty[name], twice[name] = index, sure, [index]
        elif sure == certainty[name]:
            twice[name].append(index)
    for places in twice.values():
        if len(places) > 1:
            where = "、".join(letters(index) for index in places)
            raise DuplicateColumn(
                f"第 {row + 1} 列有 {len(places)} 個「{shown(cells[places[0]])}」欄（{where}），無法判斷要用哪一欄；"
                "請刪除或改名多出來的欄再匯入。"
            )
    order = [each.name for each in fields if each.name in columns]
    return Matched(
        row=row,
        columns={name: columns[name] for name in order},
        headers={name: shown(cells[columns[name]]) for name in order},
        unknown=[shown(cell)[:HEADER_LENGTH] for cell in cells if shown(cell) and _claim(cell, known) is None],
        missing=[each.label for each in fields if each.required and each.name not in columns],
        spare=[
            (claim[0], shown(cell))
            for index, cell in enumerate(cells)
            if (claim := _claim(cell, known)) is not None and columns[claim[0]] != index
        ],
    )


def shown(header: Any) -> str:
    """A header as people see it: on one line."""
    return " ".join(str(header).split()) if header is not None else ""


def letters(index: int) -> str:
    """The spreadsheet's name of a column, from its 0-based index: 0 is A, 26 is AA."""
    text = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        text = chr(65 + digit) + text
    return text

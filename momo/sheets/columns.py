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

from momo.sheets.areas import Area
from momo.sheets.errors import DuplicateColumn, SheetError
from momo.sheets.units import scale_of

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
    """A column that an importer reads; `aliases` are its headers, the best first.

    `per_piece` is money for one piece, which is still to be multiplied: fractions of a cent count.
    """

    name: str
    label: str
    kind: Kind
    aliases: tuple[str, ...]
    required: bool = False
    max_length: int = 200
    per_piece: bool = False


@dataclass(frozen=True)
class Matched:
    """The columns found: `columns` is field name → column index, `headers` is field name → header as written.

    `unknown` are headers that match no field, in order; `missing` are labels of required fields without a column.
    `scales` is field name → dollars that 1 stands for, where the header says so. Cells from column `width` on have no
    header.
    """

    row: int  # of the header, 0-based
    columns: Mapping[str, int]
    headers: Mapping[str, str]
    unknown: Sequence[str] = field(default_factory=list)
    missing: Sequence[str] = field(default_factory=list)
    spare: Sequence[tuple[str, str]] = ()  # (field name, header) of further columns of a field
    scales: Mapping[str, int] = field(default_factory=dict)
    width: int = 0


_NUMBER = re.compile(r"[\d\s.,:/年月日$%+-]+")
_SUFFIX = re.compile(r"[(\[【〔｛{<].*?[)\]】〕｝}>]$")
# A suffix that changes the meaning of a header: a share, a target, another period, unit or currency. Such a header does
# not match the field.
_MEANINGFUL = re.compile(
    r"[%‰千仟萬億率]|[占佔]比|比[例重]|達成|成長|增減|[增降漲跌]幅|差[異額]|排名|名次|平均|均價|單價|單件|每[件個單]|元/"
    r"|目標|預[算估測計期定]|計[畫劃]|去年|前年|昨|[上前]一?個?[日天月週周季年期]|同期|同比|環比|歷[史年]"
    r"|累[計積]|[本當全][月季年]|[年季月]度|近\d+|過去|美[元金]|人民幣|日[圓元幣]|港[幣元]|歐元|外幣"
    r"|us\$|usd|rmb|cny|jpy|hkd|eur|yoy|qoq|wow|dod|[ymwq]td|last|prev|target|budget|forecast|average|avg|thousand"
    r"|million|^.(?:[km]元?|mom|退|退貨|退款|取消|贈|贈品)(?:數|數量|量|金額|額)?.$"
)
# Of figures only a suffix that is known to change nothing may be left out: there are too many others (近30天, 會員).
_HARMLESS = re.compile(
    r"\$|[含未免]稅|[不未]含稅|稅[前後外內]|[不未]?含運費?|單位|金額|件|個|組|盒|瓶|包|支|台|件數|數量|pcs?|ea|筆"
    r"|必填|選填|中文|英文|momo|今年|[本當今]日|當天|每日|日|實際|實銷|實售|淨額|年/月/日|y+/m+/d+|\d{1,2}"
    r"|[a-jlnp-z](?:[-+*/=×÷][a-z])*",
)
_TOKENS = re.compile(r"[()\[\]【】〔〕{}<>,、;:|]+")
_FIGURES = frozenset({Kind.MONEY, Kind.INTEGER})
_SPACES = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")


def _whole(header: Any) -> str:
    """NFKC, lower case, without white space."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", str(header))).lower()


def normalised(header: Any) -> str:
    """A header in the form for comparison: NFKC, lower case, without white space and one bracketed suffix."""
    text = _whole(header)
    return _SUFFIX.sub("", text) or text


def _split(whole: str) -> tuple[str, str]:
    """A header of `_whole` without its bracketed suffix, and the suffix."""
    suffix = _SUFFIX.search(whole)
    return (whole[: suffix.start()], suffix[0]) if suffix is not None and suffix.start() else (whole, "")


def _suffix_scale(suffix: str, kind: Kind) -> int | None:
    """Dollars that 1 stands for in a column with this suffix, 0 if it states no unit; None if the meaning changes."""
    if kind not in _FIGURES:
        return None if suffix and _MEANINGFUL.search(suffix) else 0
    if re.search(r"元/", suffix):
        return None
    scales = set()
    for token in filter(None, _TOKENS.split(suffix)):
        scale = scale_of(token)
        if scale is not None:
            scales.add(scale)
        elif not _HARMLESS.fullmatch(token):
            return None
    if len(scales) > 1 or (kind is Kind.INTEGER and max(scales, default=1) > 1):
        return None
    return scales.pop() if scales else 0


def is_personal(header: Any) -> bool:
    """Whether a column with this header holds personal data, which is never read."""
    return _PERSONAL.fullmatch(_whole(str(header)[:HEADER_LENGTH])) is not None


def match(
    rows: Sequence[Sequence[Any]],
    fields: Iterable[Field],
    aliases: Mapping[str, Sequence[str]] | None = None,
    merged: Sequence[Area] = (),
) -> Matched | None:
    """Find the header among the first HEADER_ROWS of `rows` and match its columns to `fields`.

    `aliases` are the headers added by staff, by field name, `merged` the merged areas of the sheet. Returns the row
    with the most fields (the first of equals), or None if no row has two. If different headers match one field, the one
    first in its aliases counts. Raises DuplicateColumn if two columns have the same header of a field, and SheetError
    for our own list of bad rows, which would replace whole days.

    A header over two rows (merged cells: a group's title, its columns below) counts as the lower row. An exact match,
    suffix included, is better than a match without the suffix. A suffix that changes the meaning (占比, 近30天)
    makes a header unknown, unless an alias has exactly this text; so does a group's title of that kind above it.
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
            found = len({claim.name for cell in cells if (claim := _claim(cell, known)) is not None})
            if found > most:
                most, best = found, (place, cells)
    if best is None:
        return None
    if any(cell == NUMBER_HEADING for row in top for cell in row):
        raise SheetError(f"這是錯誤清單（有「{NUMBER_HEADING}」欄），只含有錯的列；請在原檔修正後重新上傳。")
    place, cells = best
    claims = [_claim(cell, known) for cell in cells]
    kinds = [None if claim is None else known.kinds[claim.name] for claim in claims]
    others = columns_of_other_figures(top[:place], kinds, merged)
    return _matched(place, cells, [None if at in others else claim for at, claim in enumerate(claims)], fields, others)


@dataclass(frozen=True)
class _Known:
    """Header → (field name, rank among its aliases), for exact headers and for headers without suffix."""

    exact: Mapping[str, tuple[str, int]]
    loose: Mapping[str, tuple[str, int]]
    kinds: Mapping[str, Kind]


@dataclass(frozen=True)
class _Claim:
    """The field of a header, how good the match is (smaller is better), and the unit in its suffix."""

    name: str
    rank: tuple[int, int]  # (0 if exact else 1, rank of the alias)
    scale: int = 0


def _known(fields: Sequence[Field], aliases: Mapping[str, Sequence[str]]) -> _Known:
    exact: dict[str, tuple[str, int]] = {}
    loose: dict[str, tuple[str, int]] = {}
    # Aliases of staff take precedence over built-in aliases, also those of another field.
    for by_staff in (True, False):
        for each in fields:
            own = aliases.get(each.name, ()) if by_staff else each.aliases
            for rank, alias in enumerate(own, start=len(each.aliases) if by_staff else 0):
                exact.setdefault(_whole(alias), (each.name, rank))
    kinds = {each.name: each.kind for each in fields}
    for text, claim in exact.items():
        short, suffix = _split(text)
        if _suffix_scale(suffix, kinds[claim[0]]) is not None:
            # An exact alias takes precedence over another field's alias without suffix.
            loose.setdefault(short, exact.get(short, claim))
    return _Known(exact, loose, kinds)


def _claim(cell: Any, known: _Known) -> _Claim | None:
    """The field of a header, None for a header of none."""
    if not isinstance(cell, str) or not cell or len(cell) > HEADER_LENGTH or is_personal(cell):
        return None
    whole = _whole(cell)
    short, suffix = _split(whole)
    exact = known.exact.get(whole)
    if exact is not None:
        return _Claim(exact[0], (0, exact[1]), _suffix_scale(suffix, known.kinds[exact[0]]) or 0)
    loose = known.loose.get(short)
    scale = None if loose is None else _suffix_scale(suffix, known.kinds[loose[0]])
    return None if loose is None or scale is None else _Claim(loose[0], (1, loose[1]), scale)


def _merged(upper: Sequence[Any], lower: Sequence[Any], known: _Known) -> list[Any] | None:
    """Two rows as one header; None if the lower has text below a column that matches a field already."""
    if any(below not in ("", None) and _claim(above, known) for above, below in zip(upper, lower, strict=False)):
        return None
    return [above if below in ("", None) else below for above, below in zip_longest(upper, lower, fillvalue="")]


def _matched(
    row: int,
    cells: Sequence[Any],
    claims: Sequence[_Claim | None],
    fields: Sequence[Field],
    others: Mapping[int, str],
) -> Matched:
    """The columns of the header `cells`; `others` is column → title of the group of other figures that it is in."""
    columns: dict[str, int] = {}
    for each in fields:
        ranks = {index: claim.rank for index, claim in enumerate(claims) if claim and claim.name == each.name}
        places = [index for index, rank in ranks.items() if rank == min(ranks.values())]
        if len(places) > 1:
            where = "、".join(get_column_letter(index + 1) for index in places)
            raise DuplicateColumn(
                f"第 {row + 1} 列有 {len(places)} 個「{shown(cells[places[0]])}」欄（{where}），無法判斷要用哪一欄；"
                "請刪除或改名多出來的欄再匯入。"
            )
        if places:
            columns[each.name] = places[0]
    texts = [f"{others[index]}／{shown(cell)}" if index in others else shown(cell) for index, cell in enumerate(cells)]
    scales = {name: claim.scale for name, index in columns.items() if (claim := claims[index]) and claim.scale}
    return Matched(
        row=row,
        columns=columns,
        headers={name: shown(cells[index]) for name, index in columns.items()},
        unknown=[
            texts[index][:HEADER_LENGTH] for index, cell in enumerate(cells) if shown(cell) and claims[index] is None
        ],
        missing=[each.label for each in fields if each.required and each.name not in columns],
        spare=[
            (claim.name, shown(cells[index]))
            for index, claim in enumerate(claims)
            if claim is not None and columns[claim.name] != index
        ],
        scales=scales,
        width=max((index + 1 for index, cell in enumerate(cells) if shown(cell)), default=0),
    )


# --- Groups ----------------------------------------------------------------------------------------------------------

_OTHER_FIGURES = re.compile(
    r"去年|前年|上年|昨|[上前]一?個?[日天月週周季年期]|同期|同比|環比|歷[史年]|累[計積]|[本當全][月季年]|近\d+|過去\d+"
    r"|目標|預[算估測計期定]|計[畫劃]|達成|成長|增減|差異|[占佔]比|平均|yoy|qoq|wow|[ymwq]td|last|prev|target|budget|forecast"
)
_REPORT_TITLE = re.compile(r"表|日報|週報|月報|明細|單位|日期|期間|時間")
_GROUP_LENGTH = 20


def is_title_of_other_figures(cell: Any) -> bool:
    """Whether a cell above a header says that the figures below are not the day's."""
    if not isinstance(cell, str) or not 1 < len(cell) <= _GROUP_LENGTH:
        return False
    text = _whole(cell)
    return bool(_OTHER_FIGURES.search(text)) and not _REPORT_TITLE.search(text)


def columns_of_other_figures(
    above: Sequence[Sequence[Any]], kinds: Sequence[Kind | None], merged: Sequence[Area]
) -> dict[int, str]:
    """Columns below a group's title of other figures than the day's (去年同期, 累計) → the title.

    `above` are the rows above the header, `kinds` the kinds of its columns, None for unknown ones. A title stands over
    its merged cells; in a row without such, over what follows up to the next title or a column that is no figure. It
    never stands over a date, a code or a name: that is a title of the report.
    """
    found: dict[int, str] = {}
    for row, cells in enumerate(above):
        titles = [column for column, cell in enumerate(cells) if is_title_of_other_figures(cell)]
        if not titles:
            continue
        wide = {area.left: area.right for area in merged if area.top == row and area.right > area.left}
        for column in titles:
            if column in wide:
                end = wide[column] + 1
            elif wide:
                end = column + 1
            else:
                end = next((at for at in range(column + 1, len(cells)) if shown(cells[at])), len(kinds))
            below = range(column, min(end, len(kinds)))
            if column in wide and any(kinds[at] not in _FIGURES and kinds[at] is not None for at in below):
                continue
            for at in below:
                if kinds[at] is not None and kinds[at] not in _FIGURES:
                    break
                found[at] = shown(cells[column])
    return found


def shown(header: Any) -> str:
    """A header as it is shown: on one line."""
    return " ".join(str(header).split()) if header is not None else ""


def likely_headers(tops: Sequence[Sequence[Sequence[Any]]]) -> list[str]:
    """Return the texts of the row that looks most like a header, of the first rows of each sheet: that with most texts.

    For a file in which no header matches; texts of personal data are left out.
    """
    best: list[str] = []
    for row in (row for top in tops for row in top):
        texts = [shown(cell) for cell in row if isinstance(cell, str) and shown(cell) and len(cell) <= HEADER_LENGTH]
        texts = list(dict.fromkeys(text for text in texts if not _NUMBER.fullmatch(text) and not is_personal(text)))
        if len(texts) > len(best):
            best = texts
    return best

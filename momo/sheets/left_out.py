"""Finds the rows of a report that are not data: empty ones, totals, repeated headers, lines such as 製表人 or 第 2 頁.

A row that is left out is named, unless it is empty or the header again; a row with a code and an amount never is one of
the lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from momo.sheets import values
from momo.sheets.columns import Field, Kind, Matched
from momo.sheets.columns import shown as header_text
from momo.sheets.notes import Note

# Of a whole cell (11月合計, 小計：, Grand Total), so that a product with such a word in its name stays.
_TOTAL = re.compile(
    r".{0,20}(?:合計|總計|小計|總和|加總|累[計積]|總[數額])[::]?(?:\(.*\)|共?[\d,]+[筆列項])?"
    r"|共計?[\d,]+[筆列項件][::]?|(?:grand|sub)?-?totals?[::]?",
    re.IGNORECASE,
)
# What the first cell of a line begins with that programs and people write around the data.
_LINE = re.compile(
    r"[-~]\d{1,4}[-~]$|[-=*※#~_.。:\[(【「<>/\s]*+"
    r"(?:製表|制表|列印|印表|填表|製單|審核|覆核|複核|核准|核定|主管|經辦|承辦|會計|簽[章名核]|報表(?:日期|時間|編號|說明)"
    r"|以下空白|以下無|資料結束|結束$|以上(?:資料|共|為)|第\d+頁|共\d+頁|頁[次碼尾]|本頁|接(?:上|下|次)頁|續(?:上|下|次)頁"
    r"|共計?[\d,]+[筆列項件頁]|筆數|備註|附註|註\d*[.:、]|說明[:]|資料(?:來源|時間|日期|期間)|本(?:報)?表|本資料|單位[:]"
    r"|幣別|查詢(?:條件|日期|時間)|期間[:]|產生(?:日期|時間)|匯出(?:日期|時間)|下載(?:日期|時間)"
    r"|page\d|p\.\d+(?:/\d+)?$|\d+/\d+頁$|end(?:of)|printed|generated|note[s:]|remark|preparedby|(?:approved|checked)by"
    r"|[-—=*※_~.]{2,}$|$)",
    re.IGNORECASE,
)
NAMED = 5  # rows that a note names
_SHORT = 20  # characters of a cell in a note


def _squeezed(cell: str) -> str:
    return "".join(unicodedata.normalize("NFKC", cell).split())


def _is_total(cell: Any) -> bool:
    if cell.__class__ is not str or len(cell) > 60:
        return False
    return _TOTAL.fullmatch(_squeezed(cell)) is not None


def is_blank(cell: Any) -> bool:
    """Whether nothing can be seen in the cell."""
    return cell is None or (isinstance(cell, str) and not values.tidy(cell))


# Text that may be a date, valid or not. A total has other characters; a number of rows has no more than 4 digits.
_is_datelike = re.compile(
    r"(?=\D{0,10}\d)(?!\d{1,4}$)"
    r"[\d\s/.:()+／．：（）－年月日時分秒上下午中華民國星期週一二三四五六ampmtz-]{3,40}",
    re.IGNORECASE,
).fullmatch
_LEAST_SERIAL = 10_000  # serials of accepted days are larger in either epoch; a total counts fewer rows
_is_codelike = re.compile(r"[\w.+ -]*", re.ASCII).fullmatch
_is_count = re.compile(r"\d{1,4}(?:\.0+)?|\W*").fullmatch


def _is_dated(cell: Any) -> bool:
    if cell.__class__ is str:
        return _is_datelike(cell) is not None
    if cell.__class__ in (float, int):
        return cell >= _LEAST_SERIAL
    return cell is not None


def _is_figure(cell: Any) -> bool:
    """Whether a cell of a column of figures has a number, or an error instead of one."""
    if cell.__class__ is not str:
        return cell is not None
    try:
        return values.number_from_text(cell) is not None
    except values.BadCell:
        return False


@dataclass(frozen=True)
class _KeyColumns:
    """Columns that distinguish a total from data; `naming` are all other columns read, whose text may be a name."""

    dates: int | None
    codes: int | None
    names: int | None
    naming: frozenset[int]
    figures: frozenset[int]

    @classmethod
    def of(cls, columns: Mapping[str, int], fields: Sequence[Field]) -> _KeyColumns:
        codes = [each.name for each in fields if each.kind is Kind.CODE]
        code = "product_code" if "product_code" in codes else next(iter(codes), "")
        day = next((each.name for each in fields if each.kind is Kind.DATE), "")
        naming = frozenset(columns[each.name] for each in fields if each.name not in (day, code))
        figures = frozenset(columns[each.name] for each in fields if each.kind in (Kind.MONEY, Kind.INTEGER))
        return cls(columns.get(day), columns.get(code), columns.get("product_name"), naming, figures)

    def suspects(self, rows: Sequence[Sequence[Any]], header: Mapping[int, str]) -> Iterable[int]:
        """Indexes of rows that may not be data, found by their codes and dates."""
        if self.codes is None:
            return range(len(rows))
        again = header[self.codes]
        found = {
            index
            for index, cell in enumerate(map(itemgetter(self.codes), rows))
            if not cell or (cell.__class__ is str and (cell == again or cell.isspace() or not _is_codelike(cell)))
        }
        if self.dates is not None:
            day = itemgetter(self.dates)
            if not set(map(type, map(day, rows))) <= {date, datetime}:
                undated = {cell for cell in set(map(day, rows)) if not _is_dated(cell)}
                if undated:
                    found.update(index for index, cell in enumerate(map(day, rows)) if cell in undated)
        return found

    def is_total(self, row: Sequence[Any]) -> bool:
        """Whether the code is a total's word; or, in a row without a date, the first cell, the date or the name is.

        A name is a total's only in a row without a code, and so is any other text that may be a name, unless the code
        is a number of rows.
        """
        if self.codes is not None and _is_total(row[self.codes]):
            return True
        if self.dates is not None and _is_dated(row[self.dates]):
            return False
        first = _first(row)
        codeless, counted = self._codeless(row)
        return any(
            index is not None and _is_total(row[index]) and (codeless or self._may_total(index, row, counted=counted))
            for index in (first, self.dates, self.names)
        )

    def _codeless(self, row: Sequence[Any]) -> tuple[bool, bool]:
        """Whether a row has no code, and whether it has none or a number of rows."""
        code = None if self.codes is None else row[self.codes]
        text = values.shown(code).strip()
        return not text, _is_count(text) is not None or _is_total(text)

    def _may_total(self, index: int, row: Sequence[Any], *, counted: bool) -> bool:
        """Whether the total's word in column `index` is one although the row has a code. TOTAL is also a brand."""
        if index not in self.naming:
            return True
        if row[index].isascii() or not counted:
            return False
        return index != self.names or not any(sign.isalnum() for sign in values.shown(row[self.codes or 0]))

    def is_line(self, row: Sequence[Any]) -> bool:
        """Whether the row is a line above, below or between the data: it has no figure, and says so itself."""
        first = _first(row)
        if self.dates not in (None, first) and _is_dated(row[self.dates or 0]):
            return False
        cell = "" if first is None else row[first]
        if cell.__class__ is not str or len(cell) > 300 or not _LINE.match(_squeezed(cell)):
            return False
        return not any(_is_figure(row[index]) for index in self.figures)


def _first(row: Sequence[Any]) -> int | None:
    return next((index for index, cell in enumerate(row) if not is_blank(cell)), None)


def rows_left_out(rows: Sequence[Sequence[Any]], matched: Matched, fields: Sequence[Field]) -> dict[int, str]:
    """Index → text of rows that are not data; the text is empty for an empty row and for the header repeated."""
    header = {matched.columns[each.name]: matched.headers[each.name] for each in fields}
    key_columns = _KeyColumns.of(matched.columns, fields)
    found = {}
    for index in key_columns.suspects(rows, header):
        row = rows[index]
        cells = {column: row[column] for column in header}
        again = {column: header_text(cell) if cell.__class__ is str else cell for column, cell in cells.items()}
        if again == header or all(map(_is_no_content, row)):
            found[index] = ""
        elif all(map(is_blank, cells.values())) or key_columns.is_total(row) or key_columns.is_line(row):
            found[index] = _text(row)
    return found


def _is_no_content(cell: Any) -> bool:
    return cell in ("", None) or is_blank(cell)


def _text(row: Sequence[Any]) -> str:
    """The first cells of a row that have text, for the note."""
    texts = [" ".join(values.shown(cell).split()) for cell in row if not is_blank(cell)]
    first = next((text for text in texts if not text.replace(",", "").replace(".", "").isdigit()), texts[0])
    return first[:_SHORT] + ("…" if len(first) > _SHORT else "")


def note_of(left_out: Mapping[int, str], first_row: int) -> list[Note]:
    """The note on the rows that were left out; `first_row` is the spreadsheet's number of index 0."""
    named = [(first_row + index, text) for index, text in sorted(left_out.items()) if text]
    if not named:
        return []
    where = "、".join(f"第 {number:,} 列「{text}」" for number, text in named[:NAMED])
    more = "等" if len(named) > NAMED else ""
    return [Note("不是資料、沒有匯入的列", where + more, len(named), "列")]

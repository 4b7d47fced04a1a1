"""The raw rows of a report as columns of Python values, each checked.

A column at a time, with the cells' exact types as switches and a memo for text that repeats: 100,000 rows of 12
columns take a fraction of what reading them takes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from momo.sheets import values
from momo.sheets.columns import Field, Kind, Matched
from momo.sheets.columns import shown as header_text
from momo.sheets.read import Report
from momo.sheets.values import BadCell, CellError


@dataclass
class Converted:
    """Rows that count, column by column; all columns are as long as `numbers`, the spreadsheet's row numbers.

    Dates are `datetime.date`, money is in cents (int), integers int, codes and text str, empty cells None. A cell that
    could not be read is None and in `errors`: row index, field name, the cell as the user knows it, what is wrong.
    """

    numbers: list[int]
    columns: dict[str, list[Any]]
    errors: list[tuple[int, str, str, str]] = field(default_factory=list)


def convert(report: Report, fields: Iterable[Field]) -> Converted:
    """Check and convert the rows of `report`. Empty rows, totals and repeated headers are dropped."""
    known = [each for each in fields if each.name in report.matched.columns]
    dropped = _not_data(report.rows, report.matched, known)
    if dropped:
        kept = [index for index in range(len(report.rows)) if index not in dropped]
        rows = [report.rows[index] for index in kept]
        numbers = [report.first_row + index for index in kept]
    else:
        rows = report.rows
        numbers = list(range(report.first_row, report.first_row + len(rows)))
    converted = Converted(numbers, {})
    for each in known:
        place = report.matched.columns[each.name]
        converted.columns[each.name], failed = _column(
            list(map(itemgetter(place), rows)), each, date1904=report.date1904
        )
        for index, message in failed:
            raw = values.shown(rows[index][place])
            converted.errors.append((index, each.name, raw, message))
    order = {each.name: position for position, each in enumerate(known)}
    converted.errors.sort(key=lambda error: (error[0], order[error[1]]))
    return converted


# --- Rows that are not data ------------------------------------------------------------------------------------------

# The whole cell, so that a product whose name has such a word in it stays: 11月合計, 小計：, Grand Total.
_TOTAL = re.compile(
    r".{0,20}(?:合計|總計|小計|總和|加總)[::]?(?:\(.*\)|共?[\d,]+[筆列項])?|(?:grand|sub)?-?totals?[::]?", re.IGNORECASE
)


def _is_total(cell: Any) -> bool:
    if cell.__class__ is not str or len(cell) > 60:
        return False
    return _TOTAL.fullmatch("".join(unicodedata.normalize("NFKC", cell).split())) is not None


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not values.tidy(cell))


# Text that may be meant as a date, readable or not: no total's word, which has other letters, and no count of rows.
_is_datelike = re.compile(
    r"(?=\D{0,10}\d)(?!\d{1,4}$)"
    r"[\d\s/.:()+／．：（）－年月日時分秒上下午中華民國星期週一二三四五六ampmtz-]{3,40}",
    re.IGNORECASE,
).fullmatch
_LEAST_SERIAL = 10_000  # below any day that is read, of either epoch, and above what a total row counts
_is_codelike = re.compile(r"[\w.+ -]*", re.ASCII).fullmatch


def _is_dated(cell: Any) -> bool:
    if cell.__class__ is str:
        return _is_datelike(cell) is not None
    if cell.__class__ in (float, int):
        return cell >= _LEAST_SERIAL
    return cell is not None


@dataclass(frozen=True)
class _Telling:
    """The columns that tell a total from data; `naming` are the others that are read, whose text may be a name."""

    dates: int | None
    codes: int | None
    names: int | None
    naming: frozenset[int]

    @classmethod
    def of(cls, columns: Mapping[str, int], fields: Sequence[Field]) -> _Telling:
        codes = [each.name for each in fields if each.kind is Kind.CODE]
        code = "product_code" if "product_code" in codes else next(iter(codes), "")
        day = next((each.name for each in fields if each.kind is Kind.DATE), "")
        naming = frozenset(columns[each.name] for each in fields if each.name not in (day, code))
        return cls(columns.get(day), columns.get(code), columns.get("product_name"), naming)

    def suspects(self, rows: Sequence[Sequence[Any]], header: Mapping[int, str]) -> Iterable[int]:
        """Indexes of rows that may be no data; a look at each code and each date finds them."""
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
                odd = {cell for cell in set(map(day, rows)) if not _is_dated(cell)}
                if odd:
                    found.update(index for index, cell in enumerate(map(day, rows)) if cell in odd)
        return found

    def is_total(self, row: Sequence[Any]) -> bool:
        """Whether a total's word is the code, or in a row without a date is its date or name or stands first."""
        if self.codes is not None and _is_total(row[self.codes]):
            return True
        if self.dates is not None and _is_dated(row[self.dates]):
            return False
        first = next((index for index, cell in enumerate(row) if not _is_blank(cell)), None)
        codeless = self.codes is None or _is_blank(row[self.codes])
        return any(
            index is not None
            and _is_total(row[index])
            # A brand is called TOTAL, but none 合計.
            and (codeless or index not in self.naming or not row[index].isascii())
            for index in (first, self.dates, self.names)
        )


def _not_data(rows: Sequence[Sequence[Any]], matched: Matched, fields: Sequence[Field]) -> set[int]:
    """Indexes of rows that are empty, totals, or the header again (reports that repeat it on each page)."""
    header = {matched.columns[each.name]: matched.headers[each.name] for each in fields}
    telling = _Telling.of(matched.columns, fields)
    dropped = set()
    for index in telling.suspects(rows, header):
        row = rows[index]
        cells = {column: row[column] for column in header}
        if (
            all(map(_is_blank, cells.values()))
            or telling.is_total(row)
            or {place: header_text(cell) if cell.__class__ is str else cell for place, cell in cells.items()} == header
        ):
            dropped.add(index)
    return dropped


# --- Columns ---------------------------------------------------------------------------------------------------------

_From = Callable[[Any], Any]


def _column(raw: Sequence[Any], kind: Field, *, date1904: bool) -> tuple[list[Any], list[tuple[int, str]]]:
    """The values of one column, and what is wrong with which."""
    if kind.kind is Kind.DATE:
        return _dates(raw, date1904=date1904)
    from_text, from_number, wanted = _READERS[kind.kind]
    if kind.kind in (Kind.CODE, Kind.TEXT):
        from_text, from_number = _bounded(from_text, kind), _bounded(from_number, kind)
    return _each(raw, from_text, from_number, wanted)


_READERS: dict[Kind, tuple[_From, _From, str]] = {
    Kind.MONEY: (values.cents_from_text, values.cents_from_number, "金額"),
    Kind.INTEGER: (values.integer_from_text, values.integer_from_number, "整數"),
    Kind.CODE: (values.code_from_text, values.code_from_number, "代號"),
    Kind.TEXT: (values.text_from_text, values.text_from_number, "文字"),
}


def _bounded(read: _From, kind: Field) -> _From:
    """`read`, refusing what is longer than the field."""
    limit = kind.max_length

    def bounded(cell: Any) -> str | None:
        text: str | None = read(cell)
        if text is not None and len(text) > limit:
            raise BadCell(f"「{kind.label}」有 {len(text)} 個字，最多 {limit} 個；請縮短。")
        return text

    return bounded


def _each(raw: Sequence[Any], from_text: _From, from_number: _From, wanted: str) -> tuple[list, list[tuple[int, str]]]:
    done: list[Any] = []
    failed: list[tuple[int, str]] = []
    append = done.append
    # Exact types, since True == 1 == 1.0 and an error is a str: each has a memo of its own.
    texts: dict[str, Any] = {"": None}
    numbers: dict[float, Any] = {}
    for cell in raw:
        cls = cell.__class__
        try:
            if cls is str:
                if cell in texts:
                    append(texts[cell])
                else:
                    texts[cell] = found = from_text(cell)
                    append(found)
            elif cls is float or cls is int:
                if cell in numbers:
                    append(numbers[cell])
                else:
                    numbers[cell] = found = from_number(cell)
                    append(found)
            elif cell is None:
                append(None)
            else:
                values.refuse(cell, wanted)
        except BadCell as error:
            failed.append((len(done), str(error)))
            append(None)
    return done, failed


def _dates(raw: Sequence[Any], *, date1904: bool) -> tuple[list[Any], list[tuple[int, str]]]:
    kinds = set(map(type, raw))
    if kinds == {date} and min(raw) >= values.FIRST_DAY and max(raw) <= values.LAST_DAY:
        return list(raw), []

    def number(cell: float) -> date:
        return values.date_from_number(cell, date1904=date1904)

    done: list[Any] = []
    failed: list[tuple[int, str]] = []
    memo: dict[Any, Any] = {"": None}
    for cell in raw:
        cls = cell.__class__
        try:
            if cls is str or cls is float or cls is int:
                found = memo.get(cell, memo)
                if found is memo:
                    memo[cell] = found = values.date_from_text(cell) if cls is str else number(cell)
                done.append(found)
            elif cls is datetime:
                done.append(values.date_from_day(cell.date()))
            elif cls is date:
                done.append(values.date_from_day(cell))
            elif cell is None:
                done.append(None)
            elif isinstance(cell, (bool, CellError)):
                values.refuse(cell, "日期")
            else:
                raise BadCell(f"儲存格只有時間 {values.shown(cell)}，沒有日期；請填 2026/11/22 這樣的日期。")
        except BadCell as error:
            failed.append((len(done), str(error)))
            done.append(None)
    return done, failed

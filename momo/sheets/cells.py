"""Converts the raw rows of a report to columns of checked Python values.

One column at a time, by the exact type of each cell and with a memo for repeated text and numbers: converting 100,000
rows of 12 columns takes a fraction of the time of reading them.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from operator import itemgetter
from typing import Any

from momo.sheets import values
from momo.sheets.areas import rows_below, spans_of
from momo.sheets.columns import Field, Kind
from momo.sheets.left_out import is_blank, note_of, rows_left_out
from momo.sheets.notes import Note
from momo.sheets.read import Report
from momo.sheets.units import stated, unsure_unit
from momo.sheets.values import BadCell

ERROR_LENGTH = 1000  # characters of a bad cell, and of the message about it, that are kept


@dataclass
class Converted:
    """The rows of data, column by column; all columns are as long as `numbers`, the row numbers in the spreadsheet.

    Dates are `datetime.date`, money is cents (int), integers int, codes and text str, empty cells None. A bad cell is
    None and has an entry in `errors`: row index, field name, the cell as shown, the message. `errors` may be only the
    first ones; `wrong` is field name → a byte for each row, 1 where the cell is bad, of fields with bad cells. `notes`
    are those of the report, and of what was filled, read by custom or left out.
    """

    numbers: list[int]
    columns: dict[str, list[Any]]
    errors: list[tuple[int, str, str, str]] = field(default_factory=list)
    wrong: dict[str, bytearray] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def take(self, name: str, failures: Failures, raw: Sequence[Any]) -> None:
        """Add the bad cells of a column; `raw` are its cells as they were read."""
        if failures.any:
            self.wrong[name] = failures.wrong
        for index, message in failures.first:
            self.errors.append((index, name, values.shown(raw[index])[:ERROR_LENGTH], message))


class Failures:
    """The bad cells of a column: a byte for each row, 1 if it is bad, and index and message of the first ones."""

    def __init__(self, rows: int, kept: int) -> None:
        self.wrong = bytearray(rows)
        self.first: list[tuple[int, str]] = []
        self.kept = kept
        self.any = False

    def add(self, index: int, error: BadCell) -> None:
        """Add a cell, unless it was added before."""
        if self.wrong[index]:
            return
        self.wrong[index] = 1
        self.any = True
        if len(self.first) < self.kept:
            self.first.append((index, str(error)[:ERROR_LENGTH]))


def convert(report: Report, fields: Iterable[Field], *, max_errors: int = sys.maxsize) -> Converted:
    """Convert and check the rows of `report`. Empty rows, totals, repeated headers, lines around the data are dropped.

    Text, codes and dates of merged cells are filled into each of their rows. The first `max_errors` errors are kept, by
    row; memory does not grow with the others. Raises SheetError if a line below the data states another unit of money.
    """
    converted = Converted([], {})
    converted.columns.update(columns_of(report, fields, converted, max_errors=max_errors))
    return converted


def columns_of(
    report: Report, fields: Iterable[Field], converted: Converted, *, max_errors: int
) -> Iterator[tuple[str, list[Any]]]:
    """The columns of `convert` one by one, so that each can be sent while the next is converted.

    All else is put into `converted`: the numbers before the first column, the rest after the last one.
    """
    known = [each for each in fields if each.name in report.matched.columns]
    left_out = {**rows_left_out(report.rows, report.matched, known), **dict.fromkeys(report.skipped, "")}
    kept: Sequence[int] = range(len(report.rows))
    if left_out:
        _check_units(report, left_out)
        kept = [index for index in kept if index not in left_out]
        numbers = [report.first_row + index for index in kept]
    else:
        numbers = list(range(report.first_row, report.first_row + len(report.rows)))
    converted.numbers += numbers
    converted.notes += [*report.notes, *note_of(left_out, report.first_row)]
    areas = spans_of(report.merged, report.first_row - 1)
    filled: dict[str, int] = {}
    for each in known:
        place = report.matched.columns[each.name]
        raw = list(map(itemgetter(place), report.rows))
        refused: Sequence[int] = ()
        if place in areas:
            count, refused = _fill(raw, areas[place], each, left_out)
            if count:
                filled[report.matched.headers[each.name]] = count
        if left_out:
            raw = [raw[index] for index in kept]
        scale = report.matched.scales.get(each.name) or report.unit
        failures = Failures(len(raw), max_errors)
        done = _column(raw, each, date1904=report.date1904, scale=scale, failures=failures)
        _refuse_merged(done.values, each, [bisect_left(kept, row) for row in refused], failures)
        converted.notes += done.notes(report.matched.headers[each.name])
        converted.take(each.name, failures, raw)
        yield each.name, done.values
    if filled:
        converted.notes.append(Note("合併的儲存格已填入各列", "、".join(filled), sum(filled.values())))
    _add_surplus(converted, report, kept, max_errors)
    order = {each.name: position for position, each in enumerate(known)}
    converted.errors.sort(key=lambda error: (error[0], order.get(error[1], -1)))
    del converted.errors[max_errors:]


def _check_units(report: Report, left_out: Mapping[int, str]) -> None:
    """Raise SheetError if a line that is left out states a unit of money other than the report's."""
    for index, text in left_out.items():
        if text:
            found = stated((f"第 {report.first_row + index:,} 列", cell) for cell in report.rows[index])
            other = [each for each in found if each.scale != report.unit]
            if other:
                raise unsure_unit(other[0], report.sheet)


def _fill(
    raw: list[Any], spans: Sequence[tuple[int, int]], kind: Field, left_out: Mapping[int, str]
) -> tuple[int, list[int]]:
    """Fill the rows of merged cells with their first cell; return the number of filled cells, and the rows refused.

    A figure is refused in each of its rows: whether it is of all together or of each nobody can know. A price of one
    piece is of each.
    """
    count, refused = 0, []
    for top, below in rows_below(raw, spans, is_blank):
        data = [row for row in below if row not in left_out]
        if kind.kind in (Kind.MONEY, Kind.INTEGER) and not kind.per_piece:
            refused += [top, *data] if data and top not in left_out else []
            continue
        for row in data:
            raw[row] = raw[top]
        count += len(data)
    return count, refused


def _refuse_merged(column: list[Any], kind: Field, refused: Iterable[int], failures: Failures) -> None:
    for index in refused:
        column[index] = None
        failures.add(index, BadCell(f"「{kind.label}」合併成一格，不知道各列是多少；請取消合併，填入每一列的數字。"))


def _add_surplus(converted: Converted, report: Report, kept: Sequence[int], max_errors: int) -> None:
    """Add an error for each row of text with more cells than the header: an unquoted 1,280 is two of them.

    Empty cells at the end are no harm, unless the row is longer than others and has a number that is split so.
    """
    width = report.matched.width
    if report.lengths is None or max(report.lengths, default=0) <= width:
        return
    usual = max(width, _median([report.lengths[row] for row in kept]))
    failures = Failures(len(kept), max_errors)
    surplus = [""] * len(kept)
    for index, row in enumerate(kept):
        if report.lengths[row] <= width:
            continue
        cells = report.rows[row]
        more = [text for cell in cells[width:] if (text := values.tidy(str(cell)))]
        if more or (report.lengths[row] > usual and _is_split(cells)):
            long = width + len(more) if more else report.lengths[row]
            what = f"，多出「{'」「'.join(text[:20] for text in more[:3])}」" if more else ""
            surplus[index] = "、".join(more)[:200]
            failures.add(
                index,
                BadCell(
                    f"這一列有 {long} 格，標題只有 {width} 欄{what}；金額若有千分位逗號（1,280），"
                    "請用引號括起來，或去掉逗號。"
                ),
            )
    converted.take("", failures, surplus)


def _median(lengths: Sequence[int]) -> int:
    return sorted(lengths)[len(lengths) // 2] if lengths else 0


_is_start = re.compile(r"\s*[-(]?(?:NT)?\$?\d{1,3}\s*").fullmatch
_is_end = re.compile(r"\s*\d{3}(?:\.\d+)?\)?\s*").fullmatch


def _is_split(cells: Sequence[Any]) -> bool:
    """Whether two neighbours may be one number with a comma."""
    return any(_is_start(str(one)) and _is_end(str(two)) for one, two in pairwise(cells))


# --- Columns ---------------------------------------------------------------------------------------------------------

_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Converter:
    """Conversions of one kind of column by the exact type of a cell; `wanted` names the kind in errors.

    `plain` finds the texts that are converted to themselves, if there may be some.
    """

    from_text: _Convert
    from_number: _Convert
    wanted: str
    others: Mapping[type, _Convert] = field(default_factory=dict)
    plain: Callable[[Iterable[str], int], list[str]] | None = None


_CONVERTERS: dict[Kind, _Converter] = {
    Kind.INTEGER: _Converter(values.integer_from_text, values.integer_from_number, "整數"),
    Kind.CODE: _Converter(values.code_from_text, values.code_from_number, "代號", plain=values.plain_codes),
    Kind.TEXT: _Converter(values.text_from_text, values.shown, "文字", plain=values.plain_texts),
}


def _refuse_time(cell: Any) -> None:
    raise BadCell(f"儲存格只有時間「{values.shown(cell)}」，沒有日期；請填 2026/11/22 這樣的日期。")


def _money(scale: int, *, per_piece: bool) -> _Converter:
    """Conversion of amounts that count `scale` dollars."""
    if per_piece:
        from_text, from_number = values.exact_cents_from_text, values.exact_cents_from_number
        return _Converter(partial(from_text, scale=scale), partial(from_number, scale=scale), "金額")
    if scale == 1:
        return _Converter(values.cents_from_text, values.cents_from_number, "金額")
    scaled = partial(values.scaled_cents_from_number, scale=scale)
    return _Converter(partial(values.cents_from_text, scale=scale), scaled, "金額")


def _converter(kind: Field, *, date1904: bool, scale: int) -> _Converter:
    if kind.kind is Kind.MONEY:
        return _money(scale, per_piece=kind.per_piece)
    if kind.kind is Kind.DATE:
        return _Converter(
            values.date_from_text,
            partial(values.date_from_number, date1904=date1904),
            "日期",
            {
                date: values.date_from_day,
                datetime: lambda cell: values.date_from_day(cell.date()),
                time: _refuse_time,
                timedelta: _refuse_time,
            },
        )
    found = _CONVERTERS[kind.kind]
    if kind.kind in (Kind.CODE, Kind.TEXT):
        return replace(
            found,
            from_text=partial(_bounded, found.from_text, kind),
            from_number=partial(_bounded, found.from_number, kind),
        )
    return found


def _bounded(convert: _Convert, kind: Field, cell: Any) -> str | None:
    """The converted cell, unless it is longer than the field."""
    text: str | None = convert(cell)
    if text is not None and len(text) > kind.max_length:
        raise BadCell(f"「{kind.label}」有 {len(text)} 個字，最多 {kind.max_length} 個；請縮短。")
    return text


@dataclass(frozen=True)
class _Column:
    """The values of one column, and how often numbers are written with signs."""

    values: list[Any]
    dashes: int = 0
    triangles: int = 0

    def notes(self, header: str) -> list[Note]:
        """What is read by the customs of accounts."""
        return [
            Note(what, header, count)
            for what, count in (("「-」讀成 0", self.dashes), ("▲、△ 讀成負數", self.triangles))
            if count
        ]


def _at_once(raw: Sequence[Any], kind: Field, converter: _Converter, texts: dict[str, Any]) -> list[Any] | None:
    """The column if all its cells are numbers of one type, or need no conversion, else None.

    Adds texts that need no conversion to `texts`, each with itself.
    """
    types = set(map(type, raw))
    if types in ({float}, {int}):
        try:
            numbers = {number: converter.from_number(number) for number in set(raw)}
        except BadCell:
            return None
        return list(map(numbers.__getitem__, raw))
    if kind.kind is Kind.DATE and types == {date}:
        days = set(raw)
        return list(raw) if min(days) >= values.FIRST_DAY and max(days) <= values.LAST_DAY else None
    if converter.plain is None:
        return None
    distinct = set(raw) if types == {str} else {cell for cell in raw if cell.__class__ is str}
    plain = converter.plain(distinct, kind.max_length)
    texts.update(zip(plain, plain, strict=True))
    if types != {str} or len(plain) + ("" in distinct) < len(distinct):
        return None
    if 2 * len(distinct) > len(raw):  # to share the few that are equal would take longer than to send them
        return [cell or None for cell in raw]
    return list(map(texts.__getitem__, raw))


def _column(raw: Sequence[Any], kind: Field, *, date1904: bool, scale: int, failures: Failures) -> _Column:
    """The converted column, whose amounts count `scale` dollars; a bad cell is None, and added to `failures`."""
    converter = _converter(kind, date1904=date1904, scale=scale)
    from_text, from_number, others = converter.from_text, converter.from_number, converter.others
    done: list[Any] = []
    append = done.append
    # Exact types, since True == 1 == 1.0 and CellError is a str. Text and numbers have separate memos.
    texts: dict[str, Any] = {"": None}
    if (found := _at_once(raw, kind, converter, texts)) is not None:
        return _Column(found)
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
            elif cls in others:
                append(others[cls](cell))
            else:
                values.refuse(cell, converter.wanted)
        except BadCell as error:
            failures.add(len(done), error)
            append(None)
    column = _Column(done)
    return _counted(column, raw, texts) if kind.kind in (Kind.MONEY, Kind.INTEGER) else column


def _counted(column: _Column, raw: Sequence[Any], texts: Mapping[str, Any]) -> _Column:
    """The column of figures with its dashes and triangles counted; `texts` is text → value."""
    dashes = {text for text, value in texts.items() if not value and values.is_dash(text)}
    triangles = {text for text in texts if not text.isascii() and values.is_triangled(text)}
    return replace(column, dashes=_count(raw, dashes), triangles=_count(raw, triangles))


def _count(raw: Sequence[Any], texts: set[str]) -> int:
    return sum(1 for cell in raw if cell.__class__ is str and cell in texts) if texts else 0

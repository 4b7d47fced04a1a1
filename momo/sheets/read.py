"""Reads workbooks: .xlsx .xlsm .xlsb .xls .ods through calamine, .csv, and HTML tables that are named .xls.

Content decides what a file is, not its name, and its size is checked before it is read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from momo.sheets.columns import HEADER_ROWS, Field, Matched, match
from momo.sheets.errors import DuplicateColumn, SheetError
from momo.sheets.formats import ods, xls, xlsb, xlsx
from momo.sheets.formats.archive import opened
from momo.sheets.formats.base import (
    MEBIBYTE,
    Facts,
    Limits,
    Sheet,
    broken,
    check_extent,
    protected,
    too_many_rows,
)
from momo.sheets.formats.sniff import Format, sniff
from momo.sheets.formats.text import csv_sheets, html_sheets

__all__ = ["Limits", "Report", "SheetError", "read_rows", "sheets_of"]

SEEN_HEADERS = 30  # how many headers an error recites


@dataclass
class Report:
    """The rows of a file's best sheet, raw: text, numbers, dates as calamine gives them, CellError where it hides one.

    `rows` are those below the header; `first_row` is the spreadsheet's number (from 1) of the first. `others` are
    visible sheets whose header would do as well and that were not read.
    """

    sheet: str
    matched: Matched
    rows: list[list[Any]]
    first_row: int
    total: int
    date1904: bool = False
    others: list[str] = field(default_factory=list)


def read_rows(
    path: Path,
    *,
    name: str,
    limits: Limits,
    fields: Iterable[Field],
    aliases: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Read the visible sheet whose header has the most of `fields`.

    `name` is what the user called the file and stands in errors; `aliases` are further headers by field name. Raises
    SheetError, whose text says what is wrong and what to do.
    """
    fields = list(fields)
    with sheets_of(path, name=name, limits=limits) as (sheets, date1904):
        found: list[tuple[Sheet, Matched]] = []
        twice: DuplicateColumn | None = None
        looked = 0
        empty = True
        for sheet in sheets:
            looked += 1
            top = sheet.top()
            empty = empty and sheet.empty
            try:
                matched = match(top, fields, aliases)
            except DuplicateColumn as error:
                twice = twice or error
                continue
            if matched is not None:
                found.append((sheet, matched))
        best = _best(found, twice)
        if best is None:
            raise _no_header(name, fields, looked, empty=empty)
        chosen, matched = best
        if matched.missing:
            raise _missing(chosen.name, matched)
        others = [sheet.name for sheet, each in found if sheet is not chosen and not each.missing]
        rows = chosen.rows()
    first = matched.row + 1
    del rows[:first]
    while rows and not any(cell not in ("", None) for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise SheetError(f"工作表「{chosen.name}」只有標題列，沒有資料；請確認匯出的報表內容。")
    if len(rows) > limits.rows:
        raise too_many_rows(chosen.name, len(rows), limits)
    return Report(
        sheet=chosen.name,
        matched=matched,
        rows=rows,
        first_row=first + 1,
        total=len(rows),
        date1904=date1904,
        others=others,
    )


def _best(found: Sequence[tuple[Sheet, Matched]], twice: DuplicateColumn | None) -> tuple[Sheet, Matched] | None:
    """The sheet with all required fields and the most of the others, the first of equals."""
    whole = [each for each in found if not each[1].missing]
    if not whole and twice is not None:
        raise twice
    return max(whole or found, key=lambda each: len(each[1].columns), default=None)


def _no_header(name: str, fields: Sequence[Field], looked: int, *, empty: bool) -> SheetError:
    if not looked:
        return SheetError(f"「{name}」沒有看得見的工作表；請在 Excel 取消隱藏要匯入的工作表後再匯入。")
    if empty and looked == 1:
        return SheetError(f"「{name}」的工作表是空的；請確認檔案內容後再匯入。")
    wanted = "、".join(each.label for each in fields if each.required) or "、".join(each.label for each in fields)
    return SheetError(
        f"「{name}」前 {HEADER_ROWS} 列找不到標題列；需要有這些欄位：{wanted}。請確認是正確的報表，"
        f"且標題在前 {HEADER_ROWS} 列內。"
    )


def _missing(sheet: str, matched: Matched) -> SheetError:
    seen = [*matched.headers.values(), *matched.unknown]
    listed = "、".join(seen[:SEEN_HEADERS]) + ("…" if len(seen) > SEEN_HEADERS else "")
    return SheetError(
        f"工作表「{sheet}」第 {matched.row + 1} 列缺少必要欄位：{'、'.join(matched.missing)}。"
        f"看到的標題：{listed}。請補上欄位，或在「欄位別名」加上報表使用的標題。"
    )


# --- Sheets of any format --------------------------------------------------------------------------------------------


@contextmanager
def sheets_of(path: Path, *, name: str, limits: Limits) -> Iterator[tuple[Iterator[Sheet], bool]]:
    """The visible sheets of the file, in order, and whether its numbers count days from 1904.

    Raises SheetError for whatever is no spreadsheet, is damaged, locked, or larger than `limits`.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise broken(name) from error
    if size > limits.bytes:
        raise SheetError(
            f"「{name}」有 {size / MEBIBYTE:,.1f} MB，上限 {limits.bytes // MEBIBYTE:,} MB；請分成幾個檔案再匯入。"
        )
    kind = sniff(path, name=name)
    with ExitStack() as stack:
        if kind is Format.CSV:
            yield iter(csv_sheets(path, name=name, limits=limits)), False
            return
        if kind is Format.HTML:
            yield iter(html_sheets(path, name=name, limits=limits)), False
            return
        if kind is Format.XLS:
            with _guarded(name):
                facts, date1904 = xls.inspect(path, name=name, limits=limits)
        else:
            archive = stack.enter_context(opened(path, name=name, limits=limits))
            inspect = {Format.XLSX: xlsx.inspect, Format.XLSB: xlsb.inspect, Format.ODS: ods.inspect}[kind]
            with _guarded(name):
                facts, date1904 = inspect(archive, limits)
        file = stack.enter_context(path.open("rb"))
        yield _visible(file, facts, name=name, limits=limits), date1904


class _Calamine:
    """A sheet in calamine's hands."""

    def __init__(self, sheet: CalamineSheet, facts: Facts) -> None:
        self.name = sheet.name
        self._sheet = sheet
        self._facts = facts

    @property
    def empty(self) -> bool:
        return self._sheet.total_height == 0

    def top(self) -> Sequence[Sequence[Any]]:
        return self._patched(self._values(HEADER_ROWS), HEADER_ROWS)

    def rows(self) -> list[list[Any]]:
        return self._patched(self._values(), self._facts.rows)

    def _values(self, height: int | None = None) -> list[list[Any]]:
        try:
            return self._sheet.to_python(skip_empty_area=False, nrows=height)
        except BaseException as error:
            if not _of_the_file(error):
                raise
            raise self._unreadable() from error

    def _unreadable(self) -> SheetError:
        """A number under a date's or time's format that Python has no date or time for; calamine tells no place."""
        number = 1
        try:
            for _ in self._sheet.iter_rows():  # from A1, as rows() is
                number += 1
        except BaseException as error:
            if not _of_the_file(error):
                raise
        return SheetError(
            f"工作表「{self.name}」第 {number:,} 列有超出範圍的日期或時間，無法讀取；"
            "請在 Excel 更正該儲存格的數值，或把格式改成「通用格式」後再匯入。"
        )

    def _patched(self, rows: list[list[Any]], height: int) -> list[list[Any]]:
        """With what calamine gives wrong put right, up to row `height`.

        Its last rows and columns are missing where they hold nothing but formulas without a result.
        """
        self._pad(rows)
        texts, errors = self._facts.texts, self._facts.errors
        told = [place for place in chain(texts, errors) if place[0] < height]
        if not told:
            return rows
        width = max(max(column for _, column in told) + 1, len(rows[0]) if rows else 0)
        if rows and width > len(rows[0]):
            for cells in rows:
                cells.extend([""] * (width - len(cells)))
        for _ in range(len(rows), max(row for row, _ in told) + 1):
            rows.append([""] * width)
        for row, column in told:
            error = errors.get((row, column))
            rows[row][column] = texts[row, column] if error is None else error
        return rows

    def _pad(self, rows: list[list[Any]]) -> None:
        """Give numbers back the zeros that they are shown with."""
        for (row, column), digits in self._facts.digits.items():
            if row < len(rows) and column < len(rows[row]):
                cell = rows[row][column]
                if cell.__class__ in (float, int) and cell >= 0 and float(cell).is_integer():
                    rows[row][column] = str(int(cell)).zfill(digits)


def _visible(file: BinaryIO, facts: Callable[[str], Facts], *, name: str, limits: Limits) -> Iterator[Sheet]:
    with _guarded(name):
        workbook = CalamineWorkbook.from_filelike(file)
        listed = workbook.sheets_metadata
    for place, each in enumerate(listed):
        if each.visible != SheetVisibleEnum.Visible or each.typ != SheetTypeEnum.WorkSheet:
            continue
        with _guarded(name):
            known = facts(each.name)
            sheet = workbook.get_sheet_by_index(place)
        check_extent(each.name, sheet.total_height, sheet.total_width, limits)
        yield _Calamine(sheet, known)


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Whatever a damaged file makes a parser stumble over as what it is: a damaged file."""
    try:
        yield
    except SheetError:
        raise
    except PasswordError as error:
        raise protected(name) from error
    except BaseException as error:
        if not _of_the_file(error):
            raise
        raise broken(name) from error


def _of_the_file(error: BaseException) -> bool:
    """Whether a parser raised it for what a file holds, rather than somebody else for another reason.

    A panic of calamine's is a BaseException, which nobody else would catch.
    """
    known = (CalamineError, OSError, struct.error, ValueError, LookupError, OverflowError)
    return isinstance(error, known) or type(error).__name__ == "PanicException"

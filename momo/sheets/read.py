"""Reads workbooks: .xlsx .xlsm .xlsb .xls .ods through calamine, .csv, and HTML tables with the suffix .xls.

The content decides the format, not the name. The size is checked before anything is read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
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

SEEN_HEADERS = 30  # headers that an error lists


@dataclass
class Report:
    """The raw rows of a file's best sheet: values of calamine, and CellError where calamine returns an empty cell.

    `rows` are the rows below the header; `first_row` is the number (from 1) of the first in the spreadsheet. `others`
    are visible sheets whose header has all required fields too and that were not read.
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

    `name` is the user's name of the file, for error messages; `aliases` are further headers by field name. Raises
    SheetError.
    """
    fields = list(fields)
    with sheets_of(path, name=name, limits=limits) as (sheets, date1904):
        found: list[tuple[Sheet, Matched]] = []
        twice: DuplicateColumn | None = None
        looked = 0
        empty = True
        for sheet in sheets:
            looked += 1
            empty = empty and sheet.empty
            try:
                matched = match(sheet.rows(HEADER_ROWS), fields, aliases)
            except DuplicateColumn as error:
                twice = twice or error
                continue
            if matched is not None:
                found.append((sheet, matched))
        whole = [each for each in found if not each[1].missing]
        if not whole and twice is not None:
            raise twice
        if not found:
            raise _no_header(name, fields, looked, empty=empty)
        # The sheet with all required fields and the most others, the first of equals.
        chosen, matched = max(whole or found, key=lambda each: len(each[1].columns))
        if matched.missing:
            raise _missing(chosen.name, matched)
        others = [sheet.name for sheet, _ in whole if sheet is not chosen]
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
    """The visible sheets of the file, in order, and whether its serial dates count from 1904.

    Raises SheetError if the file is not a spreadsheet, damaged, password-protected, or larger than `limits`.
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


def _rows(sheet: CalamineSheet, facts: Facts, height: int | None = None) -> list[list[Any]]:
    """The rows that calamine returns, up to row `height`, with the cells put right that calamine returns wrong.

    calamine omits last rows and columns that hold only formulas without a result; they are added.
    """
    try:
        rows: list[list[Any]] = sheet.to_python(skip_empty_area=False, nrows=height)
    except BaseException as error:
        if not _caused_by_file(error):
            raise
        raise _unreadable(sheet) from error
    for (row, column), digits in facts.digits.items():
        if row < len(rows) and column < len(rows[row]):
            cell = rows[row][column]
            if cell.__class__ in (float, int) and cell >= 0 and float(cell).is_integer():
                rows[row][column] = str(int(cell)).zfill(digits)
    errors = {place: shown for place, shown in facts.errors.items() if height is None or place[0] < height}
    if errors:
        width = max(len(rows[0]) if rows else 0, *(column + 1 for _, column in errors))
        rows.extend([] for _ in range(len(rows), max(row for row, _ in errors) + 1))
        for cells in rows:
            cells.extend([""] * (width - len(cells)))
    for (row, column), shown in errors.items():
        rows[row][column] = shown
    return rows


def _unreadable(sheet: CalamineSheet) -> SheetError:
    """A number with a date format is out of the range of Python's dates; calamine does not tell which cell."""
    number = 1
    try:
        for _ in sheet.iter_rows():  # from A1, as in _rows
            number += 1
    except BaseException as error:
        if not _caused_by_file(error):
            raise
    return SheetError(
        f"工作表「{sheet.name}」第 {number:,} 列有超出範圍的日期或時間，無法讀取；"
        "請在 Excel 更正該儲存格的數值，或把格式改成「通用格式」後再匯入。"
    )


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
        yield Sheet(each.name, sheet.total_height == 0, partial(_rows, sheet, known))


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Turn any error of a parser about a damaged file into SheetError."""
    try:
        yield
    except SheetError:
        raise
    except PasswordError as error:
        raise protected(name) from error
    except BaseException as error:
        if not _caused_by_file(error):
            raise
        raise broken(name) from error


def _caused_by_file(error: BaseException) -> bool:
    """Whether a parser raised `error` because of the file's content.

    calamine's panic is a BaseException, so `except Exception` would not catch it.
    """
    known = (CalamineError, OSError, struct.error, ValueError, LookupError, OverflowError)
    return isinstance(error, known) or type(error).__name__ == "PanicException"

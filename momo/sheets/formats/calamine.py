"""Reads sheets through calamine, within what was inspected before, and puts right what calamine returns wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from momo.sheets.errors import SheetError
from momo.sheets.formats.base import (
    MAX_SHEETS,
    Facts,
    Inspected,
    Limits,
    Sheet,
    broken,
    check_extent,
    protected,
    too_many_sheets,
)

SHARED = 100_000  # texts and dates that are remembered, so that equal ones become one object
_KINDS = frozenset((str, date))  # exact types: True == 1 == 1.0


def visible_sheets(file: BinaryIO, inspected: Inspected, *, name: str, limits: Limits) -> Iterator[Sheet]:
    """The visible sheets of a workbook, in order. Raises SheetError, `name` being the user's name of the file."""
    with guarded(name):
        workbook = CalamineWorkbook.from_filelike(file)
        listed = workbook.sheets_metadata
    if len(listed) > MAX_SHEETS:
        raise too_many_sheets(name)
    for place, each in enumerate(listed):
        if each.visible != SheetVisibleEnum.Visible or each.typ != SheetTypeEnum.WorkSheet:
            continue
        with guarded(name):
            facts, sheet = _parsed(workbook, place, each.name, inspected)
        check_extent(each.name, sheet.total_height + 1, sheet.total_width + 1, limits)
        empty = sheet.height == 0 and not facts.errors
        yield Sheet(each.name, empty, partial(_rows, sheet, facts), facts.merged, hidden=facts.hidden)


def _parsed(workbook: CalamineWorkbook, place: int, name: str, inspected: Inspected) -> tuple[Facts, CalamineSheet]:
    """The facts of a sheet, and calamine's sheet.

    calamine parses without Python's lock, so that a large sheet is inspected meanwhile. What calamine allocates before
    a sheet is refused is held by the bounds of the process.
    """
    if name not in inspected.large:
        return inspected.facts(name), workbook.get_sheet_by_index(place)
    thread = ThreadPoolExecutor(1)
    try:
        parsing = thread.submit(workbook.get_sheet_by_index, place)
    except RuntimeError as error:  # the memory of the process does not allow a thread
        raise MemoryError from error
    thread.shutdown(wait=False)
    return inspected.facts(name), parsing.result()


def _rows(sheet: CalamineSheet, facts: Facts, height: int | None = None) -> list[list[Any]]:
    """The rows that calamine returns, up to row `height`, with the cells put right that calamine returns wrong.

    calamine omits last rows and columns that hold only formulas without a result; they are added.
    """
    rows = _shared(sheet, height)
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


def _shared(sheet: CalamineSheet, height: int | None) -> list[list[Any]]:
    """The rows from A1, equal texts and dates as one object: half the memory, and columns are faster to convert."""
    rows: list[list[Any]] = []
    known: dict[Any, Any] = {}
    once = known.setdefault
    try:
        for row in islice(sheet.iter_rows(), height):
            rows.append([once(cell, cell) if cell.__class__ in _KINDS else cell for cell in row])
            if len(known) > SHARED:
                known.clear()
    except BaseException as error:
        if not _caused_by_file(error):
            raise
        # A number with a date format is out of the range of Python's dates.
        raise SheetError(
            f"工作表「{sheet.name}」第 {len(rows) + 1:,} 列有超出範圍的日期或時間，無法讀取；"
            "請在 Excel 更正該儲存格的數值，或把格式改成「通用格式」後再匯入。"
        ) from error
    return rows


@contextmanager
def guarded(name: str) -> Iterator[None]:
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
    if type(error).__name__ == "PanicException" and "pointer is null" in str(error):  # Python could not allocate
        raise MemoryError from error
    known = (CalamineError, OSError, struct.error, ValueError, LookupError, OverflowError)
    return isinstance(error, known) or type(error).__name__ == "PanicException"

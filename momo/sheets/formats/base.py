"""Limits of reading, and the facts about a sheet that are found before it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from lxml import etree

from momo.sheets.areas import Area
from momo.sheets.columns import HEADER_ROWS
from momo.sheets.errors import SheetError
from momo.sheets.values import CellError

MEBIBYTE = 1024 * 1024
MAX_ERRORS = 200_000  # cells of a sheet; each is stored
MAX_MERGED = 300_000  # areas of a sheet; each is stored
MAX_SHEETS = 1_000  # of a workbook, or tables of a page; each is looked at for its header


@dataclass(frozen=True)
class Limits:
    """Limits of a file: its bytes, bytes of its unpacked parts, data rows, columns.

    `cells` limits rows × columns from A1 to the last cell with content: readers allocate all of them. `text` limits the
    bytes of text in the cells of a sheet, each cell counted by itself.
    """

    bytes: int
    unpacked_bytes: int
    rows: int
    columns: int
    cells: int = 12_000_000
    text: int = 256 * MEBIBYTE


@dataclass
class Facts:
    """The last row and column (from 1) with content, and the cells (row, column from 0) that calamine returns wrong.

    calamine returns an error (#N/A) and a formula that was never calculated as an empty cell, and a number without the
    leading zeros that its format shows: `digits` has how many digits are shown if the cell is a number. `merged` are
    the merged areas, `text` the bytes of text in cells that are written once and repeated (.ods).
    """

    rows: int = 0
    columns: int = 0
    text: int = 0
    errors: dict[tuple[int, int], CellError] = field(default_factory=dict)
    digits: dict[tuple[int, int], int] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)  # rows (from 0) that are not shown, by a filter or by hand
    merged: list[Area] = field(default_factory=list)

    def reach(self, row: int, column: int) -> None:
        """The cell (from 0) has content."""
        if row >= self.rows:
            self.rows = row + 1
        if column >= self.columns:
            self.columns = column + 1

    def note(self, row: int, column: int, error: CellError) -> None:
        """The cell (from 0) has an error. Raises SheetError beyond MAX_ERRORS."""
        self.errors[row, column] = error
        if len(self.errors) > MAX_ERRORS:
            raise SheetError(f"檔案有超過 {MAX_ERRORS:,} 個錯誤值或沒有計算的公式；請先在 Excel 修正後再匯入。")

    def merge(self, area: Area) -> None:
        """The cells are merged. Raises SheetError beyond MAX_MERGED."""
        self.merged.append(area)
        if len(self.merged) > MAX_MERGED:
            raise SheetError(f"檔案有超過 {MAX_MERGED:,} 個合併儲存格；請在 Excel 取消合併後再匯入。")


# Invisible parts of a number format: language, colour, space as wide as a character, filling, blanks.
_UNSEEN = re.compile(
    r"\[(?:\$-[^\]]*|black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)\]|_.|\*.|\\ |\" *\"", re.IGNORECASE
)


def zeros_of(code: str) -> int:
    """The number of digits of a number format that consists of zeros (00000 shows 123 as 00123), else 0.

    The first section counts, that of positive numbers. A format with zeros and other characters ("TP"00000, 0000-0000)
    gives 0: padded without these characters, the number would look complete but differ from what is shown.
    """
    first = _UNSEEN.sub("", code).split(";")[0]
    return len(first) if len(first) > 1 and not first.strip("0") else 0


class Inspected(NamedTuple):
    """What is known of a workbook before calamine reads it.

    `facts` is a function from sheet name to facts, `date1904` whether serial dates count from 1904. `copy` makes a copy
    of the file that calamine reads right, None if it reads the file itself right. `large` are names of sheets that take
    so long to inspect that calamine reads them meanwhile.
    """

    facts: Callable[[str], Facts]
    date1904: bool = False
    copy: Callable[[], BinaryIO] | None = None
    large: Collection[str] = ()


@dataclass(frozen=True)
class Sheet:
    """A visible sheet. `rows(height)` gives its first rows from A1 as Python values, `rows()` all of them.

    `hidden` are rows (from 0) that are not shown; `merged` are its merged areas; `lengths`, of formats of text only,
    the cells of each row as written.
    """

    name: str
    empty: bool
    rows: Callable[..., list[list[Any]]]
    merged: Sequence[Area] = ()
    lengths: Sequence[int] | None = None
    hidden: Collection[int] = ()

    @classmethod
    def of(
        cls,
        name: str,
        rows: list[list[Any]],
        merged: Sequence[Area] = (),
        lengths: Sequence[int] | None = None,
        hidden: Collection[int] = (),
    ) -> Sheet:
        """A sheet whose rows are in memory already."""
        return cls(name, not rows, lambda height=None: rows[:height], merged, lengths, hidden)


def check_extent(sheet: str, rows: int, columns: int, limits: Limits) -> None:
    """Raise SheetError if the sheet is larger than `limits`."""
    if rows - HEADER_ROWS > limits.rows:
        raise too_many_rows(sheet, rows, limits)
    if columns > limits.columns:
        raise SheetError(
            f"工作表「{sheet}」用到第 {columns:,} 欄，最多能匯入 {limits.columns:,} 欄；請刪除右邊用不到的欄。"
        )
    if rows * columns > limits.cells:
        raise SheetError(
            f"工作表「{sheet}」有 {rows:,} 列 × {columns:,} 欄，太大了；請只留需要的欄，或把資料分成幾個檔案。"
        )


def too_many_rows(sheet: str, rows: int, limits: Limits) -> SheetError:
    """The error for a sheet with more rows than `limits`."""
    return SheetError(
        f"工作表「{sheet}」有 {rows:,} 列，最多能匯入 {limits.rows:,} 列；請刪除多餘的列，或把資料分成幾個檔案。"
    )


def too_many_cells(sheet: str, cells: int, limits: Limits) -> SheetError:
    """The error for more cells than `limits`, wherever they are."""
    return SheetError(
        f"工作表「{sheet}」有 {cells:,} 格以上，最多能匯入 {limits.cells:,} 格，太大了；"
        "請只留需要的欄，或把資料分成幾個檔案。"
    )


def too_much_text(sheet: str, limits: Limits) -> SheetError:
    """The error for more text than `limits`."""
    return SheetError(
        f"工作表「{sheet}」的文字加起來超過 {limits.text // MEBIBYTE:,} MB，太大了；"
        "請刪除內容很長的欄，或把資料分成幾個檔案。"
    )


def too_many_sheets(name: str) -> SheetError:
    """The error for more sheets than MAX_SHEETS."""
    return SheetError(f"「{name}」有超過 {MAX_SHEETS:,} 個工作表或表格；請只留要匯入的那一個。")


def broken(name: str, why: str = "") -> SheetError:
    """The error for a file that is cut off or damaged."""
    return SheetError(f"「{name}」已損壞或不完整{f'（{why}）' if why else ''}；請重新匯出或下載，再匯入一次。")


def unparsed(error: Exception, name: str, why: str = "") -> Exception:
    """The error for XML that lxml could not parse: it is damaged, or beyond the memory of the process."""
    if isinstance(error, etree.XMLSyntaxError) and error.code == etree.ErrorTypes.ERR_NO_MEMORY:
        return MemoryError()
    return broken(name, why)


def protected(name: str) -> SheetError:
    """The error for a file with a password."""
    return SheetError(f"「{name}」有密碼保護；請在 Excel 移除密碼（檔案 → 資訊 → 保護活頁簿）後再匯入。")


ERROR_CODES: Mapping[int, str] = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


def error_of(code: int) -> CellError:
    """The error value of a code in the binary formats ([MS-XLS] 2.5.10, [MS-XLSB] 2.5.97.2)."""
    return CellError(ERROR_CODES.get(code, "#UNKNOWN!"))

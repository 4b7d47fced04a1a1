"""Bounds of what is read, and what is known of a sheet before it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from momo.sheets.columns import HEADER_ROWS
from momo.sheets.errors import SheetError
from momo.sheets.values import CellError

MEBIBYTE = 1024 * 1024
MAX_ERRORS = 200_000  # cells of a sheet, each of which is kept


@dataclass(frozen=True)
class Limits:
    """How much of a file is read: its bytes, its parts unpacked (bytes), data rows, columns.

    `cells` bounds rows × columns from A1 to the last cell that holds something: readers allocate all of it.
    """

    bytes: int
    unpacked_bytes: int
    rows: int
    columns: int
    cells: int = 12_000_000


@dataclass
class Facts:
    """The last row and column (from 1) that hold something, and cells (0-based row, column) that calamine gives wrong.

    An error (#N/A) and a formula that was never calculated are empty to it, which would count as nothing; a number
    that its format shows with leading zeros has lost them: `texts` says what is shown, or `digits` how many of them.
    """

    rows: int = 0
    columns: int = 0
    errors: dict[tuple[int, int], CellError] = field(default_factory=dict)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    digits: dict[tuple[int, int], int] = field(default_factory=dict)

    def reach(self, row: int, column: int) -> None:
        """A cell (from 0) holds something."""
        if row >= self.rows:
            self.rows = row + 1
        if column >= self.columns:
            self.columns = column + 1

    def note(self, row: int, column: int, error: CellError) -> None:
        """A cell (from 0) is an error."""
        self.errors[row, column] = error
        if len(self.errors) > MAX_ERRORS:
            raise SheetError(f"檔案有超過 {MAX_ERRORS:,} 個錯誤值或沒有計算的公式；請先在 Excel 修正後再匯入。")


# What a number format has beside digits and nobody sees: language, colour, room as wide as a letter, filling, space.
_UNSEEN = re.compile(
    r"\[(?:\$-[^\]]*|black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)\]|_.|\*.|\\ |\" *\"", re.IGNORECASE
)


def zeros_of(code: str) -> int:
    """The digits that a number format of nothing but zeros shows (123 under 00000 is meant as 00123), else 0.

    The first section counts, which is that of positive numbers. Zeros among other signs ("TP"00000, 0000-0000) cannot
    be told as a number of digits and are 0: such a cell is its number as it is kept, since what is padded without the
    signs would look whole and be no more what is shown.
    """
    first = _UNSEEN.sub("", code).split(";")[0]
    return len(first) if len(first) > 1 and not first.strip("0") else 0


class Sheet(Protocol):
    """A sheet that can be looked into before all of it is made Python values."""

    name: str

    @property
    def empty(self) -> bool:
        """Whether no cell holds anything."""

    def top(self) -> Sequence[Sequence[Any]]:
        """The first HEADER_ROWS rows, from A1."""

    def rows(self) -> list[list[Any]]:
        """All rows, from A1."""


@dataclass
class Rows:
    """A sheet whose rows are there already."""

    name: str
    all: list[list[Any]]

    @property
    def empty(self) -> bool:
        return not self.all

    def top(self) -> Sequence[Sequence[Any]]:
        return self.all[:HEADER_ROWS]

    def rows(self) -> list[list[Any]]:
        return self.all


def check_extent(sheet: str, rows: int, columns: int, limits: Limits) -> None:
    """Refuse a sheet that is larger than what is read."""
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
    """A sheet of `rows` rows, more than are read."""
    return SheetError(
        f"工作表「{sheet}」有 {rows:,} 列，最多能匯入 {limits.rows:,} 列；請刪除多餘的列，或把資料分成幾個檔案。"
    )


def broken(name: str, why: str = "") -> SheetError:
    """A file that breaks off or is damaged."""
    return SheetError(f"「{name}」已損壞或不完整{f'（{why}）' if why else ''}；請重新匯出或下載，再匯入一次。")


def protected(name: str) -> SheetError:
    """A file that cannot be read without its password."""
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
    """The error that a code of the binary formats stands for ([MS-XLS] 2.5.10, [MS-XLSB] 2.5.97.2)."""
    return CellError(ERROR_CODES.get(code, "#UNKNOWN!"))

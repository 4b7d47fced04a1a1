"""Reads the XML spreadsheets of Excel 2002 and 2003 (SpreadsheetML), which web systems export with the suffix .xls.

calamine does not read them. Sheets are parsed row by row within bounds; cells are placed by their numbers, or after the
cell before ("XML Spreadsheet Reference", Microsoft).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, cast

from lxml import etree

from momo.sheets.areas import Area
from momo.sheets.columns import HEADER_ROWS
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import Facts, Limits, Sheet, broken, check_extent, unparsed, zeros_of
from momo.sheets.values import UNCALCULATED, CellError

_SPACE = "{urn:schemas-microsoft-com:office:spreadsheet}"
_EXCEL = "{urn:schemas-microsoft-com:office:excel}"
_SHEET, _ROW, _CELL, _DATA, _STYLE = (f"{_SPACE}{tag}" for tag in ("Worksheet", "Row", "Cell", "Data", "Style"))
_VISIBLE, _DATE_1904 = f"{_EXCEL}Visible", f"{_EXCEL}Date1904"
_TRUE = ("1", "true")
SHEETS = 1_000  # of a file; each is looked at for its header


def xml_sheets(path: Path, *, name: str, limits: Limits) -> tuple[list[Sheet], bool]:
    """The visible sheets of an XML spreadsheet, and whether its serial dates count from 1904. Raises SheetError."""
    book = _Book(name, limits)
    try:
        with path.open("rb") as file:
            for event, element in etree.iterparse(
                file,
                events=("start", "end"),
                tag=(_SHEET, _ROW, _STYLE, _VISIBLE, _DATE_1904),
                resolve_entities=False,
                no_network=True,
                huge_tree=True,
            ):
                if element.getroottree().docinfo.doctype:
                    raise broken(name, "DOCTYPE")
                if event == "start":
                    if element.tag == _SHEET:
                        book.begin(_attribute(element, "Name") or "")
                else:
                    book.read(element)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        if isinstance(error, SheetError):
            raise
        raise unparsed(error, name) from error
    sheets = [
        Sheet.of(sheet.title, sheet.squared(), sheet.facts.merged, hidden=sheet.facts.hidden)
        for sheet in book.sheets
        if not sheet.hidden
    ]
    return sheets, book.date1904


def _attribute(element: etree._Element, name: str) -> str | None:
    """An attribute, with the prefix that it should have or without, as some programs write it."""
    found: str | None = element.get(f"{_SPACE}{name}") or element.get(name)
    return found


def _number(element: etree._Element, name: str) -> int:
    """An attribute that is a number, 0 if it is absent. Raises ValueError."""
    found = int(_attribute(element, name) or 0)
    if found < 0:
        raise ValueError(name)
    return found


class _Book:
    """The sheets that were read so far, and the styles."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        self.sheets: list[_Table] = []
        self.digits: dict[str, int] = {}  # style → digits of its number format, if it shows leading zeros
        self.date1904 = False

    def begin(self, title: str) -> None:
        """Start a sheet. Raises SheetError beyond SHEETS."""
        if len(self.sheets) >= SHEETS:
            raise SheetError(f"「{self.name}」有超過 {SHEETS:,} 個工作表；請只留要匯入的那一個。")
        self.sheets.append(_Table(title, self.limits))

    def read(self, element: etree._Element) -> None:
        """Add an element that has ended."""
        if element.tag == _STYLE:
            found = element.find(f"{_SPACE}NumberFormat")
            if found is not None and (digits := zeros_of(_attribute(found, "Format") or "")):
                self.digits[_attribute(element, "ID") or ""] = digits
        elif element.tag == _DATE_1904:
            self.date1904 = True
        elif self.sheets and element.tag == _VISIBLE:
            self.sheets[-1].hidden = (element.text or "").strip() != "SheetVisible"
        elif self.sheets and element.tag == _ROW:
            self.sheets[-1].add(element, self.digits)
            element.clear(keep_tail=False)
            while element.getprevious() is not None:
                del cast(Any, element.getparent())[0]


class _Table:
    """The rows of one sheet."""

    def __init__(self, title: str, limits: Limits) -> None:
        self.title, self.limits = title, limits
        self.hidden = False
        self.rows: list[list[Any]] = []
        self.facts = Facts()
        self._next = 0
        self._width = 0

    def add(self, row: etree._Element, digits: dict[str, int]) -> None:
        """Add a row. Raises SheetError beyond the limits, ValueError for a place that is no number."""
        at = (_number(row, "Index") or self._next + 1) - 1
        self._next = at + 1 + _number(row, "Span")
        if _attribute(row, "Hidden") in _TRUE:
            self.facts.hidden.update(range(at, min(self._next, self.limits.rows + HEADER_ROWS)))
        cells: list[Any] = []
        for column, value in self._cells(row, at, digits):
            if column >= self.limits.columns:
                check_extent(self.title, at + 1, column + 1, self.limits)
            cells.extend([""] * (column - len(cells)))
            cells.append(value)
        if cells and at >= len(self.rows):
            self._width = max(self._width, len(cells))
            if at >= self.limits.rows + HEADER_ROWS:  # before empty rows are made up to it
                check_extent(self.title, at + 1, self._width, self.limits)
            check_extent(self.title, at + 1, self._width, self.limits)
            self.rows.extend([] for _ in range(at - len(self.rows)))
            self.rows.append(cells)
        elif cells:
            raise ValueError("Index")

    def _cells(self, row: etree._Element, at: int, digits: dict[str, int]) -> Iterator[tuple[int, Any]]:
        """Column and value of each cell with content."""
        following = 0
        for cell in row.iterchildren(_CELL):
            column = (_number(cell, "Index") or following + 1) - 1
            if column < following:
                raise ValueError("Index")
            across, down = _number(cell, "MergeAcross"), _number(cell, "MergeDown")
            following = column + 1 + across
            if across or down:
                self.facts.merge(Area(at, at + down, column, column + across))
            value = _value(cell, digits)
            if value is not None:
                yield column, value

    def squared(self) -> list[list[Any]]:
        """The rows, filled to the same width."""
        for cells in self.rows:
            cells.extend([""] * (self._width - len(cells)))
        return self.rows


def _value(cell: etree._Element, digits: dict[str, int]) -> Any:
    """The value of a cell, None for one without content. Raises ValueError."""
    data = cell.find(_DATA)
    if data is None:
        return UNCALCULATED if _attribute(cell, "Formula") else None
    text = "".join(cast(Iterator[str], data.itertext()))
    kind = _attribute(data, "Type") or "String"
    if not text:
        return None
    if kind == "Number":
        number = float(text)
        shown = digits.get(_attribute(cell, "StyleID") or "")
        return str(int(number)).zfill(shown) if shown and number >= 0 and number.is_integer() else number
    if kind == "DateTime":
        return _moment(text.strip())
    if kind == "Boolean":
        return text.strip() in _TRUE
    return CellError(text.strip()) if kind == "Error" else text


def _moment(text: str) -> date | datetime | time:
    """A day, a moment, or a time, which Excel writes as a moment of the day 0, 1899-12-31."""
    moment = datetime.fromisoformat(text)
    if moment.year < 1900:
        return moment.time()
    return moment.date() if moment.time() == time() else moment

"""CSV files and HTML tables."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from momo.sheets.areas import Area
from momo.sheets.columns import HEADER_ROWS
from momo.sheets.errors import SheetError
from momo.sheets.formats import encodings
from momo.sheets.formats.base import (
    MAX_SHEETS,
    Limits,
    Sheet,
    check_extent,
    too_many_cells,
    too_many_sheets,
    unparsed,
)

DELIMITERS = ",\t;|"
CSV_SHEET = "CSV"
FEED = 32 * 1024  # bytes of HTML whose tree is in memory at a time, beside an unfinished row
KNOWN = 50_000  # different texts of cells that are remembered at a time
HTML_SHEET = "HTML"
_is_hidden = re.compile(r"display\s*:\s*none", re.IGNORECASE).search  # as Excel saves rows that are filtered out
END = "momo-end"  # tag of an element behind the page: the parser ends silently where it meets a limit of its own


def csv_sheets(path: Path, *, name: str, limits: Limits) -> list[Sheet]:
    """A CSV file as one sheet, split by the delimiter that fits its first rows best."""
    text = encodings.decoded(path.read_bytes(), name)
    first, newline, _ = text[:20].partition("\n")
    declared = re.fullmatch(r'"?sep=([^"\r])"?\r?', first, re.IGNORECASE)
    if declared and newline:
        # A line for Excel, which Excel does not show: the next line is row 1.
        text = text[len(first) + 1 :]
        delimiter = declared[1]
    else:
        delimiter = _delimiter(text)
    rows: list[list[Any]] = []
    width = 0
    blank = 0
    known: dict[str, str] = {}
    try:
        for row in _records(text, delimiter):
            if any(row):
                width = max(width, len(row))
                # Before empty rows are created: a file of line ends only has 50 million. Each row gets the width of
                # the widest.
                height = len(rows) + blank + 1
                if height > limits.rows + HEADER_ROWS or width > limits.columns or height * width > limits.cells:
                    lines = text.count("\n") + (not text.endswith("\n"))
                    check_extent(CSV_SHEET, max(lines, len(rows) + blank + 1), width, limits)
                rows.extend([] for _ in range(blank))
                blank = 0
                if len(known) > KNOWN:
                    known.clear()
                rows.append(list(map(known.setdefault, row, row)))  # equal cells become one object
            else:
                blank += 1
    except csv.Error as error:
        raise SheetError(
            f"「{name}」第 {len(rows) + blank + 1:,} 列的引號不成對或欄位過長；請用 Excel 另存成 .xlsx 再匯入。"
        ) from error
    check_extent(CSV_SHEET, len(rows), width, limits)
    lengths = [len(row) for row in rows]
    return [Sheet.of(CSV_SHEET, _squared(rows, width), lengths=lengths)]


def comma_separated(path: Path, *, name: str, limits: Limits) -> list[list[str]]:
    """The rows of text whose delimiter is a comma, as they are. Raises SheetError."""
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(encodings.decoded(path.read_bytes(), name).replace("\0", ""), newline="")):
            check_extent(CSV_SHEET, len(rows) + 1, len(row), limits)
            cells += len(row)
            if cells > limits.cells:
                raise too_many_cells(CSV_SHEET, cells, limits)
            rows.append(row)
    except csv.Error as error:
        raise SheetError("這不是可讀的 CSV 檔") from error
    return rows


def _records(text: str, delimiter: str, *, strict: bool = True) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)


def _delimiter(text: str) -> str:
    """The delimiter that splits most of the first rows into the same number of columns; of equals, the most columns.

    Not the one with the most columns in any row, since a cell may list ten colours separated by |.
    """
    sample = "".join(text[:65536].splitlines(keepends=True)[: HEADER_ROWS + 10])
    best, most = ",", (0, 0)
    for each in DELIMITERS:
        try:
            widths = Counter(len(row) for row in _records(sample, each, strict=False) if len(row) > 1)
        except csv.Error:
            continue
        alike = max(((rows, width) for width, rows in widths.items()), default=(0, 0))
        if alike > most:
            best, most = each, alike
    return best


def _squared(rows: list[list[Any]], width: int) -> list[list[Any]]:
    for row in rows:
        if len(row) < width:
            row.extend([""] * (width - len(row)))
    return rows


def html_sheets(path: Path, *, name: str, limits: Limits) -> list[Sheet]:
    """Each table of an HTML file as a sheet; some systems export such files with the suffix .xls."""
    tables = _Tables(_html_text(path.read_bytes(), name), name=name, limits=limits).read()
    if not tables:
        raise SheetError(f"「{name}」是網頁，裡面沒有表格；請確認下載的是報表，而不是登入頁或錯誤頁。")
    sheets = []
    for number, table in enumerate(tables, start=1):
        title = HTML_SHEET if len(tables) == 1 else f"{HTML_SHEET} 表格 {number}"
        rows, merged = _table(table, title, limits)
        lengths = [len(row) for row in rows]
        sheets.append(Sheet.of(title, _squared(rows, max(lengths, default=0)), merged, lengths, table.hidden))
    return sheets


# A cell of a table as it is written: its text, or text, columns and rows of a cell that spans several.
_Cell = str | tuple[str, int, int]


@dataclass
class _Table:
    """A table as it is written. `height` counts its rows, of which no more are kept than an import takes."""

    lines: list[list[_Cell]] = field(default_factory=list)
    height: int = 0
    hidden: set[int] = field(default_factory=set)  # rows (from 0) that are not shown
    holds_tables: bool = False


class _Tables:
    """Reads the tables that hold no others, row by row: the tree of a page takes 300 bytes for each of its cells."""

    def __init__(self, text: bytes, *, name: str, limits: Limits) -> None:
        self.text, self.name, self.limits = text, name, limits
        self.done: list[_Table] = []
        self.open: list[_Table] = []  # from the outermost to the innermost
        self.cells = 0
        self.complete = False  # whether the parser came to END

    def read(self) -> list[_Table]:
        """The tables in the order of their ends. Raises SheetError."""
        # Not `iterparse`, which ignores `huge_tree` for HTML: behind a long text or many levels it would end silently.
        parser = etree.HTMLPullParser(
            events=("start", "end"), tag=("table", "tr", END), huge_tree=True, no_network=True, encoding="utf-8"
        )
        try:
            for start in range(0, len(self.text), FEED):
                parser.feed(self.text[start : start + FEED])
                self._take(parser)
            parser.feed(f"<{END}>".encode())
            parser.close()
            self._take(parser)
        except (etree.ParserError, etree.XMLSyntaxError) as error:
            raise unparsed(error, self.name) from error
        if any(entry.type == etree.ErrorTypes.ERR_NO_MEMORY for entry in parser.feed_error_log):
            raise MemoryError
        if not self.complete:
            raise SheetError(
                f"「{self.name}」的網頁沒有結尾，或太複雜，只讀得到一部分；請用 Excel 開啟後另存成 .xlsx 再匯入。"
            )
        return self.done

    def _take(self, parser: etree.HTMLPullParser) -> None:
        for event, element in parser.read_events():
            if event == "start":
                if element.tag == "table":
                    self._begin()
                elif element.tag == END:
                    self.complete = True
                continue
            if element.tag == "table":
                self._end()
            elif self.open and element.tag == "tr":
                self._add(element)
            element.clear(keep_tail=False)
            while element.getprevious() is not None:
                del element.getparent()[0]

    def _begin(self) -> None:
        if self.open:
            self.open[-1].holds_tables = True
            self.open[-1].lines.clear()
        self.open.append(_Table())
        if len(self.open) + len(self.done) > MAX_SHEETS:
            raise too_many_sheets(self.name)

    def _end(self) -> None:
        table = self.open.pop()
        if not table.holds_tables:
            self.done.append(table)

    def _add(self, row: etree._Element) -> None:
        table = self.open[-1]
        table.height += 1
        if table.holds_tables or table.height > self.limits.rows + HEADER_ROWS + 1:
            return
        if _is_hidden(row.get("style") or ""):
            table.hidden.add(table.height - 1)
        line: list[_Cell] = []
        for cell in row.iterchildren("td", "th"):
            text, across, down = _content(cell), cell.get("colspan"), cell.get("rowspan")
            line.append(text if across is down is None else (text, _span(across), _span(down)))
        table.lines.append(line)
        self.cells += len(line)
        if self.cells > self.limits.cells:
            raise too_many_cells(HTML_SHEET, self.cells, self.limits)


def _html_text(data: bytes, name: str) -> bytes:
    """The page in UTF-8, decoded by its byte-order mark, its declaration, or as a CSV file."""
    declared = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", data[:4096], re.IGNORECASE)
    if declared and not data.startswith(tuple(mark for mark, _ in encodings.MARKS)):
        encoding = declared[1].decode("ascii")
        try:
            # Pages in Big5 use Microsoft's characters (cp950). A wrong declaration is ignored.
            if encoding.lower() in ("big5", "cp950", "x-x-big5"):
                return encodings.big5(data).encode()
            return data.decode(encoding).encode()
        except (LookupError, UnicodeError):  # the codec "undefined", which some pages declare, raises the latter
            pass
    return encodings.decoded(data, name).encode()


def _table(table: _Table, title: str, limits: Limits) -> tuple[list[list[Any]], list[Area]]:
    """Cells by position; a spanned cell is in its first place, its others are empty, and its area is returned."""
    rows: list[list[Any]] = []
    merged: list[Area] = []
    taken: dict[int, int] = {}  # column → further rows of a cell above
    width = 0
    for line in table.lines:
        cells: list[Any] = []
        reached = {column: left - 1 for column, left in taken.items() if left > 1}
        for cell in line:
            while taken.get(len(cells), 0) > 0:
                cells.append("")
            text, across, down = (cell, 1, 1) if isinstance(cell, str) else cell
            if down > 1 or across > 1:
                merged.append(Area(len(rows), len(rows) + down - 1, len(cells), len(cells) + across - 1))
            if down > 1:
                reached.update(dict.fromkeys(range(len(cells), len(cells) + across), down - 1))
            cells.append(text)
            cells.extend([""] * (across - 1))
            # A row of spans may have a thousand times as many cells as are written.
            if across > 1 and len(cells) > limits.columns:
                check_extent(title, table.height, len(cells), limits)
        taken = reached
        rows.append(cells)
        width = max(width, len(cells))
        if len(rows) > limits.rows + HEADER_ROWS or width > limits.columns or len(rows) * width > limits.cells:
            check_extent(title, table.height, width, limits)
    while rows and not any(rows[-1]):
        rows.pop()
    check_extent(title, len(rows), width, limits)
    return rows, merged


def _span(written: str | None) -> int:
    text = (written or "1").strip()
    return max(1, min(int(text), 1000)) if text.isascii() and text.isdigit() else 1


def _content(cell: etree._Element) -> str:
    if len(cell) == 0:
        return " ".join((cell.text or "").split())  # most cells by far; XPath would take ten times as long
    texts = cell.xpath(".//text()[not(ancestor::script or ancestor::style)]")
    return " ".join(piece for text in texts for piece in str(text).split())

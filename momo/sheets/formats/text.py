"""CSV files and HTML tables."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree, html

from momo.sheets.columns import HEADER_ROWS
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import Limits, Sheet, broken, check_extent

DELIMITERS = ",\t;|"
CSV_SHEET = "CSV"
HTML_SHEET = "HTML"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decoded(data: bytes, name: str) -> str:
    """Text in UTF-8 or UTF-16 (with or without byte-order mark) or Big5 (cp950). Raises SheetError."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                stated = encoding.removesuffix("-sig").upper()
                raise SheetError(
                    f"「{name}」標示為 {stated}，但內容不符（第 {error.start + 1:,} 個位元組）；"
                    "請用 Excel 另存成「CSV UTF-8」再匯入。"
                ) from error
    sample = data[:4096]
    if in_utf16(sample):
        # The zero byte of ASCII characters shows the byte order.
        even, odd = sample[::2].count(b"\x00"), sample[1::2].count(b"\x00")
        encodings = ["utf-16-le" if odd >= even else "utf-16-be"]
    else:
        # Text in Big5 is almost never valid UTF-8.
        encodings = ["utf-8", "cp950", "big5hkscs"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetError(f"看不懂「{name}」的文字編碼；請用 Excel 另存成「CSV UTF-8」再匯入。")


def in_utf16(sample: bytes) -> bool:
    """Whether text without a byte-order mark is UTF-16: every other byte of its ASCII, delimiters at least, is 0."""
    return sample.count(b"\x00") > len(sample) // 10 and sample.count(b"\x00\x00") < len(sample) // 100 + 1


def csv_sheets(path: Path, *, name: str, limits: Limits) -> list[Sheet]:
    """A CSV file as one sheet, split by the delimiter that fits its first rows best."""
    text = decoded(path.read_bytes(), name)
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
    try:
        for row in _records(text, delimiter):
            if any(row):
                width = max(width, len(row))
                # Before empty rows are created: a file of line ends only has 50 million.
                if len(rows) + blank >= limits.rows + HEADER_ROWS or width > limits.columns:
                    lines = text.count("\n") + (not text.endswith("\n"))
                    check_extent(CSV_SHEET, max(lines, len(rows) + blank + 1), width, limits)
                rows.extend([] for _ in range(blank))
                blank = 0
                rows.append(row)
            else:
                blank += 1
    except csv.Error as error:
        raise SheetError(
            f"「{name}」第 {len(rows) + blank + 1:,} 列的引號不成對或欄位過長；請用 Excel 另存成 .xlsx 再匯入。"
        ) from error
    check_extent(CSV_SHEET, len(rows), width, limits)
    return [Sheet.of(CSV_SHEET, _squared(rows, width))]


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
    data = path.read_bytes()
    text = _html_text(data, name)
    try:
        root = html.document_fromstring(text, parser=html.HTMLParser(huge_tree=True, no_network=True, encoding="utf-8"))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise broken(name) from error
    tables = [table for table in root.iter("table") if next(table.iterdescendants("table"), None) is None]
    if not tables:
        raise SheetError(f"「{name}」是網頁，裡面沒有表格；請確認下載的是報表，而不是登入頁或錯誤頁。")
    sheets = []
    for number, table in enumerate(tables, start=1):
        title = HTML_SHEET if len(tables) == 1 else f"{HTML_SHEET} 表格 {number}"
        sheets.append(Sheet.of(title, _table(table, title, limits)))
    return sheets


def _html_text(data: bytes, name: str) -> bytes:
    """The page in UTF-8, decoded by its byte-order mark, its declaration, or as a CSV file."""
    declared = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", data[:4096], re.IGNORECASE)
    if declared and not data.startswith(tuple(mark for mark, _ in _MARKS)):
        encoding = declared[1].decode("ascii")
        try:
            # Pages in Big5 use Microsoft's characters (cp950). A wrong declaration is ignored.
            return data.decode("cp950" if encoding.lower() == "big5" else encoding).encode()
        except (LookupError, UnicodeError):  # the codec "undefined", which some pages declare, raises the latter
            pass
    return decoded(data, name).encode()


def _table(table: html.HtmlElement, title: str, limits: Limits) -> list[list[Any]]:
    """Cells by position; a spanned cell is in its first place, its others are empty."""
    rows: list[list[Any]] = []
    taken: dict[int, int] = {}  # column → further rows of a cell above
    width = 0
    for line in table.iter("tr"):
        cells: list[Any] = []
        reached = {column: left - 1 for column, left in taken.items() if left > 1}
        for cell in line.iterchildren("td", "th"):
            while taken.get(len(cells), 0) > 0:
                cells.append("")
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            if down > 1:
                reached.update(dict.fromkeys(range(len(cells), len(cells) + across), down - 1))
            cells.append(_content(cell))
            cells.extend([""] * (across - 1))
        taken = reached
        rows.append(cells)
        width = max(width, len(cells))
        if len(rows) > limits.rows + HEADER_ROWS or width > limits.columns:
            check_extent(title, sum(1 for _ in table.iter("tr")), width, limits)
    while rows and not any(rows[-1]):
        rows.pop()
    check_extent(title, len(rows), width, limits)
    return _squared(rows, width)


def _span(cell: html.HtmlElement, name: str) -> int:
    text = cell.get(name, "1").strip()
    return max(1, min(int(text), 1000)) if text.isascii() and text.isdigit() else 1


def _content(cell: html.HtmlElement) -> str:
    if len(cell) == 0:
        return " ".join((cell.text or "").split())  # most cells by far; XPath would take ten times as long
    texts = cell.xpath(".//text()[not(ancestor::script or ancestor::style)]")
    return " ".join(piece for text in texts for piece in str(text).split())

"""Inspects sheets of .xls before calamine reads them ([MS-XLS] 2.1: an OLE file with a stream of records)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

import olefile

from momo.sheets.areas import Area
from momo.sheets.errors import SheetError
from momo.sheets.formats.base import Facts, Inspected, Limits, broken, check_extent, error_of, protected, zeros_of
from momo.sheets.values import UNCALCULATED

_EOF, _FILE_PASS, _DATE_MODE, _BOUND_SHEET = 0x0A, 0x2F, 0x22, 0x85
_FORMULA, _MULTIPLE, _BOOLEAN_OR_ERROR = 0x06, 0xBD, 0x205
_ROW, _HIDDEN = 0x208, 0x20  # the bit of a hidden row ([MS-XLS] 2.4.221)
_FORMAT, _STYLE = 0x41E, 0xE0
_CODE_PAGE, _UNICODE = 0x42, b"\xb0\x04"
_MERGED = 0xE5
_CALCULATE_ON_LOAD = 2
_FOUR = struct.pack("<d", 4.0)
_MAY_ERR = frozenset({_FORMULA, _BOOLEAN_OR_ERROR})
_NUMBERS = frozenset({_FORMULA, _MULTIPLE, 0x203, 0x27E})
# Cells with a row and a column in their first four bytes: numbers, text, short numbers, rich text.
_CELLS = frozenset({_FORMULA, _MULTIPLE, _BOOLEAN_OR_ERROR, 0x203, 0x204, 0xFD, 0x27E, 0xD6})
_OTHERS = {
    "WordDocument": "Word 文件",
    "PowerPoint Document": "PowerPoint 簡報",
    "__properties_version1.0": "Outlook 郵件",
}
_PASSWORD_STREAMS = ("EncryptedPackage", "EncryptionInfo")


def inspect(path: Path, *, name: str, limits: Limits) -> Inspected:
    """What is known of the workbook at `path`.

    Raises SheetError for a password, for other Office files in an OLE container, and for a damaged one.
    """
    data = _workbook(path, name)
    book = _Globals(name)
    code_page = 0
    for position, kind, length in _records(data, 0, name):
        if kind == _EOF:
            break
        if position == 4:
            book.unicode_names = data[4:6] == b"\x00\x06"
        book.read(kind, data[position : position + length])
        if kind == _CODE_PAGE and book.unicode_names and data[position : position + length] != _UNICODE:
            code_page = position
    padded = {style: digits for style, digits in enumerate(book.styles) if digits}
    found = {sheet: _facts(data, start, name, padded) for sheet, start in book.starts.items()}
    # calamine reads all sheets when it opens the file, hidden ones too.
    if sum(each.rows * each.columns for each in found.values()) > limits.cells:
        largest = max(found, key=lambda sheet: found[sheet].rows * found[sheet].columns)
        check_extent(largest, found[largest].rows, found[largest].columns, limits)
        raise SheetError(f"「{name}」的工作表加起來太大了；請只留需要的工作表。")

    def facts(sheet: str) -> Facts:
        # Names in BIFF5 depend on a code page, so that `sheet` may be any sheet: the bounds of all are checked.
        for each in [sheet] if book.unicode_names and sheet in found else found:
            check_extent(each, found[each].rows, found[each].columns, limits)
        return found.get(sheet, Facts())

    copy = partial(_unicode_copy, path, data[:code_page] + _UNICODE + data[code_page + 2 :]) if code_page else None
    return Inspected(facts, book.date1904, copy)


def _unicode_copy(path: Path, workbook: bytes) -> BinaryIO:
    """A copy of the file with other records.

    All text of BIFF8 is Unicode. JExcelApi and Spreadsheet::WriteExcel state the code page of the writer's computer all
    the same, and calamine decodes the text by it.
    """
    copy = io.BytesIO(path.read_bytes())
    with olefile.OleFileIO(copy, write_mode=True) as ole:
        ole.write_stream("Workbook" if ole.exists("Workbook") else "Book", workbook)
    copy.seek(0)
    return copy


class _Globals:
    """The records of the workbook as a whole."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.unicode_names = True  # BIFF8; strings of BIFF5 have one byte a character
        self.date1904 = False
        self.starts: dict[str, int] = {}  # sheet → position of its records
        self.formats: dict[int, int] = {}  # number format → digits, if it shows leading zeros
        self.styles: list[int] = []  # digits of each cell style, or 0

    def read(self, kind: int, body: bytes) -> None:
        """Add one record."""
        if kind == _FILE_PASS:
            raise protected(self.name)
        if kind == _DATE_MODE:
            self.date1904 = body[:2] == b"\x01\x00"
        elif kind == _BOUND_SHEET and len(body) > 8:
            sheet = _sheet_name(body, self.unicode_names)
            if sheet in self.starts:
                raise broken(self.name, f"工作表「{sheet[:40]}」")
            self.starts[sheet] = struct.unpack_from("<I", body)[0]
        elif kind == _FORMAT and len(body) > 5 and self.unicode_names:
            self.formats[int.from_bytes(body[:2], "little")] = zeros_of(
                _characters(body[4:], int.from_bytes(body[2:4], "little"))
            )
        elif kind == _STYLE and len(body) >= 4:
            self.styles.append(self.formats.get(int.from_bytes(body[2:4], "little"), 0))


def _workbook(path: Path, name: str) -> bytes:
    try:
        with olefile.OleFileIO(path) as ole:
            if any(ole.exists(stream) for stream in _PASSWORD_STREAMS):
                raise protected(name)
            for stream in ("Workbook", "Book"):
                if ole.exists(stream):
                    data: bytes = ole.openstream(stream).read()
                    return data
            for stream, what in _OTHERS.items():
                if ole.exists(stream):
                    raise SheetError(f"「{name}」是{what}，不是試算表；請匯入 .xlsx、.xls、.ods 或 .csv 檔。")
    except SheetError:
        raise
    except Exception as error:  # olefile may raise any exception for a damaged file
        raise broken(name) from error
    raise broken(name, "找不到活頁簿")


def _records(data: bytes, position: int, name: str) -> Iterator[tuple[int, int, int]]:
    """Position of the body, type and length of each record."""
    end = len(data)
    unpack = struct.Struct("<HH").unpack_from
    while position + 4 <= end:
        kind, length = unpack(data, position)
        position += 4
        if position + length > end:
            raise broken(name)
        yield position, kind, length
        position += length


def _facts(data: bytes, start: int, name: str, padded: Mapping[int, int]) -> Facts:
    facts = Facts()
    unpack = struct.Struct("<HH").unpack_from
    depth = 0
    for position, kind, length in _records(data, start, name):
        if kind in _CELLS and length >= 6:
            row, column = unpack(data, position)
            last = unpack(data, position + length - 2 - 2)[1] if kind == _MULTIPLE else column
            facts.reach(row, last)
            if padded and kind in _NUMBERS:
                _note_digits(facts, data, position, range(column, last + 1), padded)
            if kind in _MAY_ERR:
                _note_error(facts, data, position, kind, length)
        elif kind == _ROW and length >= 16 and data[position + 12] & _HIDDEN:
            facts.hidden.add(unpack(data, position)[0])
        elif kind == 0x809:
            depth += 1
        elif kind == _MERGED:
            _note_merged(facts, data, position, length)
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
    return facts


def _note_merged(facts: Facts, data: bytes, position: int, length: int) -> None:
    for place in range(position + 2, position + length - 7, 8):
        facts.merge(Area(*struct.unpack_from("<4H", data, place)))


def _note_digits(facts: Facts, data: bytes, position: int, columns: range, padded: Mapping[int, int]) -> None:
    """Note numbers with leading zeros. In a record of several each has a style (two bytes) and a value (four bytes)."""
    (row,) = struct.unpack_from("<H", data, position)
    for number, column in enumerate(columns):
        (style,) = struct.unpack_from("<H", data, position + 4 + 6 * number)
        if style in padded:
            facts.digits[row, column] = padded[style]


def _note_error(facts: Facts, data: bytes, position: int, kind: int, length: int) -> None:
    row, column = struct.unpack_from("<HH", data, position)
    code = _error_code(data, position, kind, length)
    if code is not None:
        facts.note(row, column, error_of(code))
    elif kind == _FORMULA and _is_uncalculated(data, position, length):
        facts.note(row, column, UNCALCULATED)


def _error_code(data: bytes, position: int, kind: int, length: int) -> int | None:
    """The code of an error value; None for a cell with another value."""
    if kind == _BOOLEAN_OR_ERROR and length >= 8 and data[position + 7]:
        return data[position + 6]
    # A formula's result is no number if it ends so; its first byte is then the type of the result, 2 for an error.
    if kind == _FORMULA and length >= 14 and data[position + 12 : position + 14] == b"\xff\xff":
        return data[position + 8] if data[position + 6] == 2 else None
    return None


def _is_uncalculated(data: bytes, position: int, length: int) -> bool:
    """Whether a formula has no result, but what writers that do not calculate write with the wish that Excel does.

    JExcelApi writes 4 and a mark of its own, all others 0.
    """
    if length < 20 or not data[position + 14] & _CALCULATE_ON_LOAD:
        return False
    result, mark = data[position + 6 : position + 14], data[position + 16 : position + 20]
    return result == bytes(8) or (result == _FOUR and mark == b"\0\0\xe0\xfc")


def _sheet_name(body: bytes, unicode_names: bool) -> str:
    length = body[6]
    if not unicode_names:
        return body[7 : 7 + length].decode("latin-1")
    return _characters(body[7:], length)


def _characters(body: bytes, length: int) -> str:
    """Characters of two bytes or one, according to the byte before them ([MS-XLS] 2.5.294, after the length)."""
    if body[0] & 1:
        return body[1 : 1 + 2 * length].decode("utf-16-le", "replace")
    return body[1 : 1 + length].decode("latin-1")

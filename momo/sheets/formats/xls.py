"""Sheets of .xls before calamine reads them ([MS-XLS] 2.1: an OLE file with a stream of records)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import olefile

from momo.sheets.errors import SheetError
from momo.sheets.formats.base import Facts, Limits, broken, check_extent, error_of, protected, zeros_of

_EOF, _FILE_PASS, _DATE_MODE, _BOUND_SHEET = 0x0A, 0x2F, 0x22, 0x85
_FORMULA, _MULTIPLE, _BOOLEAN_OR_ERROR = 0x06, 0xBD, 0x205
_FORMAT, _STYLE = 0x41E, 0xE0
_NUMBERS = frozenset({_FORMULA, _MULTIPLE, 0x203, 0x27E})
# Cells with a row and a column in their first four bytes: numbers, text, short numbers, rich text.
_CELLS = frozenset({_FORMULA, _MULTIPLE, _BOOLEAN_OR_ERROR, 0x203, 0x204, 0xFD, 0x27E, 0xD6})
_OTHERS = {
    "WordDocument": "Word 文件",
    "PowerPoint Document": "PowerPoint 簡報",
    "__properties_version1.0": "Outlook 郵件",
}
_PASSWORD_STREAMS = ("EncryptedPackage", "EncryptionInfo")


def inspect(path: Path, *, name: str, limits: Limits) -> tuple[Callable[[str], Facts], bool]:
    """What gives the facts of a sheet by name, and whether the workbook counts days from 1904.

    Raises SheetError for a password, for other Office files in an OLE container, and for a damaged one.
    """
    data = _workbook(path, name)
    starts: dict[str, int] = {}
    date1904 = False
    unicode_names = True
    formats: dict[int, int] = {}  # number format → digits, of those that show leading zeros
    styles: dict[int, int] = {}
    style = 0
    for position, kind, length in _records(data, 0, name):
        body = data[position : position + length]
        if position == 4:
            unicode_names = body[:2] == b"\x00\x06"  # BIFF8; BIFF5 has one byte a letter
        if kind == _FILE_PASS:
            raise protected(name)
        if kind == _DATE_MODE:
            date1904 = body[:2] == b"\x01\x00"
        elif kind == _BOUND_SHEET and length > 8:
            sheet = _sheet_name(body, unicode_names)
            if sheet in starts:
                raise broken(name, f"工作表「{sheet[:40]}」")
            starts[sheet] = struct.unpack_from("<I", body)[0]
        elif kind == _FORMAT and length > 5 and unicode_names:
            formats[int.from_bytes(body[:2], "little")] = zeros_of(_text(body[2:]))
        elif kind == _STYLE and length >= 4:
            styles[style] = formats.get(int.from_bytes(body[2:4], "little"), 0)
            style += 1
        elif kind == _EOF:
            break
    order = list(starts)
    padded = {number: digits for number, digits in styles.items() if digits}

    by_any = _by_any(data, starts, order, name, limits)

    def facts(sheet: str) -> Facts:
        if unicode_names and sheet in starts:
            return _facts(data, starts[sheet], sheet, name, limits, padded)
        return by_any(sheet)

    return facts, date1904


def _by_any(data: bytes, starts: dict[str, int], order: list[str], name: str, limits: Limits) -> Callable[[str], Facts]:
    """Of names that depend on a code page: bounds are those of any sheet, errors only where the names agree."""

    def facts(sheet: str) -> Facts:
        for each in order:
            _facts(data, starts[each], each, name, limits)
        return _facts(data, starts.get(sheet, -1), sheet, name, limits)

    return facts


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
    except Exception as error:  # olefile raises whatever a damaged file makes it stumble over
        raise broken(name) from error
    raise broken(name, "找不到活頁簿")


def _records(data: bytes, position: int, name: str) -> Iterator[tuple[int, int, int]]:
    """Start of the body, type and length of each record."""
    end = len(data)
    unpack = struct.Struct("<HH").unpack_from
    while position + 4 <= end:
        kind, length = unpack(data, position)
        position += 4
        if position + length > end:
            raise broken(name)
        yield position, kind, length
        position += length


def _facts(
    data: bytes, start: int, sheet: str, name: str, limits: Limits, padded: Mapping[int, int] | None = None
) -> Facts:
    facts = Facts()
    if start < 0:
        return facts
    unpack = struct.Struct("<HH").unpack_from
    depth = 0
    for position, kind, length in _records(data, start, name):
        if kind in _CELLS and length >= 6:
            row, column = unpack(data, position)
            last = unpack(data, position + length - 2 - 2)[1] if kind == _MULTIPLE else column
            facts.reach(row, last)
            if padded and kind in _NUMBERS:
                for place in range(column, last + 1):
                    digits = padded.get(int.from_bytes(data[position + 4 : position + 6], "little"))
                    if digits:
                        facts.digits[row, place] = digits
                    position += 6  # of several numbers in one record each has a style and four bytes
            if kind == _BOOLEAN_OR_ERROR and length >= 8 and data[position + 7]:
                facts.note(row, column, error_of(data[position + 6]))
            elif (
                kind == _FORMULA
                and length >= 14
                and data[position + 12 : position + 14] == b"\xff\xff"  # no number, but what the first byte says
                and data[position + 6] == 2
            ):
                facts.note(row, column, error_of(data[position + 8]))
        elif kind == 0x809:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
    check_extent(sheet, facts.rows, facts.columns, limits)
    return facts


def _sheet_name(body: bytes, unicode_names: bool) -> str:
    length = body[6]
    if not unicode_names:
        return body[7 : 7 + length].decode("latin-1")
    return _letters(body[7:], length)


def _text(body: bytes) -> str:
    """XLUnicodeString ([MS-XLS] 2.5.294)."""
    return _letters(body[2:], int.from_bytes(body[:2], "little"))


def _letters(body: bytes, length: int) -> str:
    """Letters of two bytes or one, as the byte before them says."""
    if body[0] & 1:
        return body[1 : 1 + 2 * length].decode("utf-16-le", "replace")
    return body[1 : 1 + length].decode("latin-1")

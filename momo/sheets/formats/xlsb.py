"""Inspects sheets of .xlsb before calamine reads them ([MS-XLSB] 2.1.4: records of type, length, bytes)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from momo.sheets.formats.archive import Archive, relations
from momo.sheets.formats.base import Facts, Limits, broken, check_extent, error_of, zeros_of

WORKBOOK = "xl/workbook.bin"
STRINGS = "xl/sharedStrings.bin"
_ROW, _BLANK, _ERROR, _FORMULA_ERROR = 0, 1, 3, 11
_LAST_CELL, _RICH_TEXT = 11, 62  # types 1 to 11 are cells
_NOTHING = b"\xff" * 4  # the length of an absent text
_SHEET, _WORKBOOK_PROPERTIES = 156, 153
STYLES = "xl/styles.bin"
_FORMAT, _STYLE, _BEGIN_STYLES, _END_STYLES = 44, 47, 617, 618
_NUMBERS = frozenset({2, 5, 9})  # short, real, of a formula


def inspect(archive: Archive, limits: Limits) -> tuple[Callable[[str], Facts], bool]:
    """A function from sheet name to facts, and whether the workbook's serial dates count from 1904."""
    targets = relations(archive, WORKBOOK)
    parts: dict[str, str] = {}
    date1904 = False
    for kind, body in _records(archive, WORKBOOK):
        if kind == _SHEET and body[8:12] != _NOTHING:
            relation, end = _text(body, 8)
            name, _ = _text(body, end)
            if name in parts:
                raise broken(archive.name, f"工作表「{name[:40]}」")
            parts[name] = targets.get(relation, "")
        elif kind == _WORKBOOK_PROPERTIES:
            date1904 = bool(body[0] & 1)
    archive.measure(STRINGS)
    padded = _padded(archive)
    return lambda name: _facts(archive, name, parts.get(name, ""), limits, padded), date1904


def _padded(archive: Archive) -> dict[int, int]:
    """Cell style → digits, for styles whose number format shows leading zeros."""
    formats: dict[int, int] = {}
    styles: list[int] = []
    inside = False
    for kind, body in _records(archive, STYLES) if STYLES in archive else ():
        if kind == _FORMAT:
            formats[int.from_bytes(body[:2], "little")] = zeros_of(_text(body, 2)[0])
        elif kind in (_BEGIN_STYLES, _END_STYLES):
            inside = kind == _BEGIN_STYLES
        elif kind == _STYLE and inside:
            styles.append(formats.get(int.from_bytes(body[2:4], "little"), 0))
    return {style: digits for style, digits in enumerate(styles) if digits}


def _facts(archive: Archive, name: str, part: str, limits: Limits, padded: dict[int, int]) -> Facts:
    if part not in archive:
        raise broken(archive.name, f"工作表「{name[:40]}」")
    facts = Facts()
    row = 0
    for kind, body in _records(archive, part):
        if kind == _ROW:
            row = int.from_bytes(body[:4], "little")
        elif _BLANK < kind <= _LAST_CELL or kind == _RICH_TEXT:
            column = int.from_bytes(body[:4], "little")
            facts.reach(row, column)
            if kind in (_ERROR, _FORMULA_ERROR):
                facts.note(row, column, error_of(body[8]))
            elif padded and kind in _NUMBERS and (digits := padded.get(int.from_bytes(body[4:7], "little"))):
                facts.digits[row, column] = digits
    check_extent(name, facts.rows, facts.columns, limits)
    return facts


def _text(body: bytes, start: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", body, start)
    end = start + 4 + 2 * length
    return body[start + 4 : end].decode("utf-16-le", "replace"), end


def _records(archive: Archive, part: str) -> Iterator[tuple[int, bytes]]:
    """Type and body of each record; type and length are numbers of 7 bits a byte, the lowest first."""
    data = b""
    for chunk in archive.chunks(part):
        data += chunk
        position, end = 0, len(data)
        while position + 6 < end:
            start = position
            kind = data[position]
            position += 1
            if kind & 0x80:
                kind = (kind & 0x7F) | (data[position] & 0x7F) << 7
                position += 1
            length = shift = 0
            for _ in range(4):
                byte = data[position]
                position += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
            if position + length > end:
                position = start
                break
            yield kind, data[position : position + length]
            position += length
        data = data[position:]
        if len(data) > archive.limits.bytes:
            raise broken(archive.name, part)

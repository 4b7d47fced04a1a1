"""Inspects sheets of .xlsb before calamine reads them ([MS-XLSB] 2.1.4: records of type, length, bytes)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain

from momo.sheets.areas import Area
from momo.sheets.errors import SheetError
from momo.sheets.formats.archive import CHUNK, Archive, folded, relations, rewritten
from momo.sheets.formats.base import Facts, Inspected, Limits, broken, check_extent, error_of, zeros_of

WORKBOOK = "xl/workbook.bin"
STRINGS = "xl/sharedStrings.bin"
MACRO_SHEETS = "xl/macrosheets/"
_ROW, _BLANK, _ERROR, _FORMULA_ERROR = 0, 1, 3, 11
_LAST_CELL, _RICH_TEXT = 11, 62  # types 1 to 11 are cells
_HIDDEN = 0x10  # the bit of a hidden row ([MS-XLSB] 2.4.746)
# Types 12 to 18 are the cells 1 to 7 without their column, which is the one after the cell before. SheetJS writes them,
# and calamine does not know them.
_SHORT_CELLS, _LAST_SHORT = 12, 18
_LONGER = _SHORT_CELLS - _BLANK
_MERGED = 176
_NOTHING = b"\xff" * 4  # the length of an absent text
_SHEET, _WORKBOOK_PROPERTIES = 156, 153
STYLES = "xl/styles.bin"
_FORMAT, _STYLE, _BEGIN_STYLES, _END_STYLES = 44, 47, 617, 618
_NUMBERS = frozenset({2, 5, 9})  # short, real, of a formula


def inspect(archive: Archive, limits: Limits) -> Inspected:
    """What is known of the workbook; its sheets are looked through at once, for cells that calamine does not know."""
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
    sheets = {name: _Sheet(archive, part, padded) for name, part in parts.items() if part in archive}

    def facts(name: str) -> Facts:
        if name not in sheets:
            raise broken(archive.name, f"工作表「{name[:40]}」")
        sheet = sheets[name]
        if sheet.error is not None:
            raise sheet.error
        check_extent(name, sheet.facts.rows, sheet.facts.columns, limits)
        return sheet.facts

    short = [folded(parts[name]) for name, sheet in sheets.items() if sheet.short]
    change = {part: partial(_lengthened, archive, part) for part in short}
    if any(folded(part).startswith(MACRO_SHEETS) for part in parts.values()):
        change[WORKBOOK] = partial(_without_macros, archive, targets)
    return Inspected(facts, date1904, partial(rewritten, archive, change) if change else None)


def _without_macros(archive: Archive, targets: Mapping[str, str]) -> Iterator[bytes]:
    """The list of sheets without those of Excel 4's macros: calamine reads no workbook that has one."""
    for kind, body in _records(archive, WORKBOOK):
        macros = kind == _SHEET and body[8:12] != _NOTHING and targets.get(_text(body, 8)[0], "")
        if not macros or not folded(macros).startswith(MACRO_SHEETS):
            yield _record(kind, body)


class _Sheet:
    """The facts of one sheet, whether it has short cells, and the error if it cannot be read."""

    def __init__(self, archive: Archive, part: str, padded: dict[int, int]) -> None:
        self.facts = Facts()
        self.short = False
        self.error: SheetError | None = None
        try:
            self._read(archive, part, padded)
        except SheetError as error:
            self.error = error  # of a sheet that may be hidden, so that nobody asks for it

    def _read(self, archive: Archive, part: str, padded: dict[int, int]) -> None:
        row, column = 0, -1
        for kind, body in _records(archive, part):
            if kind == _ROW:
                row, column = int.from_bytes(body[:4], "little"), -1
                if len(body) > 11 and body[11] & _HIDDEN:
                    self.facts.hidden.add(row)
            elif kind == _MERGED:
                self.facts.merge(Area(*struct.unpack_from("<4I", body)))
            else:
                if _SHORT_CELLS <= kind <= _LAST_SHORT:
                    self.short = True
                    kind, body = kind - _LONGER, struct.pack("<I", column + 1) + body
                if _is_cell(kind):
                    column = int.from_bytes(body[:4], "little")
                    self._note(kind, body, row, column, padded)

    def _note(self, kind: int, body: bytes, row: int, column: int, padded: dict[int, int]) -> None:
        if kind == _BLANK:
            return
        self.facts.reach(row, column)
        if kind in (_ERROR, _FORMULA_ERROR):
            self.facts.note(row, column, error_of(body[8]))
        elif padded and kind in _NUMBERS and (digits := padded.get(int.from_bytes(body[4:7], "little"))):
            self.facts.digits[row, column] = digits


def _lengthened(archive: Archive, part: str) -> Iterator[bytes]:
    """The part's records, in pieces, with the column in each cell."""
    piece = bytearray()
    column = -1
    for kind, body in _records(archive, part):
        if _SHORT_CELLS <= kind <= _LAST_SHORT:
            column += 1
            piece += _record(kind - _LONGER, struct.pack("<I", column) + body)
        else:
            if kind == _ROW:
                column = -1
            elif _is_cell(kind):
                column = int.from_bytes(body[:4], "little")
            piece += _record(kind, body)
        if len(piece) > CHUNK:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _is_cell(kind: int) -> bool:
    return _BLANK <= kind <= _LAST_CELL or kind == _RICH_TEXT


def _record(kind: int, body: bytes) -> bytes:
    head = bytearray([kind]) if kind < 0x80 else bytearray([kind & 0x7F | 0x80, kind >> 7])
    length = len(body)
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + body


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


def _text(body: bytes, start: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", body, start)
    end = start + 4 + 2 * length
    return body[start + 4 : end].decode("utf-16-le", "replace"), end


def _records(archive: Archive, part: str) -> Iterator[tuple[int, bytes]]:
    """Type and body of each record; type and length are numbers of 7 bits a byte, the lowest first."""
    data = b""
    for chunk in chain(archive.chunks(part), (b"",)):
        data += chunk
        position, end = 0, len(data)
        # The head of a record has 6 bytes at most; behind the last ones there are none.
        whole = end - 6 if chunk else end
        data += b"" if chunk else bytes(6)
        while position < whole:
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
        data = data[position:end]
        if len(data) > archive.limits.bytes:
            raise broken(archive.name, part)

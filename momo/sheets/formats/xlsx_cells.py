"""Parses a sheet of .xlsx cell by cell: slow, but correct for any valid XML (ECMA-376 part 1, 18.3.1).

Elements count as in calamine (local names, only inside the first `sheetData`, a cell without a reference follows the
one before), so that both see the same sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NoReturn
from xml.parsers import expat

from openpyxl.utils import column_index_from_string

from momo.sheets.areas import Area
from momo.sheets.formats.base import Facts, Limits, broken, check_extent
from momo.sheets.values import UNCALCULATED, CellError

MAX_DEPTH = 64  # of nested elements; a sheet has some ten
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([1-9][0-9]{0,6})")
_AREA = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6}):([A-Z]{1,3})([1-9][0-9]{0,6})")
_ROW = re.compile(r"[1-9][0-9]{0,6}")


def area_of(left: str, top: str | bytes, right: str, bottom: str | bytes) -> Area:
    """The merged area of a reference such as A2:B5."""
    rows = int(top) - 1, int(bottom) - 1
    columns = column_index_from_string(left) - 1, column_index_from_string(right) - 1
    return Area(min(rows), max(rows), min(columns), max(columns))


def walk(
    chunks: Iterable[bytes],
    facts: Facts,
    *,
    name: str,
    sheet: str,
    limits: Limits,
    padded: Mapping[int, int],
    pending: bool = False,
) -> None:
    """Add the contents of the sheet to `facts`; `padded` is cell style → digits, `pending` as in `xlsx`.

    Raises SheetError if the XML is damaged or not UTF-8, and at the first cell beyond `limits`.
    """
    cells = _Cells(facts, name=name, sheet=sheet, limits=limits, padded=padded, pending=pending)
    first = True
    try:
        for chunk in chunks:
            # expat reads these as UTF-16 in spite of its encoding argument; calamine would see other cells.
            if first and (b"\0" in chunk[:4] or chunk.startswith((b"\xff\xfe", b"\xfe\xff"))):
                raise broken(name, "UTF-16")
            first = False
            cells.parser.Parse(chunk)
        cells.parser.Parse(b"", True)
    except expat.ExpatError as error:
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]:
            raise MemoryError from error
        raise broken(name) from error


class _Cells:
    """Handlers of the parser. No tree is built: one row may have more cells than fit into memory."""

    def __init__(
        self, facts: Facts, *, name: str, sheet: str, limits: Limits, padded: Mapping[int, int], pending: bool
    ) -> None:
        self.facts, self.name, self.sheet, self.limits, self.padded = facts, name, sheet, limits, padded
        self.pending = pending
        # Ignores the declared encoding, as calamine does.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.depth = 0
        self.inside: bool | None = None  # sheetData: before it, in it, False after it
        self.row = self.column = 0  # from 0, of a cell without a reference
        self.cell: dict[str, str] | None = None
        self.place = (0, 0)
        self.children: list[str] = []
        self.text: list[str] = []

    def _doctype(self, *_: object) -> NoReturn:
        raise broken(self.name, "DOCTYPE")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise broken(self.name)
        kind = tag.partition(":")[2] or tag
        if self.cell is not None:
            self._child(kind)
        elif not self.inside:
            if kind == "sheetData" and self.inside is None:
                self.inside = True
            elif kind == "mergeCell" and (found := _AREA.fullmatch(attributes.get("ref", ""))):
                self.facts.merge(area_of(*found.groups()))
        elif kind == "row":
            self._row(attributes)
        elif kind == "c":
            self._cell(attributes)

    def _row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        if number is not None:
            if not _ROW.fullmatch(number):
                raise broken(self.name, f"r={number[:20]}")
            self.row = int(number) - 1
        if attributes.get("hidden") in ("1", "true"):
            self.facts.hidden.add(self.row)

    def _cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self.place = self.row, self.column
        else:
            found = _REFERENCE.fullmatch(reference)
            if found is None:
                raise broken(self.name, f"r={reference[:20]}")
            self.column = column_index_from_string(found[1]) - 1
            self.place = int(found[2]) - 1, self.column
        self.cell = attributes
        self.children.clear()
        self.text.clear()

    def _child(self, kind: str) -> None:
        if kind in ("f", "v", "is") and len(self.children) < 9:
            self.children.append(kind)
        if kind == "v":
            self.text.clear()
            self.parser.CharacterDataHandler = self.text.append

    def _end(self, tag: str) -> None:
        self.depth -= 1
        kind = tag.partition(":")[2] or tag
        if self.cell is not None:
            if kind == "v":
                self.parser.CharacterDataHandler = None
            elif kind == "c":
                self._note(self.cell)
                self.cell = None
                self.column += 1
        elif self.inside and kind == "row":
            self.row += 1
            self.column = 0
        elif kind == "sheetData":
            self.inside = False

    def _note(self, cell: Mapping[str, str]) -> None:
        if not self.children:
            return
        facts, (row, place) = self.facts, self.place
        if row >= facts.rows or place >= facts.columns:
            facts.reach(row, place)
            check_extent(self.sheet, facts.rows, facts.columns, self.limits)
        kind = cell.get("t", "n")
        text = "".join(self.text)
        if kind == "e":
            facts.note(row, place, CellError(text or "#UNKNOWN!"))
        uncalculated = self.children[-1] == "f" or (
            "f" in self.children
            and self.children[-1] == "v"
            and (not text.strip() or (self.pending and kind == "n" and text.strip() == "0"))
        )
        if uncalculated and kind != "str":  # a calculated formula with an empty text has type str and no value
            facts.note(row, place, UNCALCULATED)
        if kind == "n" and cell.get("s", "").isdecimal() and (digits := self.padded.get(int(cell["s"]))):
            facts.digits[row, place] = digits

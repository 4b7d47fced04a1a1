"""Inspects sheets of .ods before calamine reads them (OpenDocument 1.3 part 3, 9.1)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import IO, cast

from lxml import etree

from momo.sheets.errors import SheetError
from momo.sheets.formats.archive import Archive
from momo.sheets.formats.base import Facts, Limits, broken, check_extent, protected
from momo.sheets.values import CellError

CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_PREFIXES = {"table": _TABLE, "office": _OFFICE, "text": _TEXT}
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_REPEATED = f"{_TABLE}number-columns-repeated"
_VALUE_TYPE = f"{_OFFICE}value-type"
_CALC_TYPE = f"{_CALC}value-type"


def inspect(archive: Archive, limits: Limits) -> tuple[Callable[[str], Facts], bool]:
    """A function from sheet name to facts, and False: OpenDocument stores dates, so no epoch matters."""
    if MANIFEST in archive and b"encryption-data" in archive.read(MANIFEST):
        raise protected(archive.name)
    if CONTENT not in archive:
        raise broken(archive.name, CONTENT)
    sheets = _facts(archive, limits)

    def facts(name: str) -> Facts:
        if name not in sheets:
            raise broken(archive.name, f"工作表「{name[:40]}」")
        return sheets[name]

    return facts, False


class _Chunks:
    """The unpacked chunks as a file object for the parser."""

    def __init__(self, archive: Archive) -> None:
        self._chunks = archive.chunks(CONTENT)

    def read(self, _size: int = -1) -> bytes:
        return next(self._chunks, b"")


def _facts(archive: Archive, limits: Limits) -> dict[str, Facts]:
    """The facts of all sheets in one pass: all are in one part, and positions follow from counting repeats."""
    sheets: dict[str, Facts] = {}
    name, facts = "", Facts()
    row = 0
    try:
        # Events for rows, since events for cells take four times as long.
        for event, element in etree.iterparse(
            cast(IO[bytes], _Chunks(archive)),
            events=("start", "end", "start-ns"),
            tag=(f"{_TABLE}table", f"{_TABLE}table-row"),
            resolve_entities=False,
            huge_tree=True,
            encoding="utf-8",
        ):
            if event == "start-ns":
                # calamine recognises tags by prefix and ignores the namespace.
                prefix, space = cast(tuple[str, str], element)
                if f"{{{space}}}" != _PREFIXES.get(prefix, f"{{{space}}}"):
                    raise broken(archive.name, CONTENT)
            elif event == "start":
                if element.tag == f"{_TABLE}table":
                    name, row = element.get(f"{_TABLE}name", ""), 0
                    facts = sheets.setdefault(name, Facts())
            elif element.tag == f"{_TABLE}table-row":
                row = _row(element, row, facts, name, limits)
                element.clear(keep_tail=False)
                while element.getprevious() is not None:
                    del element.getparent()[0]
            else:
                # Also for hidden sheets, since calamine reads the whole document at once.
                check_extent(name, facts.rows, facts.columns, limits)
    except (etree.XMLSyntaxError, ValueError) as error:
        if isinstance(error, SheetError):
            raise
        raise broken(archive.name, CONTENT) from error
    return sheets


def _row(element: etree._Element, first: int, facts: Facts, name: str, limits: Limits) -> int:
    """Note the contents of a row that begins at `first` (from 0); returns the start of the next one."""
    after = first + int(element.get(f"{_TABLE}number-rows-repeated") or 1)
    column = 0
    holds = False
    wrong: list[tuple[range, CellError | int]] = []  # errors, and digits of numbers shown with leading zeros
    for cell in element.iterchildren(*_CELLS):
        places = range(column, column + int(cell.get(_REPEATED) or 1))
        column = places.stop
        kind = cell.get(_VALUE_TYPE)
        if kind is not None or len(cell):
            holds = True
            facts.reach(first, column - 1)
            if noted := _noted(cell, kind):
                wrong.append((places, noted))
    if holds:
        facts.rows = max(facts.rows, after)
    if wrong:
        check_extent(name, facts.rows, facts.columns, limits)  # before repeats become cells
    for places, noted in wrong:
        for row, place in product(range(first, after), places):
            if isinstance(noted, CellError):
                facts.note(row, place, noted)
            else:
                facts.digits[row, place] = noted
    return after


def _noted(cell: etree._Element, kind: str | None) -> CellError | int | None:
    """The error of a cell, or the digits of a number that is shown with leading zeros."""
    if cell.get(_CALC_TYPE) == "error":
        return CellError("".join(cell.itertext(f"{_TEXT}p")) or "#UNKNOWN!")
    shown = (cell[0].text if kind == "float" and len(cell) else None) or ""
    return len(shown) if shown[0:1] == "0" and len(shown) > 1 and shown.isdigit() else None

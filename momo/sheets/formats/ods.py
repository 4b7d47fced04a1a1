"""Sheets of .ods before calamine reads them (OpenDocument 1.3 part 3, 9.1)."""

from __future__ import annotations

from collections.abc import Callable
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
    """What gives the facts of a sheet by name; OpenDocument has dates, so that no epoch matters."""
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
    """Unpacked pieces as the file that the parser reads."""

    def __init__(self, archive: Archive) -> None:
        self._chunks = archive.chunks(CONTENT)

    def read(self, _size: int = -1) -> bytes:
        return next(self._chunks, b"")


def _facts(archive: Archive, limits: Limits) -> dict[str, Facts]:
    """All sheets in one pass: they stand in one part, and repeats make positions a matter of counting."""
    sheets: dict[str, Facts] = {}
    name, facts = "", Facts()
    row = 0
    try:
        # Rows, not cells: an event for each cell takes four times as long.
        for event, element in etree.iterparse(
            cast(IO[bytes], _Chunks(archive)),
            events=("start", "end", "start-ns"),
            tag=(f"{_TABLE}table", f"{_TABLE}table-row"),
            resolve_entities=False,
            huge_tree=True,
            encoding="utf-8",
        ):
            if event == "start-ns":
                # Calamine knows its tags by their prefixes, whatever these stand for.
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
                # Hidden sheets too: calamine reads all of a document at once.
                check_extent(name, facts.rows, facts.columns, limits)
    except (etree.XMLSyntaxError, ValueError) as problem:
        if isinstance(problem, SheetError):
            raise
        raise broken(archive.name, CONTENT) from problem
    return sheets


def _row(element: etree._Element, first: int, facts: Facts, name: str, limits: Limits) -> int:
    """Note what a row holds that begins at `first` (from 0); returns where the next one begins."""
    after = first + int(element.get(f"{_TABLE}number-rows-repeated") or 1)
    column = 0
    holds = False
    failed: list[tuple[range, CellError]] = []
    padded: list[tuple[range, int]] = []  # numbers that are shown with leading zeros
    for cell in element.iterchildren(*_CELLS):
        repeated = int(cell.get(_REPEATED) or 1)
        kind = cell.get(_VALUE_TYPE)
        if kind is not None or len(cell):
            holds = True
            facts.reach(first, column + repeated - 1)
            if cell.get(_CALC_TYPE) == "error":
                error = CellError("".join(cell.itertext(f"{_TEXT}p")) or "#UNKNOWN!")
                failed.append((range(column, column + repeated), error))
            elif kind == "float":
                shown = (cell[0].text if len(cell) else None) or ""
                if shown[0:1] == "0" and len(shown) > 1 and shown.isdigit():
                    padded.append((range(column, column + repeated), len(shown)))
        column += repeated
    if holds:
        facts.rows = max(facts.rows, after)
    if failed or padded:
        check_extent(name, facts.rows, facts.columns, limits)  # before repeats become cells
    for places, error in failed:
        for place in places:
            for each in range(first, after):
                facts.note(each, place, error)
    for places, digits in padded:
        for each in range(first, after):
            facts.digits.update(((each, place), digits) for place in places)
    return after

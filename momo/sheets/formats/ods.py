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
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")


def inspect(archive: Archive, limits: Limits) -> tuple[Callable[[str], Facts], bool]:
    """What gives the facts of a sheet by name; OpenDocument has dates, so that no epoch matters."""
    if MANIFEST in archive and b"encryption-data" in archive.read(MANIFEST):
        raise protected(archive.name)
    if CONTENT not in archive:
        raise broken(archive.name, CONTENT)
    sheets = _facts(archive, limits)
    return lambda name: sheets.get(name, Facts()), False


class _Chunks:
    """Unpacked pieces as the file that the parser reads."""

    def __init__(self, archive: Archive) -> None:
        self._chunks = archive.chunks(CONTENT)

    def read(self, _size: int = -1) -> bytes:
        return next(self._chunks, b"")


def _facts(archive: Archive, limits: Limits) -> dict[str, Facts]:
    """All sheets in one pass: they stand in one part, and repeats make positions a matter of counting."""
    sheets: dict[str, Facts] = {}
    name, facts, holds = "", Facts(), False
    row = column = 0
    failed: list[tuple[range, CellError]] = []
    tags = (f"{_TABLE}table", f"{_TABLE}table-row", *_CELLS)
    try:
        for event, element in etree.iterparse(
            cast(IO[bytes], _Chunks(archive)), events=("start", "end"), tag=tags, resolve_entities=False, huge_tree=True
        ):
            if event == "start":
                if element.tag == f"{_TABLE}table":
                    name, row = element.get(f"{_TABLE}name", ""), 0
                    facts = sheets.setdefault(name, Facts())
                elif element.tag == f"{_TABLE}table-row":
                    column, holds = 0, False
                continue
            if element.tag in _CELLS:
                repeated = int(element.get(f"{_TABLE}number-columns-repeated") or 1)
                if element.get(f"{_OFFICE}value-type") is not None or len(element):
                    facts.reach(row, column + repeated - 1)
                    if element.get(f"{_CALC}value-type") == "error":
                        error = CellError("".join(element.itertext(f"{_TEXT}p")) or "#UNKNOWN!")
                        failed.append((range(column, column + repeated), error))
                    holds = True
                column += repeated
                element.clear(keep_tail=False)
            elif element.tag == f"{_TABLE}table-row":
                first, row = row, row + int(element.get(f"{_TABLE}number-rows-repeated") or 1)
                if holds:
                    facts.rows = max(facts.rows, row)
                for places, error in failed:
                    for place in places:
                        for each in range(first, row):
                            facts.note(each, place, error)
                failed.clear()
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

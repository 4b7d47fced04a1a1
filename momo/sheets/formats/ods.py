"""Inspects sheets of .ods before calamine reads them (OpenDocument 1.3 part 3, 9.1)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, cast

from lxml import etree

from momo.sheets.areas import Area
from momo.sheets.errors import SheetError
from momo.sheets.formats.archive import MAX_DIRECTORY_PART, Archive, rewritten
from momo.sheets.formats.base import Facts, Inspected, Limits, broken, check_extent, protected, too_much_text, unparsed
from momo.sheets.values import CellError

SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"
CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_PREFIXES = {"table": _TABLE, "office": _OFFICE, "text": _TEXT}
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_REPEATED = f"{_TABLE}number-columns-repeated"
_ROWS_SPANNED, _COLUMNS_SPANNED = f"{_TABLE}number-rows-spanned", f"{_TABLE}number-columns-spanned"
_VALUE_TYPE = f"{_OFFICE}value-type"
_CALC_TYPE = f"{_CALC}value-type"


def inspect(archive: Archive, limits: Limits) -> Inspected:
    """What is known of the document. OpenDocument stores dates, so no epoch matters."""
    if MANIFEST in archive and b"encryption-data" in archive.read(MANIFEST):
        raise protected(archive.name)
    if CONTENT not in archive:
        raise broken(archive.name, CONTENT)
    sheets, spaced = _facts(archive, limits)

    def facts(name: str) -> Facts:
        if name not in sheets:
            raise broken(archive.name, f"工作表「{name[:40]}」")
        return sheets[name]

    compact = partial(rewritten, archive, {CONTENT: partial(_without_spaces, archive)})
    return Inspected(facts, copy=compact if spaced else None)


# White space before an element of a table is no text, but calamine takes it for some between two cells.
_SPACE = re.compile(rb">\s+<(?=/?(?:table:|office:|text:p[\s/>]))")


def _without_spaces(archive: Archive) -> Iterator[bytes]:
    """The content without white space between cells, as calamine needs it."""
    unread = b""
    for chunk in archive.chunks(CONTENT):
        data = unread + chunk
        end = data.rfind(b">")  # the white space after it may go on in the next chunk
        if len(data) - end > MAX_DIRECTORY_PART:
            raise broken(archive.name, CONTENT)
        yield _SPACE.sub(b"><", data[: max(end, 0)])
        unread = data[max(end, 0) :]
    yield unread


@contextmanager
def zipped(path: Path) -> Iterator[IO[bytes]]:
    """A flat document (.fods) as a zip file with a name: its one element holds what is in `content.xml` elsewhere."""
    with NamedTemporaryFile(prefix="momo-fods-") as file:
        with zipfile.ZipFile(file, "w") as packed:  # not packed, so that its ratio is none of a bomb
            packed.writestr("mimetype", SPREADSHEET)
            packed.writestr(MANIFEST, "<manifest/>")
            packed.write(path, CONTENT)
        file.flush()
        yield file


class _Chunks:
    """The unpacked chunks as a file object for the parser."""

    def __init__(self, archive: Archive) -> None:
        self._chunks = archive.chunks(CONTENT)

    def read(self, _size: int = -1) -> bytes:
        return next(self._chunks, b"")


def _facts(archive: Archive, limits: Limits) -> tuple[dict[str, Facts], bool]:
    """The facts of all sheets in one pass: all are in one part, and positions follow from counting repeats.

    Also whether there is white space between cells.
    """
    sheets: dict[str, Facts] = {}
    spaced = False
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
                spaced = spaced or bool(element.text) or (len(element) > 0 and bool(element[-1].tail))
                element.clear(keep_tail=False)
                while element.getprevious() is not None:
                    del element.getparent()[0]
            else:
                # Also for hidden sheets, since calamine reads the whole document at once.
                check_extent(name, facts.rows, facts.columns, limits)
    except SheetError:
        raise
    except (etree.XMLSyntaxError, ValueError) as error:
        raise unparsed(error, archive.name, CONTENT) from error
    return sheets, spaced


def _note_merged(cell: etree._Element, row: int, column: int, facts: Facts) -> None:
    down, across = int(cell.get(_ROWS_SPANNED) or 1), int(cell.get(_COLUMNS_SPANNED) or 1)
    if down != 1 or across != 1:
        facts.merge(Area(row, row + down - 1, column, column + across - 1))


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
            _note_merged(cell, first, places.start, facts)
            copies = (after - first) * (places.stop - places.start) if kind in (None, "string") else 1
            facts.text += _copied_text(cell, copies, facts.text, name, limits)
            facts.reach(first, column - 1)
            if noted := _noted(cell, kind):
                wrong.append((places, noted))
    if holds:
        facts.rows = max(facts.rows, after)
    if holds and element.get(f"{_TABLE}visibility") in ("collapse", "filter"):
        check_extent(name, facts.rows, facts.columns, limits)  # before repeats become rows
        facts.hidden.update(range(first, after))
    if wrong:
        check_extent(name, facts.rows, facts.columns, limits)  # before repeats become cells
    for places, noted in wrong:
        for row, place in product(range(first, after), places):
            if isinstance(noted, CellError):
                facts.note(row, place, noted)
            else:
                facts.digits[row, place] = noted
    return after


def _copied_text(cell: etree._Element, copies: int, known: int, name: str, limits: Limits) -> int:
    """Bytes of text that calamine makes of a repeated cell; 0 for others, whose text is as long as what is written.

    Raises SheetError if they are too many beside the `known` ones.
    """
    text = copies * sum(len(text.encode()) for text in cell.itertext()) if copies > 1 else 0
    if known + text > limits.text:
        raise too_much_text(name, limits)
    return text


def _noted(cell: etree._Element, kind: str | None) -> CellError | int | None:
    """The error of a cell, or the digits of a number that is shown with leading zeros."""
    if cell.get(_CALC_TYPE) == "error":
        return CellError("".join(cell.itertext(f"{_TEXT}p")) or "#UNKNOWN!")
    shown = (cell[0].text if kind == "float" and len(cell) else None) or ""
    return len(shown) if shown[0:1] == "0" and len(shown) > 1 and shown.isdigit() else None

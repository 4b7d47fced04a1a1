"""Sheets of .xlsx and .xlsm before calamine reads them (ECMA-376 part 1, 18.3.1).

The XML is not parsed but searched a megabyte at a time, which takes a fifth of what reading it takes: a single cell
XFD1048576 in a file of two kilobytes would otherwise make the reader allocate every cell up to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from momo.sheets.formats.archive import Archive, relations
from momo.sheets.formats.base import Facts, Limits, check_extent, zeros_of
from momo.sheets.values import UNCALCULATED, CellError

WORKBOOK = "xl/workbook.xml"
STYLES = "xl/styles.xml"
STRINGS = "xl/sharedStrings.xml"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"

# A cell that holds something: not <c r="A1" s="3"/>, of which people's sheets have a million.
_HOLDS = rb'"[^>/]*>(?!</)'
_LARGE = re.compile(rb' r="[A-Z](?:[A-Z]|[0-9]{6})')  # beyond column Z or row 99,999
_WIDE = re.compile(rb' r="([A-Z]{2,})[0-9]+' + _HOLDS)
_FAR = re.compile(rb' r="[A-Z]+([0-9]{6,})' + _HOLDS)
_PLACE = re.compile(rb' r="([A-Z]+)([0-9]+)' + _HOLDS)
_ERROR = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
_NO_RESULT = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>")
_SHARED_NO_RESULT = re.compile(
    rb"<(?:\w+:)?f\b[^>]*/>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_REFERENCE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)<")
_TAIL = 4096  # no cell's start tag is longer


def inspect(archive: Archive, limits: Limits) -> tuple[Callable[[str], Facts], bool]:
    """What gives the facts of a sheet by name, and whether the workbook counts days from 1904."""
    workbook = archive.xml(WORKBOOK)
    targets = relations(archive, WORKBOOK)
    parts = {
        sheet.get("name", ""): targets.get(sheet.get(_ID) or sheet.get(_STRICT_ID) or "", "")
        for sheet in workbook.iterfind(".//{*}sheets/{*}sheet")
    }
    properties = workbook.find("{*}workbookPr")
    date1904 = properties is not None and properties.get("date1904", "0").lower() in ("1", "true", "on")
    archive.measure(STRINGS)
    padded = _padded(archive)
    return lambda name: _facts(archive, name, parts.get(name, ""), limits, padded), date1904


def _padded(archive: Archive) -> dict[int, int]:
    """Cell style → digits, of styles whose number format shows leading zeros."""
    if STYLES not in archive:
        return {}
    styles = archive.xml(STYLES)
    formats = {each.get("numFmtId"): each.get("formatCode", "") for each in styles.iterfind("{*}numFmts/{*}numFmt")}
    digits = {number: zeros_of(code) for number, code in formats.items() if zeros_of(code)}
    return {
        place: digits[style.get("numFmtId")]
        for place, style in enumerate(styles.iterfind("{*}cellXfs/{*}xf"))
        if style.get("numFmtId") in digits
    }


@dataclass
class _Found(Facts):
    end_of_formula: bytes = b"</f>"
    formulas: bool = False
    padded: dict[int, int] = field(default_factory=dict)
    padded_cell: re.Pattern[bytes] | None = None


def _facts(archive: Archive, name: str, part: str, limits: Limits, padded: dict[int, int]) -> Facts:
    facts = _Found(columns=min(26, limits.columns))  # single letters are not counted
    if part not in archive:
        return facts
    if padded:
        styles = b"|".join(b"%d" % style for style in padded)
        facts.padded = padded
        facts.padded_cell = re.compile(
            rb'<(?:\w+:)?c\b(?=[^>]*\br="([A-Z]+)([0-9]+)")(?=[^>]*\bs="(' + styles + rb')")[^>/]*>'
            rb"(?:<(?:\w+:)?f\b[^>]*>(?:[^<]*</(?:\w+:)?f>)?)?<(?:\w+:)?v>([0-9]+)(?:\.0)?<"
        )
    rest = b""
    for chunk in archive.chunks(part):
        if not rest and b"<worksheet" not in chunk[:_TAIL]:
            facts.end_of_formula = b":f>"  # a writer that gives every tag a prefix
        data = rest + chunk
        cut = data.rfind(b"<", 0, max(data.rfind(b' r="'), 0))
        if cut <= 0:
            rest = data if cut == 0 and len(data) < archive.limits.bytes else data[-_TAIL:]
            continue
        _search(data[:cut], facts)
        rest = data[cut:]
    _search(rest, facts)
    check_extent(name, facts.rows, facts.columns, limits)
    return facts


def _search(data: bytes, facts: _Found) -> None:
    if _LARGE.search(data):
        for letters in set(_WIDE.findall(data)):
            facts.columns = max(facts.columns, column(letters))
        for digits in set(_FAR.findall(data)):
            facts.rows = max(facts.rows, int(digits))
    # Rows stand in order, so that the last cell of the piece tells; those out of order were caught above.
    start = len(data)
    while (start := data.rfind(b' r="', 0, start)) >= 0:
        found = _PLACE.match(data, start)
        if found:
            facts.rows = max(facts.rows, int(found[2]))
            break
    if facts.padded_cell is not None:
        for found in facts.padded_cell.finditer(data):
            if b't="s"' not in found[0]:  # a shared string's number is no number
                place = int(found[2]) - 1, column(found[1]) - 1
                facts.texts[place] = found[4].decode().zfill(facts.padded[int(found[3])])
    if b't="e"' in data:
        for found in _ERROR.finditer(data):
            text = _VALUE.search(found[2])
            _note(facts, found[1], CellError(text[1].decode() if text else "#UNKNOWN!"))
    # A formula that others share comes before them and has its text, so that its end tag is the sign of all.
    facts.formulas = facts.formulas or facts.end_of_formula in data
    if facts.formulas:
        for pattern in (_NO_RESULT, _SHARED_NO_RESULT):
            for found in pattern.finditer(data):
                opening = _start_tag(data, found.start())
                # A formula that gave an empty text has type str and no value; that one was calculated.
                if b't="str"' not in opening:
                    _note(facts, opening, UNCALCULATED)


def _start_tag(data: bytes, end: int) -> bytes:
    start = data.rfind(b' r="', 0, end)
    start = data.rfind(b"<", 0, max(start, 0))
    return data[start : data.find(b">", start) + 1] if start >= 0 else b""


def _note(facts: Facts, tag: bytes, error: CellError) -> None:
    place = _REFERENCE.search(tag)
    if place:
        facts.note(int(place[2]) - 1, column(place[1]) - 1, error)


def column(letters: bytes) -> int:
    """The number (from 1) of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number

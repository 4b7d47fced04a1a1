"""Inspects sheets of .xlsx and .xlsm before calamine reads them (ECMA-376 part 1, 18.3.1).

Own code is needed since calamine allocates every cell up to the last one: a file of two kilobytes with the one cell
XFD1048576 ends the process. The XML is searched by regular expressions, a megabyte at a time, in a fifth of the time of
reading it. They match only the XML that common programs write; any other sheet is parsed cell by cell (`xlsx_cells`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

from lxml import etree
from openpyxl.utils import column_index_from_string

from momo.sheets.formats.archive import Archive, folded, relations, rewritten
from momo.sheets.formats.base import MEBIBYTE, Facts, Inspected, Limits, broken, check_extent, zeros_of
from momo.sheets.formats.shared_strings import LONG, SharedStrings
from momo.sheets.formats.xlsx_cells import area_of, walk
from momo.sheets.values import UNCALCULATED, CellError

WORKBOOK = "xl/workbook.xml"
STYLES = "xl/styles.xml"
STRINGS = "xl/sharedStrings.xml"
MACRO_SHEETS = "xl/macrosheets/"
MAX_ROW = 32 * MEBIBYTE  # bytes without the start of a row that are searched together
LARGE = 8 * MEBIBYTE  # bytes of a sheet, as the archive's directory has them

# Possessive quantifiers only, so that no text makes the search backtrack.
_HEAD = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml[ ]version=["']1\.[01]["'](?:[ ]encoding=["'](?i:utf-8)["'])?"""
    rb"""(?:[ ]standalone=["'](?:yes|no)["'])?[ ]?\?>\s*+)?<worksheet[ >]""",
    re.VERBOSE,
)
_REFERENCE = rb'<c r="([A-Z]{1,3}+)([0-9]{1,7}+)"'
# The last alternative includes all others, which only match faster.
_REST = (
    rb'(?:>| t="s">| t="inlineStr">| s="[0-9]++"(?:>| t="s">|/>)'
    rb'|(?: s="[0-9]++")?+(?: t="(?:s|n|str|inlineStr|b|d)")?+/?>)'
)
# Start tags of cells that are unusual, far out, or errors. (<col> and <cols> are not cells.)
_UNUSUAL = re.compile(rb'<c(?! r="[A-Z][0-9]{1,5}+"' + _REST + rb"|ol)")
_UNUSUAL_OR_ERROR = re.compile(rb'<c(?! r="[A-Z]{1,3}+[0-9]{1,7}+"' + _REST + rb"|ol)")
_OTHER_ELEMENT = re.compile(rb"<c[A-Za-z]")
_CELL = re.compile(_REFERENCE + rb'((?: (?!r=)[A-Za-z:]++="[^"<>&/]*+")*+)(/?)>')
# Cells, formulas and values with a prefix, except <xm:f> of Excel's conditional formats.
_PREFIXED = re.compile(rb":(?=[cfv][\s/>])(?:(?=c)|(?<!<xm:)(?<!</xm:))")

# A cell with content: not <c r="A1" s="3"/>, of which real sheets have a million.
_HOLDS = rb"[^<>]*+(?<!/)>(?!</c>)"
_LARGE = re.compile(rb' r="[A-Z](?:[A-Z]|[0-9]{6})')  # beyond column Z or row 99,999
_WIDE = re.compile(rb'<c r="([A-Z]{2,3}+)[0-9]++"' + _HOLDS)
_FAR = re.compile(rb'<c r="[A-Z]++([0-9]{6,7}+)"' + _HOLDS)
_PLACE = re.compile(_REFERENCE + _HOLDS)

_ROW = re.compile(rb"<row ([^<>]*+)>")
_ROW_NUMBER = re.compile(rb'\br="([0-9]{1,7}+)"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')

_F = rb"<f(?: [^<>]*+)?+(?:/?+(?<=/)>|>[^<]*+</f>)"
_FORMULA = re.compile(rb"<f(?![A-Za-z])")
_CALCULATED = re.compile(rb'<c r="[^"<>]*+"[^<>]*+>' + _F + rb'<v(?: xml:space="preserve")?+>\s*+[^<\s]')
_NO_RESULT = re.compile(_REFERENCE + rb"([^<>]*+)>" + _F + rb"(?:<v/>|<v></v>)?+</c>")
# What writers that do not calculate write as the result of any formula, with the wish that Excel calculates on opening.
_ZERO = re.compile(_REFERENCE + rb"([^<>]*+)>" + _F + rb"<v>0</v></c>")
_MERGED = re.compile(
    rb"""<(?:[A-Za-z0-9]+:)?mergeCell\s[^<>]*?\bref\s*=\s*["']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})["']"""
)
_ERROR = re.compile(rb"(?:" + _F + rb")?+(?:<v/>|<v>([^<&]*+)</v>)?+</c>")


def inspect(archive: Archive, limits: Limits) -> Inspected:
    """What is known of the workbook."""
    workbook = archive.xml(WORKBOOK)
    targets = relations(archive, WORKBOOK)
    parts: dict[str, str] = {}
    # At any depth, as calamine finds them.
    for sheet in workbook.iter("{*}sheet"):
        name = sheet.get("name", "")
        ids = [value for key, value in sheet.items() if key.rpartition("}")[2] == "id"]
        if name in parts or len(ids) != 1:
            raise broken(archive.name, f"工作表「{name[:40]}」")
        parts[name] = targets.get(ids[0], "")
    properties = workbook.find("{*}workbookPr")
    date1904 = properties is not None and properties.get("date1904", "0").lower() in ("1", "true", "on")
    strings = SharedStrings(archive, STRINGS)
    padded = _padded(archive)
    calculation = workbook.find("{*}calcPr")
    pending = calculation is not None and calculation.get("fullCalcOnLoad", "0").lower() in ("1", "true", "on")

    def facts(name: str) -> Facts:
        return _facts(archive, name, parts.get(name, ""), limits, padded, strings, pending=pending)

    macros = [name for name, part in parts.items() if folded(part).startswith(MACRO_SHEETS)]
    if not macros:
        return Inspected(facts, date1904, large=_large(archive, parts, strings))
    change = {WORKBOOK.lower(): lambda: iter([_without_sheets(workbook, macros)])}
    return Inspected(facts, date1904, partial(rewritten, archive, change))


def _large(archive: Archive, parts: Mapping[str, str], strings: SharedStrings) -> list[str]:
    """Names of large sheets, none if they may show long strings many times."""
    if strings.longest > LONG:
        return []
    return [name for name, part in parts.items() if part in archive and archive.declared(part) >= LARGE]


def _without_sheets(workbook: etree._Element, names: Sequence[str]) -> bytes:
    """The list of sheets without those of Excel 4's macros: calamine reads no workbook that has one."""
    for sheet in list(workbook.iter("{*}sheet")):
        parent = sheet.getparent()
        if sheet.get("name") in names and parent is not None:
            parent.remove(sheet)
    return cast(bytes, etree.tostring(workbook, xml_declaration=True, encoding="utf-8"))


def _padded(archive: Archive) -> dict[int, int]:
    """Cell style → digits, for styles whose number format shows leading zeros."""
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


def _facts(
    archive: Archive,
    name: str,
    part: str,
    limits: Limits,
    padded: dict[int, int],
    strings: SharedStrings,
    *,
    pending: bool,
) -> Facts:
    """The facts of one sheet; `pending` formulas, which Excel is to calculate on opening, have no result if it is 0."""
    if part not in archive:
        raise broken(archive.name, f"工作表「{name[:40]}」")
    facts = Facts(columns=min(26, limits.columns))  # columns A to Z are not measured
    if not _searched(archive, part, _Search(facts, padded, pending=pending)):
        facts = Facts()
        walk(archive.chunks(part), facts, name=archive.name, sheet=name, limits=limits, padded=padded, pending=pending)
    check_extent(name, facts.rows, facts.columns, limits)
    strings.check(archive, part, sheet=name, limits=limits)
    return facts


def _searched(archive: Archive, part: str, search: _Search) -> bool:
    """Whether the whole sheet has the usual form, so that the facts are complete."""
    unread = b""
    first = True
    for chunk in archive.chunks(part):
        if first and not _HEAD.match(chunk):
            return False
        first = False
        data = unread + chunk
        cut = data.rfind(b"<row")  # cells are not split
        if cut > 0:
            if not search.usual(data[:cut]):
                return False
            data = data[cut:]
        if len(data) > MAX_ROW:
            return False
        unread = data
    return search.usual(unread)


class _Search:
    """Adds the contents of pieces of a sheet to its facts."""

    def __init__(self, facts: Facts, padded: Mapping[int, int], *, pending: bool = False) -> None:
        self.facts = facts
        self.padded = padded
        self.pending = pending
        styles = b"|".join(b"%d" % style for style in padded)
        self.padded_cell = re.compile(_REFERENCE + rb'(?=[^<>]*? s="(' + styles + rb')")(?![^<>]*? t="[^n])' + _HOLDS)

    def usual(self, data: bytes) -> bool:
        """Whether the piece has the usual form; if so, its contents are added to the facts."""
        # To find a single byte is ten times as fast as to find two.
        if (b"!" in data and b"<!" in data) or (b":" in data and _PREFIXED.search(data)):
            return False
        if _UNUSUAL.search(data) and not (self._unusual(data) and self._large(data)):
            return False
        if b"h" in data and b'hidden="' in data:
            self._hide(data)
        # Rows are in order (unusual if not), so that the last cell of the piece has the highest number.
        start = len(data)
        while (start := data.rfind(b'<c r="', 0, start)) >= 0:
            found = _PLACE.match(data, start)
            if found:
                self.facts.rows = max(self.facts.rows, int(found[2]))
                break
        if self.padded:
            self._pad(data)
        if b"mergeCells" in data:
            for left, top, right, bottom in _MERGED.findall(data):
                self.facts.merge(area_of(left.decode(), top, right.decode(), bottom))
        return b"f" not in data or not _FORMULA.search(data) or self._formulas(data)

    def _unusual(self, data: bytes) -> bool:
        """Errors, and cells with further attributes."""
        for unusual in _UNUSUAL_OR_ERROR.finditer(data):
            found = _CELL.match(data, unusual.start())
            if found is None:
                if _OTHER_ELEMENT.match(data, unusual.start()):
                    continue
                return False
            if b' t="e"' in found[3] and not found[4]:
                value = _ERROR.match(data, found.end())
                if value is None:
                    return False
                self.facts.note(*_place(found), CellError((value[1] or b"").decode() or "#UNKNOWN!"))
        return True

    def _large(self, data: bytes) -> bool:
        if _LARGE.search(data):
            for name in set(_WIDE.findall(data)):
                self.facts.columns = max(self.facts.columns, column_index_from_string(name.decode()))
            for digits in set(_FAR.findall(data)):
                self.facts.rows = max(self.facts.rows, int(digits))
        return True

    def _hide(self, data: bytes) -> None:
        for row in _ROW.finditer(data):
            if _HIDDEN.search(row[1]) and (number := _ROW_NUMBER.search(row[1])):
                self.facts.hidden.add(int(number[1]) - 1)

    def _pad(self, data: bytes) -> None:
        for found in self.padded_cell.finditer(data):
            self.facts.digits[_place(found)] = self.padded[int(found[3])]

    def _formulas(self, data: bytes) -> bool:
        known = len(_CALCULATED.findall(data))
        for found in _NO_RESULT.finditer(data):
            known += 1
            # A calculated formula with an empty text has type str and no value.
            if b' t="str"' not in found[3]:
                self.facts.note(*_place(found), UNCALCULATED)
        for found in _ZERO.finditer(data) if self.pending else ():
            if b' t="' not in found[3]:
                self.facts.note(*_place(found), UNCALCULATED)
        return known == len(_FORMULA.findall(data))


def _place(found: re.Match[bytes]) -> tuple[int, int]:
    """Row and column (from 0) of a reference."""
    return int(found[2]) - 1, column_index_from_string(found[1].decode()) - 1

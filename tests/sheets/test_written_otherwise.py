"""Lawful workbooks that are written as few write them give the same rows, errors and zeros as usual ones."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from momo.sheets.cells import convert
from momo.sheets.formats import xlsx, xlsx_cells
from momo.sheets.formats.archive import opened
from momo.sheets.formats.base import Facts
from momo.sheets.read import Limits
from tests.sheets import files
from tests.sheets.cases import EXPECTED, FIELDS, NAMES, TABLE
from tests.sheets.test_read import LIMITS, read

SHEET = "xl/worksheets/sheet1.xml"


def _facts(folder: Path, data: bytes, sheet: str = "銷售") -> Facts:
    path = folder / "facts.xlsx"
    path.write_bytes(data)
    with opened(path, name="銷售.xlsx", limits=LIMITS) as archive:
        return xlsx.inspect(archive, LIMITS)[0](sheet)


def ordinary() -> bytes:
    """Numbers with zeros, an error, a formula without a result and one with, under a wide header."""

    def change(book: Workbook, page: Worksheet) -> None:
        page["B3"] = 123
        page["B3"].number_format = "00000000"
        page["D3"] = "#N/A"
        page["A4"], page["B4"], page["C4"], page["D4"] = "2025/11/22", "A4", "x", "=1+1"

    return files.xlsx(TABLE, change=change)


ROWS = [
    EXPECTED[0],
    (EXPECTED[1][0], "00000123", EXPECTED[1][2], None, EXPECTED[1][4]),
    (EXPECTED[0][0], "A4", "x", None, None),
]

_CELL = re.compile(rb'<c r="[A-Z]+[0-9]+"')
WAYS = {
    "without references": lambda xml: _CELL.sub(b"<c", re.sub(rb'<row r="[0-9]+"', b"<row", xml)),
    "single quotes": lambda xml: re.sub(rb'="([^"\']*)"', rb"='\1'", xml),
    "prefixes": lambda xml: re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", xml.replace(b" xmlns=", b" xmlns:x=")),
    "line breaks in tags": lambda xml: re.sub(rb'(?<=")(?= [a-z]+=")', b"\n", xml),
    "spaces in tags": lambda xml: re.sub(rb"(<(?:c|v|f|row)\b[^>]*?)(/?)>", rb"\1 \2>", xml).replace(b"</v>", b"</v >"),
    "spaces about equals": lambda xml: re.sub(rb' ([rst])="', rb' \1 = "', xml),
    "other order": lambda xml: re.sub(rb'<c( r="[^"]*")((?: [st]="[^"]*")*)', rb"<c\2\1", xml),
    "comments": lambda xml: xml.replace(b"<v>", b"<!-- <c r='XFD1'> --><v>"),
    "pretty": lambda xml: re.sub(rb"(</[a-zA-Z]+>)(?=<(?!/t|/v))", b"\\1\n  ", xml),
    "a byte order mark": lambda xml: b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>" + xml,
    "latin characters only": lambda xml: (
        b'<?xml version="1.0" encoding="us-ascii"?>' + xml.decode().encode("ascii", "xmlcharrefreplace")
    ),
    "more attributes": lambda xml: re.sub(rb"<c ([^>]*[^/>])>", rb'<c \1 cm="1" vm="2">', xml),
}


@pytest.mark.parametrize("way", ["as usual", *WAYS])
def test_a_lawful_way_to_write_the_same(way: str, tmp_path: Path) -> None:
    data = ordinary()
    if way in WAYS:
        data = files.rezipped(data, lambda name, part: WAYS[way](part) if name == SHEET else part)
    converted = convert(read(tmp_path, data), FIELDS)
    assert list(zip(*(converted.columns[name] for name in NAMES), strict=True)) == ROWS
    assert [(converted.numbers[row], name, value) for row, name, value, _ in converted.errors] == [
        (3, "quantity", "#N/A"),
        (4, "quantity", "公式未計算"),
    ]


def _by_excel(data: bytes) -> bytes:
    """With what Excel writes beside the cells."""
    extension = (
        b'<extLst><ext xmlns:x14="urn:x14"><x14:conditionalFormattings><x14:conditionalFormatting xmlns:xm="urn:xm">'
        b'<x14:cfRule type="expression"><xm:f>A1=1</xm:f></x14:cfRule></x14:conditionalFormatting>'
        b"</x14:conditionalFormattings></ext></extLst></worksheet>"
    )
    head = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
    return files.rezipped(
        data,
        lambda name, part: head + part.replace(b"</worksheet>", extension) if name == SHEET else part,
    )


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: ordinary(), id="openpyxl"),
        pytest.param(lambda: files.rust_xlsx(TABLE), id="rust_xlsxwriter"),
        pytest.param(lambda: _by_excel(ordinary()), id="excel"),
        pytest.param(lambda: files.by_office(ordinary(), "xlsx"), id="libreoffice", marks=pytest.mark.office),
    ],
)
def test_what_all_write_is_only_searched(build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walking through every cell takes more time than reading them."""
    monkeypatch.setattr(xlsx, "walk", None)
    assert read(tmp_path, build()).total >= 2


_VALUE = st.one_of(
    st.integers(0, 10**9),
    st.sampled_from(
        ["#N/A", "#DIV/0!", "=A1", "文字", "a:c b", "'quoted'", "<!--", 'a="b"', " x", "!", '=IF(A1=1,"x",2)']
    ),
    st.none(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(_VALUE, min_size=1, max_size=30), min_size=1, max_size=8), padded=st.booleans())
def test_both_ways_tell_the_same(rows: list[list[Any]], padded: bool, tmp_path: Path) -> None:
    """The search finds what walking through every cell finds."""

    def change(book: Workbook, page: Worksheet) -> None:
        if padded:
            for row in page.iter_rows():
                for cell in row:
                    cell.number_format = "0000"

    data = files.xlsx(rows, change=change)
    quick = _facts(tmp_path, data, "銷售") if max(map(len, rows)) <= LIMITS.columns else None
    slow = Facts()
    styles = {1: 4} if padded else {}
    limits = Limits(bytes=1 << 20, unpacked_bytes=8 << 20, rows=100, columns=50)
    part = zipfile.ZipFile(BytesIO(data)).read(SHEET)
    xlsx_cells.walk([part], slow, name="x", sheet="x", limits=limits, padded=styles)
    if quick is not None:
        assert (quick.errors, quick.digits) == (slow.errors, slow.digits)
        assert quick.rows >= slow.rows
        assert quick.columns >= slow.columns

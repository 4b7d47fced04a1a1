"""LibreOffice opens our files: those that tests write by hand, and marked workbooks."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from momo.sheets.cells import convert
from tests.sheets import files
from tests.sheets.cases import FIELDS, PLAIN, TABLE
from tests.sheets.test_marks import PLAIN_WRONG, WRONG, marked
from tests.sheets.test_read import read

pytestmark = pytest.mark.office

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE_NS = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
# As LibreOffice names the colour of marks.
RED = "#ff9999"


def test_a_binary_workbook_is_one_to_others_too(tmp_path: Path) -> None:
    table = [*TABLE, ("2025/11/23", files.Padded(123), "眉筆", 1, 99.5)]
    page = load_workbook(io.BytesIO(files.converted_by_office(files.xlsb(table), "xlsx", "xlsb"))).active
    assert page is not None
    seen = [[cell.value for cell in row] for row in page.iter_rows()]
    assert seen == [list(row) for row in [*TABLE, ("2025/11/23", 123, "眉筆", 1, 99.5)]]
    assert page["B4"].number_format == "00000"

    report = read(tmp_path, files.xlsb(table))
    assert [row[1] for row in report.rows] == [PLAIN[0][1], PLAIN[1][1], "00123"]
    assert [row[4] for row in report.rows] == [row[4] for row in seen[1:]]


@pytest.mark.parametrize("data", [files.xlsx(PLAIN_WRONG), files.csv(WRONG, "cp950")], ids=["own", "copy"])
def test_a_marked_workbook_opens_with_its_marks(data: bytes, tmp_path: Path) -> None:
    result, sheet, errors = marked(data, tmp_path)
    with result:
        content = result.read()
    written = load_workbook(io.BytesIO(content))[sheet]
    page = next(
        table
        for table in etree.fromstring(files.converted_by_office(content, "fods")).iter(f"{TABLE_NS}table")
        if table.get(f"{TABLE_NS}name") == sheet
    )
    red = {
        style.get(f"{STYLE}name")
        for style in page.getroottree().iter(f"{STYLE}style")
        if any(each.get(f"{FO}background-color") == RED for each in style.iterchildren())
    }
    found: dict[tuple[int, int], str] = {}
    marks: dict[tuple[int, int], str] = {}
    for number, row in enumerate(page.iter(f"{TABLE_NS}table-row"), start=1):
        place = 1
        for cell in row.iterchildren(f"{TABLE_NS}table-cell"):
            note = cell.find(f"{OFFICE}annotation")
            if note is not None:
                assert cell.get(f"{TABLE_NS}style-name") in red
                marks[number, place] = "".join(note.itertext())
                cell.remove(note)
            if text := "".join(cell.itertext()).strip():
                found[number, place] = text
            place += int(cell.get(f"{TABLE_NS}number-columns-repeated") or 1)

    assert len(marks) == len(errors) == 3
    assert {number for number, _ in marks} == {3, 4}
    assert all(any(message in text for text in marks.values()) for *_, message in errors)
    users = {(cell.row, cell.column): str(cell.value) for row in written.iter_rows() for cell in row if cell.value}
    assert found == users
    assert found[3, 1] == "2025/02/30"
    assert "cmd" in found[3, 3]
    assert not page.xpath(".//@table:formula", namespaces={"table": TABLE_NS.strip("{}")})


def padded(book: Workbook, page: Worksheet) -> None:
    for cell in ("B2", "D2"):
        page[cell], page[cell].number_format = 123, "00000"


@pytest.mark.parametrize("suffix", ["xls", "ods"])
def test_zeros_that_a_format_shows(suffix: str, tmp_path: Path) -> None:
    """A code of 123 under 00000 is meant as 00123; a quantity so shown is still a number."""
    report = read(tmp_path, files.by_office(files.xlsx(TABLE, change=padded), suffix))
    converted = convert(report, FIELDS)
    assert converted.columns["product_code"][0] == "00123"
    assert converted.columns["quantity"][0] == 123
    assert not converted.errors

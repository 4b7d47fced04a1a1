"""Rows that are not shown, in each format that can have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from momo.sheets.cells import convert
from momo.sheets.columns import Field, Kind
from momo.sheets.read import Limits, read_rows
from tests.sheets import files

FIELDS = [Field("code", "品號", Kind.CODE, ("品號",), True), Field("quantity", "數量", Kind.INTEGER, ("數量",), True)]
LIMITS = Limits(bytes=10**8, unpacked_bytes=10**9, rows=1000, columns=100)
ROWS = [("品號", "數量"), *((f"P{number}", number) for number in range(1, 5))]


def hide(book: Workbook) -> None:
    sheet = book.worksheets[0]
    for number in (3, 5, 9):  # the last one is below the data
        sheet.row_dimensions[number].hidden = True


def made() -> bytes:
    return files.edited(files.xlsx(ROWS), hide)


def binary() -> bytes:
    """With the bit in the record of the rows 2 and 4 (from 0)."""
    data = files.xlsb(ROWS)

    def change(name: str, content: bytes) -> bytes:
        for row in (2, 4) if name.endswith("sheet1.bin") else ():
            record = files._record(0, row.to_bytes(4, "little") + bytes(13))
            hidden = files._record(0, row.to_bytes(4, "little") + bytes(7) + b"\x10" + bytes(5))
            assert content.count(record) == 1
            content = content.replace(record, hidden)
        return content

    return files.rezipped(data, change)


def with_blanks() -> bytes:
    """Below the data hidden rows with formulas that show nothing, as templates have."""
    rows = b"".join(
        b'<row r="%d" hidden="1"><c r="A%d" t="str"><f>""</f><v></v></c></row>' % (row, row) for row in range(10, 20)
    )
    return files.sheet_xml(made(), (b"</sheetData>", rows + b"</sheetData>"))


def lines_of(usual: str, hidden: str, cell: str, end: str) -> str:
    """The rows as text: `hidden` begins the rows 3 and 5 instead of `usual`."""
    return "".join(
        (hidden if number in (3, 5) else usual) + "".join(cell.format(text) for text in row) + end
        for number, row in enumerate(ROWS, start=1)
    )


def xml() -> bytes:
    """As Excel saves XML; a row without cells may stand for many."""
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    cell = '<Cell><Data ss:Type="String">{}</Data></Cell>'
    lines = lines_of("<Row>", '<Row ss:Hidden="1">', cell, "</Row>")
    lines += '<Row ss:Index="9" ss:Hidden="1" ss:Span="999999999"/>'
    table = f'<Worksheet ss:Name="S"><Table>{lines}</Table></Worksheet>'
    return f'<?xml version="1.0"?><Workbook xmlns="{space}" xmlns:ss="{space}">{table}</Workbook>'.encode()


def html() -> bytes:
    """As Excel saves web pages."""
    lines = lines_of("<tr>", "<tr height=0 style='DISPLAY: none;mso-height-source:userset'>", "<td>{}</td>", "</tr>")
    return f"<html><meta charset=utf-8><table>{lines}</table></html>".encode()


# As LibreOffice saves `made()`: files.by_office(made(), "ods"), and "xls".
KEPT = Path(__file__).parent / "kept"

MAKERS: dict[str, Callable[[], bytes]] = {
    "xlsx": made,
    "xlsx with unusual cells": lambda: files.sheet_xml(made(), (b"<sheetData>", b"<sheetData><!-- walked -->")),
    "ods": lambda: (KEPT / "hidden.ods").read_bytes(),
    "xls": lambda: (KEPT / "hidden.xls").read_bytes(),
    "xlsb": binary,
    "xlsx with hidden rows that show nothing": with_blanks,
    "xml": xml,
    "html": html,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_hidden_rows_are_counted_and_can_be_left_out(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "book"
    path.write_bytes(MAKERS[kind]())

    whole = read_rows(path, name="book", limits=LIMITS, fields=FIELDS)
    shown = read_rows(path, name="book", limits=LIMITS, fields=FIELDS, skip_hidden=True)

    assert (whole.hidden, convert(whole, FIELDS).columns["code"]) == (2, ["P1", "P2", "P3", "P4"])
    assert (shown.hidden, convert(shown, FIELDS).columns["code"]) == (2, ["P1", "P3"])
    assert convert(shown, FIELDS).numbers == [2, 4]

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


# As LibreOffice saves `made()`: files.by_office(made(), "ods"), and "xls".
KEPT = Path(__file__).parent / "kept"

MAKERS: dict[str, Callable[[], bytes]] = {
    "xlsx": made,
    "xlsx with unusual cells": lambda: files.sheet_xml(made(), (b"<sheetData>", b"<sheetData><!-- walked -->")),
    "ods": lambda: (KEPT / "hidden.ods").read_bytes(),
    "xls": lambda: (KEPT / "hidden.xls").read_bytes(),
    "xlsb": binary,
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

"""Files that read well and are meant badly.

Calamine allocates every cell up to the last one: what it sees has to be seen before it, however it is written.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from momo.sheets.errors import SheetError
from momo.sheets.formats.archive import opened
from momo.sheets.read import sheets_of
from tests.kit.clock import cpu_time
from tests.sheets import files
from tests.sheets.cases import HEADER, PLAIN, TABLE
from tests.sheets.test_edges import _ods
from tests.sheets.test_read import LIMITS, read, refusal
from tests.sheets.test_written_otherwise import ordinary

SHEET = "xl/worksheets/sheet1.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
FAR = b'<c r="XFD1048576"><v>1</v></c>'
REFUSED = ("最多能匯入", "太大了", "損壞或不完整")


def _with(data: bytes, cells: bytes) -> bytes:
    """The workbook with one more row of `cells`."""
    return files.sheet_xml(data, (b"</sheetData>", b"<row>" + cells + b"</row></sheetData>"))


def _refused(folder: Path, data: bytes) -> str:
    """What is said of a file; reading it must not come to calamine's allocation, which ends the process."""
    text = refusal(folder, data)
    assert any(word in text for word in REFUSED), text
    return text


# --- A far cell, however it is written --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        FAR,
        b"<c r='XFD1048576'><v>1</v></c>",
        b'<c\tr="XFD1048576"><v>1</v></c>',
        b'<c\nr="XFD1048576"><v>1</v></c>',
        b'<c  r="XFD1048576"><v>1</v></c>',
        b'<c r ="XFD1048576"><v>1</v></c>',
        b'<c r= "XFD1048576"><v>1</v></c>',
        b'<c s="0" r="XFD1048576"><v>1</v></c>',
        b'<c r="xfd1048576"><v>1</v></c>',
        b'<c r="XFD0001048576"><v>1</v></c>',
        b'<c r="A2" r="XFD1048576"><v>1</v></c>',
        b'<c r="XFD1048576" x="/"><v>1</v></c>',
        b'<c r="XFD1048576" x=">"><v>1</v></c>',
        b'<c r="XFD1048576"></x><v>1</v></c>',
        b'<c r="XFD1048576"\n><v>1</v></c>',
        b'<c r="&#88;FD1048576"><v>1</v></c>',
        b'<x:c xmlns:x="urn:x" r="XFD1048576"><x:v>1</x:v></x:c>',
        b'<y:c r="XFD1048576"><v>1</v></y:c>',
        b"<a/b:c r='XFD1048576'><v>1</v></c>",
        b"<a\">\"x:c r='XFD1048576'><v>1</v></c>",
        b'<!-- --><c r="XFD1048576"><v>1</v></c>',
        b'<?x ?><c r="XFD1048576"><v>1</v></c>',
        b"<c r='AAA100000'><v>1</v></c>",
    ],
)
def test_a_far_cell(cell: bytes, tmp_path: Path) -> None:
    _refused(tmp_path, _with(files.xlsx(TABLE), cell))


def test_rows_that_lead_far_without_references(tmp_path: Path) -> None:
    data = files.sheet_xml(files.xlsx(TABLE), (b"</sheetData>", b"<row r='1048576'><c><v>1</v></c></row></sheetData>"))
    assert "1,048,576 列" in _refused(tmp_path, data)


def test_many_cells_without_references(tmp_path: Path) -> None:
    assert "21 欄" in _refused(tmp_path, _with(files.xlsx(TABLE), b"<c><v>1</v></c>" * 50_000))


def test_a_far_cell_behind_a_megabyte_of_odd_ones(tmp_path: Path) -> None:
    cells = b"<c r='A3'><v>1</v></c>" * 60_000 + b"<c r='XFD1048576'><v>1</v></c>"
    _refused(tmp_path, _with(files.xlsx(TABLE), cells))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_sheet_in_another_encoding(encoding: str, tmp_path: Path) -> None:
    """Calamine takes it for an empty one."""
    data = files.rezipped(
        files.xlsx(TABLE), lambda name, part: part.decode().encode(encoding) if name == SHEET else part
    )
    _refused(tmp_path, data)


def test_a_start_that_looks_like_another_encoding(tmp_path: Path) -> None:
    data = _with(files.xlsx(TABLE), b"<c r='XFD1048576'><v>1</v></c>")
    _refused(tmp_path, files.rezipped(data, lambda name, part: b"<\0" + part if name == SHEET else part))


def test_a_declared_encoding_hides_nothing(tmp_path: Path) -> None:
    """In ISO 2022-JP the bytes between the escapes would be other characters."""
    hidden = b"\x1b$B<c r='XFD1048576'><v>1</v></c>  \x1b(B"
    data = files.rezipped(
        _with(files.xlsx(TABLE), hidden),
        lambda name, part: b"<?xml version='1.0' encoding='iso-2022-jp'?>" + part if name == SHEET else part,
    )
    _refused(tmp_path, data)


def test_a_document_type(tmp_path: Path) -> None:
    doctype = b'<!DOCTYPE worksheet [<!ENTITY far "XFD1048576">]>'
    for part in (SHEET, "xl/workbook.xml"):
        data = files.rezipped(
            _with(files.xlsx(TABLE), b'<c r="&far;"><v>1</v></c>') if part == SHEET else files.xlsx(TABLE),
            lambda name, content, part=part: doctype + content if name == part else content,
        )
        assert "DOCTYPE" in _refused(tmp_path, data)


# --- Which part a sheet is --------------------------------------------------------------------------------------------


def _two(change: Any = None) -> bytes:
    """Two sheets; the second has the plain rows, the first a far cell."""

    def both(book: Workbook, page: Worksheet) -> None:
        page.title = "甲"
        other = book.create_sheet("乙")
        for row in TABLE:
            other.append(row)

    data = _with(files.xlsx(TABLE, change=both), FAR)
    return data if change is None else files.rezipped(data, change)


def _in(part: str, old: bytes, new: bytes) -> Any:
    def change(name: str, content: bytes) -> bytes:
        if name == part:
            assert old in content
            content = content.replace(old, new)
        return content

    return change


def test_two_sheets_of_one_name(tmp_path: Path) -> None:
    data = _two(_in("xl/workbook.xml", "乙".encode(), "甲".encode()))
    assert "工作表「甲」" in _refused(tmp_path, data)


def test_a_part_by_another_case(tmp_path: Path) -> None:
    """Calamine does not mind; a lawful file is read, a far cell found."""

    def renamed(data: bytes) -> bytes:
        part = zipfile.ZipFile(BytesIO(data)).read(SHEET)
        return files.rezipped(
            data, lambda name, content: None if name == SHEET else content, {"xl/WorkSheets/Sheet1.XML": part}
        )

    assert read(tmp_path, renamed(files.xlsx(TABLE))).total == 2
    assert "1,048,576 列" in _refused(tmp_path, renamed(_with(files.xlsx(TABLE), FAR)))


@pytest.mark.parametrize("name", ["xl/worksheets/SHEET1.xml", "xl\\worksheets\\sheet1.xml", SHEET + "\0.xml"])
def test_two_parts_of_one_name(name: str, tmp_path: Path) -> None:
    plain = files.xlsx(TABLE)
    far = zipfile.ZipFile(BytesIO(_with(plain, FAR))).read(SHEET)
    _refused(tmp_path, files.rezipped(plain, lambda _, part: part, {name.replace("\0", "?"): far}).replace(b"?", b"\0"))


def test_a_second_name_of_a_part(tmp_path: Path) -> None:
    """Info-ZIP's field for names in Unicode goes before the directory's name."""
    target = BytesIO()
    plain = files.xlsx(TABLE)
    with zipfile.ZipFile(BytesIO(plain)) as old, zipfile.ZipFile(target, "w") as new:
        info = zipfile.ZipInfo("other.xml")
        field = struct.pack("<BI", 1, zlib.crc32(b"other.xml")) + SHEET.encode()
        info.extra = struct.pack("<HH", 0x7075, len(field)) + field
        new.writestr(info, zipfile.ZipFile(BytesIO(_with(plain, FAR))).read(SHEET))
        for each in old.infolist():
            new.writestr(each.filename, old.read(each))
    _refused(tmp_path, target.getvalue())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_in(RELATIONS, b'Id="rId2"', b'Id="rId1"'), id="two relations of one id"),
        pytest.param(_in(RELATIONS, b'Id="rId2"', b'Id="rId&#49;"'), id="an id that is escaped"),
        pytest.param(_in(RELATIONS, b"sheet1.xml", b"sheet&#50;.xml"), id="a part that is escaped"),
        pytest.param(
            _in("xl/workbook.xml", b' r:id="rId2"', b' q:id="rId1" r:id="rId2" xmlns:q="urn:q"'),
            id="two ids of a sheet",
        ),
        pytest.param(
            _in(
                "xl/workbook.xml",
                b"<sheets>",
                b'<sheet name="\xe4\xb9\x99" sheetId="9" r:id="rId1" xmlns:r="urn:r"/><sheets>',
            ),
            id="a sheet outside of the list",
        ),
    ],
)
def test_whatever_leads_elsewhere(change: Any, tmp_path: Path) -> None:
    _refused(tmp_path, _two(change))


def test_a_binary_sheet_whose_part_is_not_found(tmp_path: Path) -> None:
    data = files.xlsb(TABLE, far=(1_048_575, 16_383))
    part = zipfile.ZipFile(BytesIO(data)).read("xl/worksheets/sheet1.bin")

    def renamed(name: str) -> bytes:
        return files.rezipped(data, lambda old, content: None if "sheet1" in old else content, {name: part})

    assert "1,048,576 列" in _refused(tmp_path, renamed("xl/worksheets/SHEET1.bin"))
    _refused(tmp_path, renamed("xl/worksheets/sheet2.bin"))


def test_two_binary_sheets_of_one_name(tmp_path: Path) -> None:
    def twice(name: str, content: bytes) -> bytes:
        if name != "xl/workbook.bin":
            return content
        sheet = files._record(156, struct.pack("<II", 0, 1) + files._wide("rId1") + files._wide("銷售"))
        assert sheet in content
        return content.replace(sheet, sheet * 2)

    assert "工作表「銷售」" in _refused(tmp_path, files.rezipped(files.xlsb(TABLE), twice))


@pytest.mark.office
def test_two_old_sheets_of_one_name(tmp_path: Path) -> None:
    data = files.by_office(files.xlsx(TABLE, change=lambda book, _: book.create_sheet("商品")), "xls")
    name = "商品".encode("utf-16-le")
    assert name in data
    assert "工作表「銷售」" in _refused(tmp_path, data.replace(name, "銷售".encode("utf-16-le")))


@pytest.mark.parametrize("tag", ["table-row", "table-cell"])
def test_a_prefix_that_stands_for_something_else(tag: str, tmp_path: Path) -> None:
    """Calamine reads OpenDocument by its usual prefixes."""
    cell = (
        '<table:table-cell xmlns:table="urn:other" office:value-type="float" office:value="1" '
        'table:number-columns-repeated="1000000000"/>'
    )
    if tag == "table-row":
        cell = f'<table:table-row xmlns:table="urn:other">{cell}</table:table-row>'
    _refused(tmp_path, _ods(cell))


# --- Nothing takes longer than its length -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells",
    [
        b'<c r="A9"><f>1</f>' + b" " * 200_000 + b"x<v>1</v></c>",
        b'<c r="A9" t="e">' * 40_000,
        b'<c r="A9" t="e"><v>' * 40_000,
        b'<c r="A9"><f>' * 40_000,
        b"<f/></c>" * 100_000,
        b'<c r="A9" s="1" ' * 40_000,
        b"<c " * 200_000,
        b"<c x='" * 100_000,
        b":c " * 200_000,
    ],
)
def test_long_nonsense(cells: bytes, tmp_path: Path) -> None:
    data = _with(ordinary(), cells)
    with cpu_time() as spent:
        refusal(tmp_path, data)
    assert spent.seconds < 3


# --- Numbers that are no dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "code"), [(20261122000123, "[h]:mm:ss"), (-1e18, "yyyy/mm/dd")])
@pytest.mark.parametrize("row", [2, 60])
def test_a_number_that_is_no_date(value: float, code: str, row: int, tmp_path: Path) -> None:
    """Whether it stands among the rows where headers are looked for or below them."""

    def change(book: Workbook, page: Worksheet) -> None:
        page.cell(row, 6).value = value
        page.cell(row, 6).number_format = code

    rows = [HEADER, *PLAIN * 40]
    path = tmp_path / "upload.bin"
    path.write_bytes(files.xlsx(rows, change=change))
    with pytest.raises(SheetError, match=f"工作表「銷售」第 {row} 列有超出範圍的日期或時間"):
        read(tmp_path, path.read_bytes())
    with sheets_of(path, name="銷售.xlsx", limits=LIMITS) as (sheets, _), pytest.raises(SheetError):
        next(sheets).rows()


@pytest.mark.office
def test_hidden_old_sheets_are_bounded_together(tmp_path: Path) -> None:
    """Calamine reads all sheets of an .xls at once, before it is asked for one."""

    def change(book: Workbook, page: Worksheet) -> None:
        for number in range(2):
            hidden = book.create_sheet(f"隱藏{number}")
            hidden.sheet_state = "hidden"
            hidden["IV65536"] = 1

    assert "工作表「隱藏0」" in _refused(tmp_path, files.by_office(files.xlsx(TABLE, change=change), "xls"))


def test_a_part_counts_once_however_its_name_is_written(tmp_path: Path) -> None:
    """Parts are measured under the name that the format gives them, and copied under the archive's own."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("xl/sharedStrings.xml", b"x" * 1000)
    with opened(path, name="a.xlsx", limits=replace(LIMITS, unpacked_bytes=1000)) as archive:
        archive.measure("xl/sharedStrings.xml")
        archive.measure("xl/sharedstrings.xml")
        assert (archive.unpacked, archive.size("XL/sharedStrings.xml")) == (1000, 1000)

"""Limits, the choice of a sheet, and that a file can raise nothing but SheetError."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from momo.sheets.cells import convert
from momo.sheets.errors import SheetError
from momo.sheets.read import Limits, Report, read_rows
from tests.sheets import files
from tests.sheets.cases import FIELDS, HEADER, PLAIN, TABLE

LIMITS = Limits(bytes=1 << 20, unpacked_bytes=8 << 20, rows=100, columns=20)


def read(folder: Path, data: bytes, limits: Limits = LIMITS) -> Report:
    path = folder / "upload.bin"
    path.write_bytes(data)
    return read_rows(path, name="銷售.xlsx", limits=limits, fields=FIELDS)


def refusal(folder: Path, data: bytes) -> str:
    """What is said about a file; of one that can be read, that."""
    try:
        convert(read(folder, data), FIELDS)
    except SheetError as error:
        return str(error)
    return "可以讀取。"


def _table(rows: int) -> list[tuple]:
    return [HEADER, *[("2025/11/22", f"A{number}", "x", 1, 10) for number in range(rows)]]


def test_bytes(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match=r"1\.0 MB，上限 0 MB"):
        read(tmp_path, bytes(1 << 20), replace(LIMITS, bytes=1000))


def test_unpacked_bytes(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(9 << 20).hex().encode()
    with pytest.raises(SheetError, match="解壓縮後超過 8 MB"):
        read(
            tmp_path,
            files.rezipped(files.xlsx(TABLE), lambda _, part: part, {"xl/media/x.bin": noise}),
            replace(LIMITS, bytes=1 << 30),
        )


@pytest.mark.parametrize("write", [files.xlsx, files.csv, files.html, files.xlsb])
def test_rows(tmp_path: Path, write: object) -> None:
    assert read(tmp_path, write(_table(100))).total == 100  # type: ignore[operator]
    with pytest.raises(SheetError, match=r"30[01] 列"):
        read(tmp_path, write(_table(300)))  # type: ignore[operator]
    # A row more than the header's place allows for: known only when the header is.
    with pytest.raises(SheetError, match="最多能匯入 100 列"):
        read(tmp_path, write(_table(101)))  # type: ignore[operator]


@pytest.mark.parametrize("write", [files.xlsx, files.csv, files.html, files.xlsb])
def test_columns(tmp_path: Path, write: object) -> None:
    wide = [(*HEADER, *[f"x{number}" for number in range(25)])]
    with pytest.raises(SheetError, match="30 欄"):
        read(tmp_path, write([*wide, (*PLAIN[0], *range(25))]))  # type: ignore[operator]


def test_cells(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="太大了"):
        read(tmp_path, files.xlsx(_table(100)), replace(LIMITS, cells=1000))


def test_a_hidden_sheet_of_any_size_is_not_read(tmp_path: Path) -> None:
    def change(book, page) -> None:  # type: ignore[no-untyped-def]
        other = book.create_sheet("暫存")
        other.cell(1_048_576, 16_384, 1)
        other.sheet_state = "hidden"

    assert read(tmp_path, files.xlsx(TABLE, change=change)).total == 2


def test_other_sheets_that_would_do_are_named(tmp_path: Path) -> None:
    def change(book, page) -> None:  # type: ignore[no-untyped-def]
        for title in ("下半月", "備份"):
            other = book.create_sheet(title)
            for row in TABLE:
                other.append(row)
        book["備份"].sheet_state = "hidden"
        book.create_sheet("說明")["A1"] = "日期"

    report = read(tmp_path, files.xlsx(TABLE, change=change))
    assert (report.sheet, report.others) == ("銷售", ["下半月"])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="損壞或不完整"):
        read_rows(tmp_path / "gone", name="銷售.xlsx", limits=LIMITS, fields=FIELDS)


def test_aliases_of_staff(tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(files.csv([("出貨日", "momo編碼", "件數"), ("2025/11/22", "A1", "1")]))
    aliases = {"date": ["出貨日"], "product_code": ["MOMO 編碼"], "quantity": ["件數"]}
    report = read_rows(path, name="銷售.csv", limits=LIMITS, fields=FIELDS, aliases=aliases)
    assert dict(report.matched.headers) == {"date": "出貨日", "product_code": "momo編碼", "quantity": "件數"}


@pytest.mark.parametrize("write", [files.xlsx, files.xlsb, files.csv, files.html, files.protected_xlsx])
def test_whatever_is_damaged_is_read_or_refused(tmp_path: Path, write: object) -> None:
    whole = write(TABLE)  # type: ignore[operator]
    generator = random.Random(7)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.3:
            del data[generator.randrange(len(data)) :]
        assert refusal(tmp_path, bytes(data)).endswith("。")


@pytest.mark.parametrize("write", [files.xlsx, files.xlsb])
def test_whatever_is_damaged_inside_is_read_or_refused(tmp_path: Path, write: object) -> None:
    """The parts themselves, with sums that agree: damage that gets as far as calamine."""
    whole = write(TABLE)  # type: ignore[operator]
    generator = random.Random(11)

    def damage(name: str, part: bytes) -> bytes:
        data = bytearray(part)
        for _ in range(generator.randint(0, 3)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        return bytes(data)

    for _ in range(150):
        assert refusal(tmp_path, files.rezipped(whole, damage)).endswith("。")

"""The lines of a day as files, opened by other programs."""

from __future__ import annotations

import csv
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from openpyxl import load_workbook

from sales.exports import export
from tests.kit.users import person, session_client
from tests.products.test_exports import libreoffice
from tests.sales.factories import DAY, publish, sale

pytestmark = pytest.mark.django_db
HEADINGS = [
    "日期",
    "品號",
    "品名",
    "品牌",
    "分類",
    "PM",
    "廠商代號",
    "廠商名稱",
    "數量",
    "業績",
    "成本",
    "毛利",
    "毛利率",
]
NAMES = ("=1+1", "+886", "-x", "@SUM(A1)", "＝1+1", '含"引號",與逗號\n換行', "🔥精華液")


@pytest.fixture
def asker(db: None) -> Client:
    publish([sale(0, 1, product_name="舊的")])  # superseded: in no file
    publish(
        [
            sale(
                0, "1234.5", 2, "0012345", product_name="精華液", brand="水潤", pm="王小明", category="美妝", cost=1000
            ),
            sale(0, 900, 3, "TP00012040000352", vendor_code="0099", vendor_name="水潤生技", cost=None),
            sale(0, 0, 0, "3", cost=0),
            *[sale(0, 100, 1, str(number), product_name=name, cost=None) for number, name in enumerate(NAMES, 10)],
        ]
    )
    return session_client(person())


def fetched(client: Client, **query: str) -> tuple[str, str, bytes]:
    answer: Any = client.get("/api/export/daily_sales", query)
    assert answer.status_code == 200
    return unquote(answer["Content-Disposition"]), answer["Content-Type"], b"".join(answer.streaming_content)


def rows_of(content: bytes) -> list[list[Any]]:
    (sheet,) = load_workbook(BytesIO(content)).worksheets
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_a_workbook(asker: Client) -> None:
    disposition, kind, content = fetched(asker, date="2026-03-02", format="excel")
    assert disposition.startswith("attachment;")
    assert "momo_每日銷售_20260302.xlsx" in disposition
    assert kind == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    header, *rows = rows_of(content)
    assert header == HEADINGS
    day = datetime(2026, 3, 2)
    assert rows[0] == [day, "0012345", "精華液", "水潤", "美妝", "王小明", None, None, 2, 1234.5, 1000, 234.5, 19]
    assert rows[1] == [day, "TP00012040000352", None, None, None, None, "0099", "水潤生技", 3, 900, None, None, None]
    assert rows[2][8:] == [0, 0, 0, 0, None]
    assert len(rows) == 3 + len(NAMES)
    (sheet,) = load_workbook(BytesIO(content)).worksheets
    assert (sheet.title, sheet.freeze_panes, sheet["A2"].number_format) == ("每日銷售", "A2", "yyyy-mm-dd")
    assert [cell.number_format for cell in sheet[2][8:]] == ["#,##0", *["#,##0.00"] * 3, '0.00"%"']
    assert not [cell.coordinate for cells in sheet.iter_rows() for cell in cells if cell.data_type == "f"]


def test_goods_that_came_back_have_no_margin(asker: Client) -> None:
    publish([sale(5, -8, gross_profit=-20)])
    _, _, content = fetched(asker, date="2026-03-07", format="csv")
    _, row = csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))
    assert row[9:] == ["-8.0", "12.0", "-20.0", ""]


def test_csv(asker: Client) -> None:
    disposition, kind, content = fetched(asker, date="2026-03-02", format="csv")
    assert "momo_每日銷售_20260302.csv" in disposition
    assert kind == "text/csv; charset=utf-8"
    assert content.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))
    assert header == HEADINGS
    assert rows[0] == [
        "2026-03-02",
        "0012345",
        "精華液",
        "水潤",
        "美妝",
        "王小明",
        "",
        "",
        "2",
        "1234.5",
        "1000.0",
        "234.5",
        "19.0",
    ]
    # Text that a spreadsheet program would take for a formula is text.
    assert [row[2] for row in rows[3:]] == ["'=1+1", "'+886", "'-x", "'@SUM(A1)", "'＝1+1", *NAMES[5:]]


def test_without_a_date_or_data(asker: Client) -> None:
    disposition, _, content = fetched(asker)
    assert "momo_每日銷售_20260302.xlsx" in disposition
    assert len(rows_of(content)) == 4 + len(NAMES)
    _, _, content = fetched(asker, date="2020-01-01", format="csv")
    assert content.decode("utf-8-sig").split() == [",".join(HEADINGS)]
    _, _, content = fetched(asker, date="2020-01-01")
    assert rows_of(content)[0] == HEADINGS


@pytest.mark.office
@pytest.mark.usefixtures("asker")
def test_libreoffice_opens_both(tmp_path: Path) -> None:
    for format in ("excel", "csv"):
        name, handle = export(day=DAY, format=format)
        with handle:
            (tmp_path / name.replace("momo_每日銷售", "day")).write_bytes(handle.read())
    target = tmp_path / "converted"
    libreoffice(
        "--infilter=Text - txt - csv (StarCalc):44,34,76,1,,0,false,true",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(target / "csv"),
        str(tmp_path / "day_20260302.csv"),
    )
    libreoffice(
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(target / "excel"),
        str(tmp_path / "day_20260302.xlsx"),
    )
    opened = {kind: rows_of((target / kind / "day_20260302.xlsx").read_bytes()) for kind in ("excel", "csv")}
    for rows in opened.values():
        assert rows[0] == HEADINGS
        assert len(rows) == 4 + len(NAMES)
        assert (rows[1][2], rows[1][8], rows[1][9], rows[1][11]) == ("精華液", 2, 1234.5, 234.5)
        assert rows[1][0] == datetime(2026, 3, 2)
    # The workbook says that codes are text; a CSV cannot.
    assert [row[1] for row in opened["excel"][1:3]] == ["0012345", "TP00012040000352"]

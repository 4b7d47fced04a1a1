"""The three workbooks, as openpyxl and LibreOffice read them."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from products.exports import KINDS, workbook
from products.models import Category, CrawlRun, Product, QuarantinedPrice
from tests.kit.users import person, session_client
from tests.products.factories import Runs, absent, category, item, lowest_of_spans
from tests.sheets.files import office_profile

pytestmark = pytest.mark.django_db

ODD = {
    "0012345": '🔥爆款🔥 <限定> & "加大" \'26',
    "1000002": '=HYPERLINK("http://evil.example","x")',
    "1000003": "+886 長途",
    "1000004": "-20% 下殺",
    "1000005": "@SUM(A1:A9)",
    "1000006": "\t=1+1",
    "1000007": "＝1+1",
    "1000008": "＋８８６ 長途",
    "1000009": "－20% 下殺",
    "1000010": "＠home",
    "TP00012040000352": "【沐光】保濕精華液",
}
HEADINGS = ["品號", "品名", "品牌", "分類", "狀態", "售價", "前次售價", "漲跌", "漲跌幅", "30天最低價"]
HEADINGS += ["變價時間", "首次看到", "最近看到", "連結", "售價讀不到，自", "待確認售價"]


@pytest.fixture
def goods(db: None) -> Runs:
    """20 ordinary products, two dearer, one cheaper and one gone since, and some with hostile names."""
    runs = Runs()
    runs.at = timezone.now().replace(microsecond=0) - timedelta(hours=13)
    home = category(name="精華液")
    plain = {str(code): 1000 for code in range(2_000_000, 2_000_020)}
    odd = [item(code, 500, name=name, brand="=品牌") for code, name in ODD.items()]

    def day(prices: dict[str, int], *more: dict[str, Any]) -> None:
        runs.run({home: [*odd, *(item(code, price) for code, price in prices.items()), *more]})

    day(plain)
    day(plain | {"2000000": 1100, "2000001": 1250, "2000002": 899})
    rest = plain | {"2000000": 1100, "2000001": 1250, "2000002": 899}
    del rest["2000019"]
    for _ in range(3):
        day(rest, absent("2000019"))
    return runs


def sheet_of(kind: str) -> tuple[str, Worksheet]:
    name, handle = workbook(kind)
    with handle:
        book = load_workbook(BytesIO(handle.read()))
    (sheet,) = book.worksheets
    assert sheet.title == KINDS[kind]
    return name, sheet


def rows_of(sheet: Worksheet) -> dict[str, dict[str, Any]]:
    """Rows by goods code."""
    headings, *rows = sheet.iter_rows(values_only=True)
    found = [dict(zip(headings, row, strict=True)) for row in rows]
    return {row["品號"]: row for row in found}


@pytest.mark.usefixtures("goods")
def test_all_products_with_their_types() -> None:
    name, sheet = sheet_of("all")
    assert name == f"momo_全部商品_{timezone.localdate():%Y%m%d}.xlsx"
    rows = rows_of(sheet)
    assert len(rows) == sheet.max_row - 1 == Product.objects.count() == 31
    assert list(rows) == sorted(rows)
    for product in Product.objects.select_related("category"):
        row = rows[product.product_id]
        assert list(row) == HEADINGS
        assert (row["狀態"], row["分類"], row["連結"]) == (product.get_status_display(), "精華液", product.url)
        assert (row["售價"], row["前次售價"], row["漲跌"]) == (product.price, product.previous_price, product.change)
        assert row["漲跌幅"] == (None if product.change_percent is None else float(product.change_percent))
        assert row["30天最低價"] == lowest_of_spans(product, timezone.now())
        for heading, moment in (
            ("變價時間", product.price_changed_at),
            ("首次看到", product.first_seen_at),
            ("最近看到", product.last_seen_at),
        ):
            assert row[heading] == (moment and timezone.localtime(moment).replace(tzinfo=None))
            assert row[heading] is None or isinstance(row[heading], datetime)


@pytest.mark.usefixtures("goods")
def test_text_stays_as_it_is_and_is_no_formula() -> None:
    _, sheet = sheet_of("all")
    rows = rows_of(sheet)
    assert {code: rows[code]["品名"].lstrip("'") for code in ODD} == ODD
    for code, name in ODD.items():
        assert rows[code]["品名"].startswith("'") == name.startswith(tuple("=+-@\t＝＋－＠"))
        assert rows[code]["品牌"] == "'=品牌"
    for cells in sheet.iter_rows(min_row=2):
        assert cells[0].data_type == "s"
        assert cells[0].number_format == "@"
        assert {cell.data_type for cell in cells[5:10]} == {"n"}
        assert [cells[place].number_format for place in (5, 9, 11)] == ["#,##0", "#,##0", "yyyy-mm-dd hh:mm"]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
        assert all(cell.is_date for cell in cells[10:13] if cell.value is not None)


@pytest.mark.usefixtures("goods")
def test_goods_of_a_category_that_is_switched_off_are_not_called_on_sale() -> None:
    Category.objects.update(enabled=False)
    stated = {code: row["狀態"] for code, row in rows_of(sheet_of("all")[1]).items()}
    assert stated.pop("2000019") == "已下架"
    assert set(stated.values()) == {"停止更新"}


@pytest.mark.usefixtures("goods")
def test_prices_that_are_not_certain_are_marked() -> None:
    since = timezone.now().replace(microsecond=0)
    Product.objects.filter(product_id="2000005").update(price_unread_since=since)
    run = CrawlRun.objects.earliest("pk")
    for status, price in (("held", 90), ("rejected", 80)):
        QuarantinedPrice.objects.create(
            code="2000006", name="x", price=price, reason="jump", status=status, run=run, observed_at=since
        )
    rows = rows_of(sheet_of("all")[1])
    marked = {code: (row["售價讀不到，自"], row["待確認售價"]) for code, row in rows.items()}
    assert marked.pop("2000005") == (timezone.localtime(since).replace(tzinfo=None), None)
    assert marked.pop("2000006") == (None, 90)
    assert set(marked.values()) == {(None, None)}


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("kind", KINDS)
def test_the_header(kind: str) -> None:
    _, sheet = sheet_of(kind)
    headings = [cell.value for cell in sheet[1]]
    assert headings == (HEADINGS if kind != "delisted" else [*HEADINGS[:5], "下架時間", *HEADINGS[5:]])
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.bold and cell.fill.fgColor.rgb == "FFC2185B" for cell in sheet[1])
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}{sheet.max_row}"
    widths = {letter: dimension.width for letter, dimension in sheet.column_dimensions.items()}
    assert 17 < widths["A"] < 20
    assert 55 < widths["B"] < 58


@pytest.mark.usefixtures("goods")
def test_changes_and_delisted_hold_theirs_alone() -> None:
    _, changes = sheet_of("changes")
    assert {code: row["漲跌"] for code, row in rows_of(changes).items()} == {
        "2000000": 100,
        "2000001": 250,
        "2000002": -101,
    }
    _, delisted = sheet_of("delisted")
    ((code, row),) = rows_of(delisted).items()
    gone = Product.objects.get(status="delisted")
    assert code == gone.product_id == "2000019"
    assert gone.delisted_at is not None
    assert row["下架時間"] == timezone.localtime(gone.delisted_at).replace(tzinfo=None)
    assert row["狀態"] == "已下架"


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_export_is_a_header_alone(kind: str) -> None:
    _, sheet = sheet_of(kind)
    assert sheet["A1"].value == "品號"
    assert not [value for row in sheet.iter_rows(min_row=2, values_only=True) for value in row if value is not None]
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("products", [1, 250])
def test_a_workbook_takes_as_many_queries_whatever_its_size(
    kind: str, products: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    Runs().run({category(): [item(str(2_000_000 + number)) for number in range(products)]})
    # A savepoint around the cursor, which itself is the server's and one statement.
    with django_assert_num_queries(2):
        workbook(kind)[1].close()


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("kind", KINDS)
def test_the_api_hands_it_out(kind: str) -> None:
    asker: Client = session_client(person())
    answer = asker.get(f"/api/export/excel/{kind}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert unquote(answer["Content-Disposition"]).startswith("attachment;")
    assert f"momo_{KINDS[kind]}_{timezone.localdate():%Y%m%d}.xlsx" in unquote(answer["Content-Disposition"])
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))
    assert book.sheetnames == [KINDS[kind]]
    assert asker.get("/api/export/excel/everything").status_code == 404


def office() -> str:
    """LibreOffice; without it the test is left out, but not where all tests must run."""
    found = shutil.which("soffice")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("LibreOffice (soffice) is not installed, and CI leaves no test out")
        pytest.skip("LibreOffice (soffice) is not installed")
    return found


def converted(folder: Path, to: str) -> Path:
    """The three workbooks as LibreOffice writes them anew in format `to`, that is, as it has understood them."""
    for kind in KINDS:
        _, handle = workbook(kind)
        with handle:
            (folder / f"{kind}.xlsx").write_bytes(handle.read())
    target = folder / "converted"
    libreoffice("--convert-to", to, "--outdir", str(target), *(str(folder / f"{kind}.xlsx") for kind in KINDS))
    return target


def libreoffice(*arguments: str) -> None:
    profile = f"-env:UserInstallation={office_profile().as_uri()}"
    subprocess.run([office(), profile, "--headless", *arguments], check=True, capture_output=True, timeout=180)


# What is frozen belongs to a window, and LibreOffice leaves it out of what it converts without one: ask the window.
PANES = """<?xml version="1.0" encoding="UTF-8"?>
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Look" script:language="StarBasic">
Sub Panes(books As String, answer As String)
  Dim hidden(0) As New com.sun.star.beans.PropertyValue
  hidden(0).Name = "Hidden"
  hidden(0).Value = True
  Open answer For Output As #1
  For Each book In Split(books, "|")
    document = StarDesktop.loadComponentFromURL(book, "_blank", 0, hidden())
    view = document.CurrentController
    Print #1, view.hasFrozenPanes() &amp; " " &amp; view.SplitRow &amp; " " &amp; view.SplitColumn
    document.close(True)
  Next
  Close #1
End Sub
</script:module>
"""
MACROS = """<?xml version="1.0" encoding="UTF-8"?>
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard">
 <library:element library:name="Look"/>
</library:library>
"""


def frozen(folder: Path) -> list[str]:
    """Of each kind whether LibreOffice freezes anything, and how many rows and columns. The profile has been used."""
    macros = office_profile() / "user" / "basic" / "Standard"
    (macros / "script.xlb").write_text(MACROS)
    (macros / "Look.xba").write_text(PANES)
    answer, books = folder / "panes.txt", "|".join((folder / f"{kind}.xlsx").as_uri() for kind in KINDS)
    libreoffice(f'macro:///Standard.Look.Panes("{books}","{answer}")')
    return answer.read_text().splitlines()


@pytest.mark.office
@pytest.mark.usefixtures("goods")
def test_libreoffice_shows_them(tmp_path: Path) -> None:
    # Comma, quotes, UTF-8, from the first row; each cell as it is shown.
    target = converted(tmp_path, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true")
    names = {}
    for kind in KINDS:
        with open(target / f"{kind}.csv", encoding="utf-8-sig", newline="") as handle:
            names[kind] = {row["品號"]: row for row in csv.DictReader(handle)}
    assert {kind: len(rows) for kind, rows in names.items()} == {"all": 31, "changes": 3, "delisted": 1}
    shown = names["all"]["2000001"]
    changed = Product.objects.get(product_id="2000001").price_changed_at
    assert changed is not None
    assert (shown["售價"], shown["前次售價"], shown["漲跌"], shown["漲跌幅"]) == ("1,250", "1,000", "+250", "+25.00%")
    assert shown["變價時間"] == f"{timezone.localtime(changed):%Y-%m-%d %H:%M}"
    assert names["changes"]["2000002"]["漲跌"] == "-101"
    # A code with leading zeros is still there, and no name was worked out as a formula.
    assert {code: names["all"][code]["品名"].lstrip("'") for code in ODD} == ODD


TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("售價", "前次售價", "漲跌", "漲跌幅", "30天最低價"), (int, float)),
    **dict.fromkeys(("變價時間", "首次看到", "最近看到", "下架時間"), (datetime,)),
}


@pytest.mark.office
@pytest.mark.usefixtures("goods")
def test_libreoffice_understands_them(tmp_path: Path) -> None:
    target = converted(tmp_path, "xlsx:Calc MS Excel 2007 XML")
    counts = {}
    assert frozen(tmp_path) == ["True 1 0"] * len(KINDS)
    for kind in KINDS:
        (sheet,) = load_workbook(target / f"{kind}.xlsx").worksheets
        assert sheet.title == KINDS[kind]
        assert all(cell.font.bold and cell.fill.fgColor.rgb == "FFC2185B" for cell in sheet[1])
        rows = rows_of(sheet)
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}{len(rows) + 1}"
        counts[kind] = len(rows)
        for code, row in rows.items():
            for heading, value in row.items():
                assert value is None or isinstance(value, TYPES.get(heading, (str,))), (kind, code, heading, value)
            assert None not in (row["品名"], row["售價"], row["30天最低價"], row["首次看到"], row["最近看到"])
        assert not [cell.coordinate for cells in sheet.iter_rows() for cell in cells if cell.data_type == "f"]
        # The numbers and times are those of the table, not merely of the right kind.
        for product in Product.objects.filter(product_id__in=rows):
            row = rows[product.product_id]
            assert (row["售價"], row["前次售價"], row["漲跌"]) == (
                product.price,
                product.previous_price,
                product.change,
            )
            assert row["首次看到"] == timezone.localtime(product.first_seen_at).replace(tzinfo=None)
    assert counts == {"all": 31, "changes": 3, "delisted": 1}

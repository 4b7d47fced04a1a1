"""What a row of the daily report must say, and what follows from it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from momo.jobs.importers import ImportRefused, Table, importer_for
from momo.sheets.columns import match
from products.models import Category, Product
from sales.importers import DailySalesImporter
from tests.sales.factories import job, sale, table_of

pytestmark = pytest.mark.django_db
SUPPLIER_HEADER = [
    "訂單日期", "項次+燈號", "配送狀態", "配送訊息", "宅單備註", "訂單編號", "收件人姓名", "收件人地址",
    "貨運公司出貨地址", "貨運公司回收地址", "訂單類別", "客戶配送需求", "轉單日", "預計出貨日", "商品原廠編號",
    "品號", "品名", "單名編號", "單品詳細", "數量", "進價(含稅)", "售價(含稅)", "贈品", "訂購人姓名", "發票號碼",
    "發票日期", "個人識別碼", "群組變價商品",
]  # fmt: skip


def checked(*rows: dict[str, Any]) -> Table:
    table = table_of(rows)
    DailySalesImporter().check(table)
    return table


def complaints(table: Table) -> list[tuple[int, str, str, str]]:
    return [(error.row, error.column, error.value, error.message) for error in table.errors]


def columns(table: Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table.columns[name] for name in names), strict=True))


def test_the_importer_is_registered() -> None:
    assert isinstance(importer_for("daily_sales"), DailySalesImporter)


def test_the_suppliers_columns() -> None:
    """Each has its field or is unknown; no column about a person is one."""
    found = match([SUPPLIER_HEADER], DailySalesImporter.fields)
    assert found is not None
    assert found.headers == {
        "date": "訂單日期",
        "product_code": "品號",
        "product_name": "品名",
        "quantity": "數量",
        "unit_cost": "進價(含稅)",
        "unit_price": "售價(含稅)",
    }
    assert found.missing == []
    for name in ("收件人姓名", "收件人地址", "訂購人姓名", "個人識別碼", "發票號碼"):
        assert name in found.unknown


@pytest.mark.parametrize(
    ("header", "field"),
    [
        *[(name, "date") for name in ("訂單日期", "日期", "銷售日期", "轉單日")],
        *[(name, "product_code") for name in ("品號", "商品編號", "商品代碼", "i_code", "I_CODE")],
        *[(name, "product_name") for name in ("品名", "商品名稱")],
        *[(name, "quantity") for name in ("數量", "銷量", "銷售數量")],
        *[(name, "amount") for name in ("業績", "銷售金額", "銷售額", "總業績")],
        *[(name, "unit_price") for name in ("售價(含稅)", "售價", "單價")],
        *[(name, "cost") for name in ("成本", "總成本")],
        *[(name, "unit_cost") for name in ("進價(含稅)", "進價（含稅）", "進價")],
        *[(name, "gross_profit") for name in ("毛利", "毛利額")],
        ("品牌", "brand"),
        *[(name, "pm") for name in ("PM", "PM 姓名", "負責PM", "ｐｍ")],
        *[(name, "category") for name in ("館別", "分類", "部門", "處別", "科別")],
        *[(name, "vendor_code") for name in ("廠商代號", "廠商編號", "供應商編號")],
        *[(name, "vendor_name") for name in ("廠商名稱", "供應商名稱")],
    ],
)
def test_known_headers(header: str, field: str) -> None:
    # Beside two columns that make the row a header, unless it is one of them.
    beside = [name for name, of in (("日期", "date"), ("品號", "product_code")) if of != field]
    found = match([[*beside, header]], DailySalesImporter.fields)
    assert found is not None
    assert found.columns[field] == len(beside)


def test_names_fit_their_columns() -> None:
    lengths = {field.name: field.max_length for field in DailySalesImporter.fields}
    assert (lengths["product_code"], lengths["product_name"], lengths["brand"], lengths["pm"]) == (30, 500, 120, 60)


# --- Amounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (sale(amount=300, cost=200, gross_profit=90), (30000, 20000, 9000)),
        (sale(amount=300, cost=200), (30000, 20000, 10000)),
        (sale(amount=300, gross_profit=90), (30000, 21000, 9000)),
        (sale(amount=300), (30000, None, None)),
        (sale(amount=..., quantity=3, unit_price="99.99"), (29997, None, None)),
        # Multiplied, then rounded, halves away from zero.
        (sale(amount=..., quantity=1000, unit_price="33.335"), (33_335_00, None, None)),
        (sale(amount=..., quantity=-3, unit_price="33.335", unit_cost="0.0015"), (-10001, 0, -10001)),
        (sale(amount=..., quantity=5, unit_price="0.001", unit_cost="0.003"), (1, 2, -1)),
        (sale(amount=..., quantity=3, unit_price=100, unit_cost="66.67"), (30000, 20001, 9999)),
        (sale(amount=310, quantity=3, unit_price=100, unit_cost=70, cost=200), (31000, 20000, 11000)),
        (sale(amount=-300, quantity=-3, unit_cost=70), (-30000, -21000, -9000)),
        (sale(amount=0, quantity=0, cost=0), (0, 0, 0)),
        (sale(amount=None, quantity=2, unit_price=50, cost=None, unit_cost=30), (10000, 6000, 4000)),
        (sale(amount=300, cost=None, gross_profit=None), (30000, None, None)),
    ],
)
def test_amount_cost_and_gross_profit(row: dict[str, Any], wanted: tuple[int | None, ...]) -> None:
    table = checked(row)
    assert complaints(table) == []
    assert columns(table, "amount", "cost", "gross_profit") == [wanted]


def test_each_row_takes_what_it_has() -> None:
    table = checked(
        sale(amount=100, unit_price=60, quantity=2, cost=50, gross_profit=None),
        sale(amount=None, unit_price=60, quantity=2, cost=None, gross_profit=20),
        sale(amount=100, unit_price=None, quantity=2, cost=None, gross_profit=None),
    )
    assert columns(table, "amount", "cost", "gross_profit") == [
        (10000, 5000, 5000),
        (12000, 10000, 2000),
        (10000, None, None),
    ]


def test_without_a_column_of_amounts_the_file_is_refused() -> None:
    with pytest.raises(ImportRefused) as refused:
        checked(sale(amount=..., cost=100))
    text = str(refused.value)
    for name in ("業績", "銷售金額", "銷售額", "總業績", "售價(含稅)", "售價", "單價"):
        assert name in text


def test_a_row_without_an_amount_is_an_error() -> None:
    table = checked(sale(amount=100), sale(amount=None), sale(amount=None, quantity=None))
    assert complaints(table) == [
        (4, "數量", "", "數量不可空白"),
        (3, "業績", "", "沒有業績，也沒有可以計算業績的售價"),
        (4, "業績", "", "沒有業績，也沒有可以計算業績的售價"),
    ]
    table = checked(sale(amount=..., unit_price=10), sale(amount=..., unit_price=None))
    assert complaints(table) == [(3, "售價", "", "沒有業績，也沒有可以計算業績的售價")]


def test_what_cannot_be_stored_is_an_error() -> None:
    huge = "1000000000"
    table = checked(
        sale(amount="999999999.99"),
        sale(amount=huge),
        sale(amount=f"-{huge}"),
        sale(quantity=2**31),
        sale(amount=None, unit_price=900_000_000, quantity=2),
        sale(cost=huge),
        sale(unit_cost=900_000_000, quantity=-2, amount=1),
        sale(amount=900_000_000, cost=-900_000_000),
    )
    assert complaints(table) == [
        (3, "業績", huge, "金額超過 NT$ 999,999,999.99"),
        (4, "業績", f"-{huge}", "金額超過 NT$ 999,999,999.99"),
        (7, "成本", huge, "金額超過 NT$ 999,999,999.99"),
        (5, "數量", str(2**31), "數量超出範圍"),
        (6, "業績", "1800000000", "計算出的業績超過 NT$ 999,999,999.99"),
        (8, "成本", "-1800000000", "計算出的成本超過 NT$ 999,999,999.99"),
        (9, "業績", "1800000000", "計算出的毛利超過 NT$ 999,999,999.99"),
    ]
    # What is left fits.
    table.keep_good()
    with transaction.atomic():
        assert DailySalesImporter().publish(job(), table).created == 1


def test_a_day_of_the_biggest_rows_fits() -> None:
    rows = [sale(amount="999999999.99", quantity=2**31 - 1, cost="-0.01", code=str(n)) for n in range(3)]
    with pytest.raises(AssertionError):  # the gross profit is a cent too big
        assert complaints(checked(*rows)) == []
    table = checked(*[{**row, "cost": 0} for row in rows])
    assert complaints(table) == []
    with transaction.atomic():
        result = DailySalesImporter().publish(job(), table).result
    assert result["days"][0]["amount"] == 2999999999.97


# --- Dates ----------------------------------------------------------------------------------------------------------


def test_dates() -> None:
    today = date(2026, 3, 2)
    with time_machine.travel("2026-03-02T23:30:00+08:00", tick=False):
        assert timezone.localdate() == today
        table = checked(
            *[sale() | {"date": day} for day in (today, today + timedelta(days=1), date(2000, 1, 1))],
            sale() | {"date": today + timedelta(days=2)},
            sale() | {"date": date(1999, 12, 31)},
            sale() | {"date": date(2206, 3, 2)},
            sale() | {"date": None},
        )
    assert complaints(table) == [
        (8, "日期", "", "日期不可空白"),
        (5, "日期", "2026-03-04", "日期在未來，請確認年份"),
        (6, "日期", "1999-12-31", "日期早於 2000 年，請確認年份"),
        (7, "日期", "2206-03-02", "日期在未來，請確認年份"),
    ]


def test_a_bad_cell_is_told_once() -> None:
    """What could not be read is None and an error already."""
    table = table_of([sale() | {"date": None}, sale(code="", amount=None)])
    table.fail(0, "date", "不是日期")
    DailySalesImporter().check(table)
    assert [(error.row, error.message) for error in table.errors] == [
        (2, "不是日期"),
        (3, "沒有業績，也沒有可以計算業績的售價"),
    ]


def test_every_bad_cell_of_a_row_is_told_at_once() -> None:
    table = table_of([sale(quantity=None, code=None, amount=None) | {"date": date(2062, 3, 2)}])
    table.fail(0, "quantity", "不是整數")
    DailySalesImporter().check(table)
    assert sorted((error.column, error.message) for error in table.errors) == [
        ("品號", "品號不可空白"),
        ("數量", "不是整數"),
        ("日期", "日期在未來，請確認年份"),
        ("業績", "沒有業績，也沒有可以計算業績的售價"),
    ]


def test_what_follows_from_a_bad_cell_is_no_error_of_its_own() -> None:
    table = table_of(
        [sale(amount=..., unit_price=100, quantity=None), sale(amount=..., unit_price=999_999_999, quantity=9)]
    )
    table.fail(0, "quantity", "不是整數")
    DailySalesImporter().check(table)
    assert [(error.row, error.column) for error in table.errors] == [(2, "數量"), (3, "售價")]


# --- What the catalogue knows ---------------------------------------------------------------------------------------


def product(code: str, brand: str, category: str) -> None:
    kind = Category.objects.get_or_create(name=category, defaults={"code": f"11{len(category):08d}"})[0]
    moment = timezone.now()
    Product.objects.create(
        product_id=code,
        name="品",
        brand=brand,
        category=kind,
        url="https://www.momoshop.com.tw/product/1",
        price=1,
        first_seen_at=moment,
        last_seen_at=moment,
    )


def test_brand_and_category_of_the_catalogue_where_the_file_has_no_such_column() -> None:
    product("1000001", "水潤", "臉部保養")
    product("1000002", "沐光", "身體保養用品")
    rows = [sale(code="1000001"), sale(code="1000002"), sale(code="1000003")]
    assert columns(checked(*rows), "brand", "category") == [("水潤", "臉部保養"), ("沐光", "身體保養用品"), ("", "")]
    rows = [sale(code="1000001", brand="別的"), sale(code="1000002", brand=None)]
    assert columns(checked(*rows), "brand", "category") == [("別的", "臉部保養"), (None, "身體保養用品")]
    rows = [sale(code="1000001", brand="別的", category="")]
    assert columns(checked(*rows), "brand", "category") == [("別的", "")]


def test_nameless_by_name_is_nameless() -> None:
    assert columns(checked(sale(brand="未分類", pm="未分類", category="未分類")), "brand", "pm", "category") == [
        ("",) * 3
    ]


def test_nameless_by_name_in_the_catalogue_is_nameless_too() -> None:
    product("1000001", "未分類", "未分類")
    assert columns(checked(sale(code="1000001")), "brand", "category") == [("", "")]


# --- The preview ----------------------------------------------------------------------------------------------------


def test_the_preview_says_what_would_change() -> None:
    importer = DailySalesImporter()
    table = checked(sale(), sale(2))
    assert importer.preview_note(table) == "共 2 天（2026-03-02 至 2026-03-04），都是新的日期。"
    with transaction.atomic():
        importer.publish(job(), checked(sale()))
    assert importer.preview_note(checked(sale())) == (
        "共 1 天（2026-03-02），其中 1 天已有資料：內容不同時改以這份檔案為準。"
    )
    assert importer.preview_note(table_of([{"date": None}])) == ""

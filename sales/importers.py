"""The daily sales report: its columns, and the checks of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone

from momo.jobs.importers import Importer, ImportRefused, Outcome, Table
from momo.jobs.models import Job
from momo.sheets.columns import Field, Kind
from momo.sheets.values import whole_cents
from products.models import Product
from sales.figures import NAMELESS, dollars
from sales.models import SalesLine
from sales.selectors.days import days_in_force
from sales.services.publish import Publication
from sales.services.undo import undo_import

EARLIEST = date(2000, 1, 1)  # an earlier date is a misread cell; momo sold nothing before
FUTURE_DAYS = 1  # midnight may pass while a report is made
MAX_CENTS = 99_999_999_999  # NT$ 999,999,999.99 in one row, so that sums fit their columns
MAX_QUANTITY = 2_147_483_647
MONEY = ("amount", "unit_price", "cost", "unit_cost", "gross_profit")
GROUPS = ("brand", "pm", "category")


def _field(name: str, label: str, kind: Kind, *aliases: str, required: bool = False, per_piece: bool = False) -> Field:
    stored = {field.name: field.max_length for field in SalesLine._meta.fields if getattr(field, "max_length", None)}
    return Field(name, label, kind, aliases, required, stored.get(name) or 200, per_piece)


class DailySalesImporter(Importer):
    """Rows of sold products by day. Columns with personal data are no fields, so they are never read."""

    job_type: ClassVar[str] = "daily_sales"
    label: ClassVar[str] = "每日銷售"
    fields: ClassVar[Sequence[Field]] = (
        _field("date", "日期", Kind.DATE, "訂單日期", "日期", "銷售日期", "轉單日", required=True),
        _field("product_code", "品號", Kind.CODE, "品號", "商品編號", "商品代碼", "i_code", required=True),
        _field("product_name", "品名", Kind.TEXT, "品名", "商品名稱"),
        _field("quantity", "數量", Kind.INTEGER, "數量", "銷量", "銷售數量", required=True),
        _field("amount", "業績", Kind.MONEY, "業績", "銷售金額", "銷售額", "總業績"),
        _field("unit_price", "售價", Kind.MONEY, "售價(含稅)", "售價", "單價", per_piece=True),
        _field("cost", "成本", Kind.MONEY, "成本", "總成本"),
        _field("unit_cost", "進價", Kind.MONEY, "進價(含稅)", "進價", per_piece=True),
        _field("gross_profit", "毛利", Kind.MONEY, "毛利", "毛利額"),
        _field("brand", "品牌", Kind.TEXT, "品牌"),
        _field("pm", "PM", Kind.TEXT, "PM", "PM姓名", "負責PM"),
        _field("category", "分類", Kind.TEXT, "館別", "分類", "部門", "處別", "科別"),
        _field("vendor_code", "廠商代號", Kind.CODE, "廠商代號", "廠商編號", "供應商編號"),
        _field("vendor_name", "廠商名稱", Kind.TEXT, "廠商名稱", "供應商名稱"),
    )
    columns_note: ClassVar[str] = "「業績」與「售價」至少要有一欄；只有售價時，業績是售價乘以數量。"
    publication: ClassVar[type[Publication]] = Publication

    def example_rows(self) -> Sequence[Mapping[str, Any]]:
        """Two sales of yesterday."""
        common = {"date": timezone.localdate() - timedelta(days=1), "pm": "王小明", "vendor_code": "012345"}
        return (
            {**common, "product_code": "10012345", "product_name": "範例商品一（匯入前請刪除）", "quantity": 2}
            | {"amount": 1980, "cost": 1200, "brand": "品牌甲", "category": "美妝", "vendor_name": "範例廠商"},
            {**common, "product_code": "10012346", "product_name": "範例商品二（匯入前請刪除）", "quantity": 1}
            | {"amount": 590, "cost": 400, "brand": "品牌乙", "category": "居家", "vendor_name": "範例廠商"},
        )

    def check(self, table: Table) -> None:
        """Check dates and bounds; derive amount, cost, gross profit, brand and category from other columns.

        Raises ImportRefused if no column gives the amount.
        """
        columns = table.columns
        if "amount" not in columns and "unit_price" not in columns:
            amount, price = (field for field in self.fields if field.name in ("amount", "unit_price"))
            raise ImportRefused(
                f"檔案沒有金額欄位，無法計算業績。請加上「{amount.label}」（標題可為 {'、'.join(amount.aliases)}），"
                f"或「{price.label}」（標題可為 {'、'.join(price.aliases)}，會乘上數量）。"
            )
        table.check_required(self.fields)
        self._check_dates(table)
        self._check_bounds(table)
        self._derive(table)
        self._fill_from_catalogue(table)
        for name in GROUPS:
            # NAMELESS is the label of the empty key; stored as a key, it would be shown as the same.
            if NAMELESS in columns.get(name, ()):
                columns[name] = ["" if value == NAMELESS else value for value in columns[name]]

    def publish(self, job: Job, table: Table) -> Outcome:
        """See `Publication`."""
        return self.publication(job=job, source=self.job_type, table=table).run()

    def undo(self, job: Job) -> Mapping[str, Any]:
        """See `undo_import`."""
        return undo_import(job=job)

    def changes(self, table: Table) -> Sequence[Mapping[str, Any]]:
        """See `Publication.changes`."""
        return self.publication(job=Job(), source=self.job_type, table=table).changes()

    def preview_note(self, table: Table) -> str:
        """The number of days in the file, and of those that have data already."""
        days = sorted({day for day in table.columns.get("date", ()) if day is not None})
        if not days:
            return ""
        span = f"{days[0]:%Y-%m-%d}" if len(days) == 1 else f"{days[0]:%Y-%m-%d} 至 {days[-1]:%Y-%m-%d}"
        known = days_in_force(source=self.job_type, dates=days)
        note = f"共 {len(days)} 天（{span}）"
        return f"{note}，其中 {known} 天已有資料：內容不同時改以這份檔案為準。" if known else f"{note}，都是新的日期。"

    def _check_dates(self, table: Table) -> None:
        latest = timezone.localdate() + timedelta(days=FUTURE_DAYS)
        values = table.columns["date"]
        wrong = {day for day in set(values) if day is not None and not EARLIEST <= day <= latest}
        if not wrong:
            return
        for index, day in enumerate(values):
            if day in wrong:
                message = "日期在未來，請確認年份" if day > latest else f"日期早於 {EARLIEST:%Y} 年，請確認年份"
                table.add_error(index, "date", day.isoformat(), message)

    def _check_bounds(self, table: Table) -> None:
        for name in MONEY:
            if name in table.columns:
                _bound(table, name, table.columns[name], MAX_CENTS, "金額超過 NT$ 999,999,999.99")
        _bound(table, "quantity", table.columns["quantity"], MAX_QUANTITY, "數量超出範圍")

    def _derive(self, table: Table) -> None:
        columns, rows = table.columns, len(table.numbers)
        quantity = columns["quantity"]
        amount = _first(columns.get("amount"), _product(columns.get("unit_price"), quantity), rows)
        cost = _first(columns.get("cost"), _product(columns.get("unit_cost"), quantity), rows)
        if "gross_profit" in columns:
            cost = _first(cost, _difference(amount, columns["gross_profit"]), rows)
        profit = _first(columns.get("gross_profit"), _difference(amount, cost), rows)
        named = "amount" if "amount" in columns else "unit_price"
        if None in amount:
            # If a cell that gives the amount is wrong, that error is enough.
            sources = ("amount", "unit_price", "quantity") if "unit_price" in columns else ("amount",)
            for index, value in enumerate(amount):
                if value is None and not any((index, of) in table.wrong for of in sources):
                    table.add_error(index, named, "", "沒有業績，也沒有可以計算業績的售價")
        for name, values in (("amount", amount), ("cost", cost), ("gross_profit", profit)):
            source = name if name in columns else {"amount": "unit_price", "cost": "unit_cost"}.get(name, named)
            message = f"計算出的{_LABELS[name]}超過 NT$ 999,999,999.99"
            _bound(table, source, values, MAX_CENTS, message, (*MONEY, "quantity"))
        columns.update(amount=amount, cost=cost, gross_profit=profit)

    def _fill_from_catalogue(self, table: Table) -> None:
        columns = table.columns
        absent = [name for name in ("brand", "category") if name not in columns]
        if not absent:
            return
        codes = {code for code in columns["product_code"] if code}
        found = Product.objects.filter(product_id__in=list(codes))
        known = {code: texts for code, *texts in found.values_list("product_id", "brand", "category__name")}
        for place, name in enumerate(("brand", "category")):
            if name in absent:
                one = {code: texts[place] for code, texts in known.items()}
                columns[name] = [one.get(code, "") for code in columns["product_code"]]
                table.filled.add(name)


_LABELS = {field.name: field.label for field in DailySalesImporter.fields}


def _bound(
    table: Table, name: str, values: Sequence[int | None], limit: int, message: str, unless_wrong: Sequence[str] = ()
) -> None:
    """Report each value beyond ±`limit` as an error of `name`, except where a field of `unless_wrong` is wrong."""
    present = set(values)
    present.discard(None)
    if not present or (max(present) <= limit and min(present) >= -limit):  # type: ignore[type-var, operator]
        return
    for index, value in enumerate(values):
        if value is not None and abs(value) > limit and not any((index, of) in table.wrong for of in unless_wrong):
            table.add_error(index, name, str(value if name == "quantity" else dollars(value)), message)


def _first(one: list[Any] | None, other: list[Any] | None, rows: int) -> list[Any]:
    """Row by row the value of `one`, or that of `other` where it is None."""
    if one is None:
        return [None] * rows if other is None else other
    if other is None or None not in one:
        return one
    return [second if first is None else first for first, second in zip(one, other, strict=True)]


def _product(prices: list[Any] | None, quantities: list[Any]) -> list[Any] | None:
    """Prices of one piece times quantities, in cents: multiplied first, then rounded."""
    if prices is None:
        return None
    if None in prices or None in quantities:
        products = [
            None if price is None or quantity is None else price * quantity
            for price, quantity in zip(prices, quantities, strict=True)
        ]
    else:
        products = [price * quantity for price, quantity in zip(prices, quantities, strict=True)]
    if Decimal in set(map(type, prices)):
        return [None if product is None else whole_cents(product) for product in products]
    return products


def _difference(whole: list[Any], part: list[Any]) -> list[Any]:
    if None in whole or None in part:
        return [None if a is None or b is None else a - b for a, b in zip(whole, part, strict=True)]
    return [a - b for a, b in zip(whole, part, strict=True)]

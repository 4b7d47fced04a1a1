"""On the page of a product: its price and what it sold, by day, and around each change of the price."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from momo.admin.kit.figures import Column, FigureTable
from momo.core.days import start_of_day
from momo.core.formats import change_percent, percent_of
from products.models import Product
from sales.addresses import address_of_lines
from sales.selectors.products import AROUND, Change, Day, PricesAndSales, Sold, Window, prices_and_sales

NOON = timedelta(hours=12)
STATES = {Day.WAITS: "計算中", Day.NO_FILE: "沒有日報"}


def product_panel(request: HttpRequest, product: Product) -> Mapping[str, Any]:
    """Variables of `admin/sales/product.html`."""
    found = prices_and_sales(product)
    if not found.sales.states:
        return {"tables": ()}
    return {"tables": (_days(product, found), _changes(product, found))}


def _days(product: Product, found: PricesAndSales) -> FigureTable:
    sales = found.sales
    days = sales.days()
    missing = [day for day in days if sales.state(day) is Day.NO_FILE]
    waiting = [day for day in days if sales.state(day) is Day.WAITS]
    units = [{"x": _noon(day), "y": None if (sold := sales.on(day)) is None else sold.quantity} for day in days]
    notes = ["銷量畫在售價下面，日期對齊"]
    if missing:
        notes.append(f"{len(missing)} 天沒有日報，不畫銷量，也不當作 0（最近一天 {missing[-1]:%Y-%m-%d}）")
    if waiting:
        notes.append(f"{len(waiting)} 天的日報剛匯入或復原，一分鐘左右之後算好")
    return FigureTable(
        "pricesales",
        f"售價與銷量（{days[0]:%Y-%m-%d} 起）",
        (
            Column("date", "日期", "date"),
            Column("price", "售價", "money"),
            Column("quantity", "銷量", "number"),
            Column("amount", "業績", "money"),
            Column("state", "日報"),
        ),
        [
            {
                "date": day,
                "price": found.prices.get(day),
                **_sold(product, day, day, sales.on(day)),
                "state": STATES.get(sales.state(day), ""),
            }
            for day in reversed(days)
        ],
        chart={"kind": "price", "points": found.points, "units": units} if found.points else None,
        note="；".join(notes) + "。",
        facts=_facts(product),
    )


def _changes(product: Product, found: PricesAndSales) -> FigureTable:
    return FigureTable(
        "pricechanges",
        f"變價前後 {AROUND} 天的銷量",
        (
            Column("day", "變價日", "date"),
            Column("old", "原售價", "money"),
            Column("new", "新售價", "money"),
            Column("change", "漲跌", "change"),
            Column("percent", "幅度", "rate"),
            Column("before", f"前 {AROUND} 天銷量", "number"),
            Column("after", f"後 {AROUND} 天銷量", "number"),
            Column("rate", "日均變化", "rate"),
            Column("amount_before", f"前 {AROUND} 天業績", "money"),
            Column("amount_after", f"後 {AROUND} 天業績", "money"),
            Column("known", "有日報的天數"),
        ),
        [_change(product, change) for change in found.changes],
        note=f"最近一年的變價；變價當天前後價格都有，兩邊都不算。日均是有日報的天數的平均，沒有日報的日子不當作 0；"
        f"{AROUND} 天內可能還有其他變價。",
        facts=_facts(product),
    )


def _change(product: Product, change: Change) -> dict[str, Any]:
    before, after = change.before, change.after
    row = {
        "day": change.day,
        "old": change.old,
        "new": change.new,
        "change": change.new - change.old,
        "percent": change_percent(change.old, change.new),
        "rate": _rate(before, after),
        "known": f"{before.known}／{after.known}",
    }
    for window, quantity, amount in ((before, "before", "amount_before"), (after, "after", "amount_after")):
        sold = _sold(product, window.first, window.last, window.sold if window.known else None)
        row |= {quantity: sold["quantity"], amount: sold["amount"]}
        if "quantity_url" in sold:
            row |= {f"{quantity}_url": sold["quantity_url"], f"{amount}_url": sold["quantity_url"]}
    return row


def _rate(before: Window, after: Window) -> float | None:
    """The change of units a day in percent; None without a known day on each side, or without units before."""
    if not before.a_day or after.a_day is None or before.a_day < 0:
        return None
    return percent_of(after.a_day - before.a_day, before.a_day)


def _sold(product: Product, first: date, last: date, sold: Sold | None) -> dict[str, Any]:
    """Units and amount of some days, with the address of their lines."""
    if sold is None:
        return {"quantity": None, "amount": None}
    cells: dict[str, Any] = {"quantity": sold.quantity, "amount": Decimal(sold.amount)}
    if sold.quantity or sold.amount:
        url = address_of_lines(first, last, product_code__icontains=product.product_id)
        cells |= {"quantity_url": url, "amount_url": url}
    return cells


def _noon(day: date) -> int:
    return round((start_of_day(day) + NOON).timestamp() * 1000)


def _facts(product: Product) -> list[tuple[str, str]]:
    return [("商品", f"{product.product_id} {product.name}"), ("來源", "採用中的每日銷售報表與價格紀錄")]

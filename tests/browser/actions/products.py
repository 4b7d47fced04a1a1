"""Products, categories, price updates, held prices, events and watches."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from products.models import Category, CrawlRun, Product, Watch
from tests.admin import makers
from tests.browser.clicks import Click, Clicks, gone
from tests.products.factories import Runs, absent, category, item


def _held() -> Any:
    return makers.held(1)[0]


def _missing() -> Category:
    """A category half of whose goods are no longer listed."""
    runs, home = Runs(), category()
    codes = [f"20000{number:02}" for number in range(10)]
    runs.run({home: [item(code) for code in codes]})
    runs.run({home: [absent(code) for code in codes[:5]] + [item(code) for code in codes[5:]]})
    return home


def _condition(page: Page) -> None:
    page.locator("[name=kind]").select_option("percent")
    page.locator("[name=value]").fill("7")


def _send_condition(page: Page) -> None:
    _condition(page)
    page.locator("#content form:has([name=kind]) [type=submit]").click()


def _new_category(page: Page) -> None:
    page.locator("[name=address]").fill("https://www.momoshop.com.tw/categories/1100100077")
    page.locator("[name=name]").fill("臉部保養")


PRODUCTS: Clicks = {
    ("products.category", "add"): Click(
        make=lambda: None,
        fill=_new_category,
        says="臉部保養",
        done=lambda _: Category.objects.filter(code="1100100077", name="臉部保養").exists(),
    ),
    ("products.category", "change"): Click(
        make=makers.category,
        fill=lambda page: page.locator("[name=name]").fill("身體保養"),
        says="身體保養",
        done=lambda row: Category.objects.get(pk=row.pk).name == "身體保養",
    ),
    ("products.category", "delete"): Click(make=makers.category, says="已刪除", done=gone),
    ("products.category", "enable"): Click(
        make=lambda: makers.category(enabled=False),
        says="已啟用 1 個分類",
        done=lambda row: Category.objects.get(pk=row.pk).enabled,
    ),
    ("products.category", "disable"): Click(
        make=makers.category,
        says="已停用 1 個分類",
        done=lambda row: not Category.objects.get(pk=row.pk).enabled,
    ),
    ("products.category", "crawl"): Click(
        make=makers.category,
        says="已開始",
        done=lambda row: CrawlRun.objects.get().shards.get().category_codes == [row.code],
    ),
    ("products.category", "confirm_closed"): Click(
        make=_missing,
        says="5 件商品下架",
        done=lambda _: Product.objects.filter(status="delisted").count() == 5,
    ),
    ("products.crawlrun", "crawl_now"): Click(
        make=lambda: makers.category() and None,
        says="已開始",
        done=lambda _: CrawlRun.objects.get().trigger == CrawlRun.Trigger.ADMIN,
    ),
    ("products.product", "change"): Click(
        make=makers.product,
        fill=lambda page: page.locator("[name=note]").fill("母親節主打"),
        says="已儲存商品「保濕精華液 1」",
        done=lambda row: Product.objects.get(pk=row.pk).note == "母親節主打",
    ),
    ("products.product", "watch_selected"): Click(
        make=makers.product,
        fill=_send_condition,
        says="關注",
        done=lambda row: Watch.objects.filter(product=row, kind="percent", value=7).exists(),
    ),
    ("products.quarantinedprice", "accept"): Click(
        make=_held, says="已採用", done=lambda row: Product.objects.get(pk=row.product_id).price == row.price
    ),
    ("products.quarantinedprice", "reject"): Click(
        make=_held, says="已拒絕", done=lambda row: type(row).objects.get(pk=row.pk).status == "rejected"
    ),
    ("products.quarantinedprice", "accept_selected"): Click(
        make=_held, says="1 個價格", done=lambda row: Product.objects.get(pk=row.product_id).price == row.price
    ),
    ("products.quarantinedprice", "reject_selected"): Click(
        make=_held, says="1 個價格", done=lambda row: type(row).objects.get(pk=row.pk).status == "rejected"
    ),
}

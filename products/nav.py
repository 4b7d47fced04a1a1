"""Entries of the sidebar for products and crawls, and what of them the start page shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit.display import took
from momo.admin.kit.nav import Card, Cards, Entry, Panel, Section, count, register
from products.admin.crawls import progress_bar
from products.admin.looks import product_link, run_link, verdict_badge
from products.selectors import dashboard

PRODUCTS = Section("商品與價格", 10)


def _url(model: str) -> str:
    return reverse(f"admin:products_{model}_changelist")


def _cards(request: HttpRequest) -> list[Card]:
    products, events = dashboard.product_counts(), dashboard.event_counts()
    listed, happened = _url("product"), _url("priceevent")
    return [
        Card("在架商品", products["on_sale"], listed),
        Card("24 小時漲價", products["increased"], f"{listed}?moved=up-24h", "up"),
        Card("24 小時降價", products["decreased"], f"{listed}?moved=down-24h", "down"),
        Card("24 小時缺貨", events["out_of_stock"], f"{happened}?kind__exact=out_of_stock&within=24h"),
        Card("24 小時下架", events["delisted"], f"{happened}?kind__exact=delisted&within=24h"),
        Card("待確認價格", count(request, dashboard.held_count), _url("quarantinedprice"), "warn"),
    ]


def _prices(request: HttpRequest) -> dict[str, Any]:
    """The chart of events by day, and the products whose price moved most."""
    drops, rises = (
        [(product, product_link(product.pk, product.name)) for product in dashboard.biggest_changes(up=up)]
        for up in (False, True)
    )
    return {
        "chart": dashboard.events_per_day(),
        "drops": drops,
        "rises": rises,
        "drops_url": f"{_url('product')}?moved=down-24h",
        "rises_url": f"{_url('product')}?moved=up-24h",
    }


def _crawls(request: HttpRequest) -> dict[str, Any]:
    """The crawl that is running and the one that ended last."""
    state = dashboard.crawl_state()
    running, last = state["running"], state["last"]
    crawl = {
        "list_url": _url("crawlrun"),
        "running": running and run_link(running.pk),
        "bar": running and progress_bar(running, state["progress"]),
        "last": last,
        "page": last and run_link(last.pk),
        "verdict": last and verdict_badge(last),
        "took": last and took(last.started_at, last.finished_at),
    }
    return {"crawl": crawl}


register(
    Entry(PRODUCTS, 10, "商品", "inventory_2", "products.product"),
    Entry(PRODUCTS, 20, "商品事件", "notifications", "products.priceevent"),
    Entry(PRODUCTS, 30, "待確認價格", "gpp_maybe", "products.quarantinedprice", badge=dashboard.held_count),
    Entry(PRODUCTS, 40, "爬取", "travel_explore", "products.crawlrun"),
    Entry(PRODUCTS, 50, "警示", "warning", "products.alert", badge=dashboard.open_alert_count),
    Entry(PRODUCTS, 60, "分類", "category", "products.category"),
    Panel(10, "products.view_crawlrun", "admin/products/home_crawls.html", _crawls),
    Cards(10, "products.view_product", _cards),
    Panel(60, "products.view_product", "admin/products/home_prices.html", _prices),
)

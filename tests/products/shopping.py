"""Crawls of the demo shop in tests: real HTTP, a real child process, and the shop's own record to compare with."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from momo.local.demo import load_categories
from momo.local.shop import Catalogue, DemoShop
from products.models import CrawlRun

QUICK = {
    "CRAWL_DELAY": 0,
    "CRAWL_AUTOTHROTTLE": False,
    "CRAWL_BACKOFF": 0.01,
    "CRAWL_RETRY_TIMES": 1,
    "CRAWL_SHARDS": 1,
}
# Longer than the window of the changed products, so that each day's changes leave it before the next day.
DAY_HOURS = 25

# Every time that a crawl writes.
TIMES = {
    "products_product": ("price_changed_at", "price_unread_since", "first_seen_at", "last_seen_at", "delisted_at"),
    "products_pricespan": ("observed_at", "last_seen_at"),
    "products_priceevent": ("created_at",),
    "products_category": ("last_complete_at",),
    "products_crawlrun": ("started_at", "heartbeat_at", "finished_at"),
    "products_quarantinedprice": ("observed_at", "decided_at"),
    "products_unlisted": ("since", "asked_at"),
    "products_alert": ("created_at", "resolved_at"),
}


def prepare(settings: Any, shop: DemoShop, **values: Any) -> None:
    """Point the crawl at `shop`, without pauses, and make its categories ours."""
    for name, value in (QUICK | values).items():
        setattr(settings, name, value)
    settings.MOMO_SHOP_URL = shop.url
    load_categories(shop.catalogue)


def crawl(*categories: str) -> CrawlRun:
    """`manage.py crawl`, and the run that it made. The command fails exactly if the run saw nothing."""
    try:
        call_command("crawl", category=list(categories) or None, stdout=StringIO())
    except CommandError as error:
        refused = str(error)
    else:
        refused = ""
    run = CrawlRun.objects.order_by("-id").first()
    assert run is not None
    assert bool(refused) == (run.verdict == "failed"), refused
    return run


def a_day_passes() -> None:
    """Make everything in the tables a day of DAY_HOURS older: the clock of other processes cannot be moved."""
    with connection.cursor() as cursor:
        for table, columns in TIMES.items():
            older = ", ".join(f"{name} = {name} - interval '{DAY_HOURS} hours'" for name in columns)
            cursor.execute(f"UPDATE {table} SET {older}")


def missing_on(catalogue: Catalogue, first: int, last: int) -> set[str]:
    """Products seen on the day before `first`, and on no day from there to `last`."""
    return {
        product.id
        for product in catalogue.products(first - 1)
        if product.price(first - 1) is not None and all(product.price(day) is None for day in range(first, last + 1))
    }

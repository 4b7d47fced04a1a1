"""A whole crawl beside a bare Scrapy spider that downloads and parses the same pages and keeps nothing.

Both begin with starting a process and ask one demo shop, whose pages are built beforehand, with the same number of
requests at once. The first crawl finds an empty database; the steady ones a known catalogue one day later.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.test import override_settings

from momo.local.demo import load_categories
from momo.local.shop import Catalogue
from products.models import CrawlRun, PriceEvent, Product
from products.services.apply import apply_run
from products.services.runs import start_run
from products.services.shards import run_shard
from products.spiders.parsers import parse_category_page
from products.spiders.reporter import peak_rss_bytes
from tests.benchmarks.context import ROOT, Context, Shop
from tests.benchmarks.report import Row, seconds_of
from tests.products.standin import goods, listing

PRODUCTS = 5_600
MIB = 1024 * 1024
_BARE = [sys.executable, "-m", "tests.benchmarks.bare_spider"]


def run(context: Context) -> list[Row]:
    """First and steady crawls (seconds), and the memory of the two processes (MiB)."""
    size = 200 if context.quick else PRODUCTS
    catalogue = Catalogue(1, size)
    first, steady = Pairs(), Pairs()
    with context.shop(size) as shop, override_settings(MOMO_SHOP_URL=shop.url):
        for number in range(1 if context.quick else 3):
            with context.database(f"bench_crawl_{number}"):
                load_categories(catalogue)
                shop.day(0)
                first.take(catalogue, shop)
                # A product's price moves on 5 % of its days.
                for day in range(1, 2 if context.quick else 3):
                    shop.day(day)
                    steady.take(catalogue, shop)
                changes = PriceEvent.objects.filter(kind__in=("increase", "decrease")).count()
        pages = f"{first.pages[0]:,} pages first, {steady.pages[0]:,} then"
        context.say(f"{pages}; {changes:,} price changes since day 0")
    floor = "Scrapy, same pages, kept nothing"
    child = max(first.child_bytes + steady.child_bytes) / MIB
    parent = max(first.parent_bytes + steady.parent_bytes) / MIB
    return [
        Row(f"crawl, first, {size:,} products", floor, *first.medians(), "s", 1.3),
        Row(f"crawl, steady, {size:,} products", floor, *steady.medians(), "s", 1.3),
        Row("crawl, peak memory of the crawling child", "limit", None, child, "MiB", 300, "value"),
        Row("crawl, peak memory of the worker's process", "for information", None, parent, "MiB"),
        Row("crawl, a list page of 35 parsed", "limit", None, parsing(), "ms", 2, "value"),
    ]


class Pairs:
    """Measurements of crawl and floor, taken in turn."""

    def __init__(self) -> None:
        self.bare: list[float] = []
        self.whole: list[float] = []
        self.pages: list[int] = []
        self.child_bytes: list[int] = []
        self.parent_bytes: list[int] = []

    def medians(self) -> tuple[float, float]:
        """Seconds of floor and subject."""
        return statistics.median(self.bare), statistics.median(self.whole)

    def take(self, catalogue: Catalogue, shop: Shop) -> None:
        """One crawl of the shop's day, then the floor over the pages that it has asked for."""
        _forget_peak()
        self.whole.append(seconds_of(crawl))
        self.parent_bytes.append(peak_rss_bytes())
        run = CrawlRun.objects.latest("id")
        shard = run.shards.get()
        if run.status != CrawlRun.Status.APPLIED or run.verdict != CrawlRun.Verdict.OK:
            raise RuntimeError(f"not applied well: {run.status} {run.verdict} {run.message} {shard.message}")
        if not Product.objects.exists():
            raise RuntimeError("the crawl brought nothing")
        self.child_bytes.append(shard.peak_rss_bytes)
        job = _pages_asked(catalogue, shop)
        self.pages.append(len(job["pages"]) + len(job["products"]))
        text = json.dumps(job)
        answers = []
        self.bare.append(seconds_of(lambda: answers.append(_bare(text))))
        if answers[0]["pages"] != self.pages[-1]:
            raise RuntimeError(f"the floor read {answers[0]['pages']} pages of {self.pages[-1]}")
        shop.forget_asked()


def crawl() -> None:
    """A run from its start to its application, in one shard and without Celery."""
    started = start_run(trigger=CrawlRun.Trigger.COMMAND, dispatch=False)
    for shard in started.run.shards.all():
        run_shard(shard.pk)
    apply_run(started.run.pk)


def parsing() -> float:
    """Milliseconds for one page of a category."""
    page = listing([goods(str(number)) for number in range(1000, 1035)])
    return 1000 * statistics.median(
        seconds_of(lambda: parse_category_page(page, "https://shop.test")) for _ in range(20)
    )


def _pages_asked(catalogue: Catalogue, shop: Shop) -> dict[str, list]:
    asked = shop.asked()
    levels = {row.code: row.level for row in catalogue.categories}
    pages = [(code, levels[code], int(page)) for code, counts in asked["categories"].items() for page in counts]
    concurrency = settings.CRAWL_CONCURRENCY
    return {"url": shop.url, "concurrency": concurrency, "pages": pages, "products": list(asked["products"])}


def _bare(job: str) -> dict[str, int]:
    done = subprocess.run(_BARE, input=job, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _forget_peak() -> None:
    """Start the count of peak memory anew (Linux: proc_pid_clear_refs(5)); elsewhere it is of the whole run."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5")

"""Two hundred days of a shop against its diary: no category is locked, nothing falsely delisted, every span true."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from products.models import Alert, CategoryResult, CrawlRun, PriceEvent, PriceSpan, Product, QuarantinedPrice, Unlisted
from products.selectors.lowest import lowest_price
from products.services.shards import build_job
from tests.products.factories import Runs, absent, category, failed, item, lowest_of_spans, on_page
from tests.products.simulated import (
    BLOCKED_LISTS,
    BLOCKED_PAGES,
    CLOSED_FROM,
    COLLAPSE,
    CRAWLED,
    EMPTY_DAYS,
    REFUSED_PAGES,
    SimulatedShop,
)

pytestmark = pytest.mark.django_db

DAYS = 200
LOOK_UPS = 15
# Days until what is gone is delisted: a wait that ends with equal runs, with look-ups in turns, and days on which
# pages do not open.
LONGEST = 25


class Simulation:
    """The shop's days, crawled and applied one by one."""

    def __init__(self, seed: int, size: int) -> None:
        self.shop = SimulatedShop(seed, size)
        self.runs = Runs()
        self.start = self.runs.at + timedelta(days=1)
        self.homes = {code: category(code) for code in CRAWLED}

    def known(self) -> dict[str, list[str]]:
        """What the spider would be told of each category, by a shard that is not stored."""
        run = CrawlRun(pk=0)
        shard = run.shards.model(run=run, number=1, category_codes=list(CRAWLED))
        return {one.code: list(one.known) for one in build_job(shard).categories}

    def crawl(self) -> CrawlRun:
        self.shop.next_day()
        seen = self.shop.visit(self.known(), LOOK_UPS)
        goods: dict[Any, list[dict[str, Any]]] = {}
        for code, home in self.homes.items():
            goods[home] = [item(one, price) for one, price in seen.lists[code].items()]
            goods[home] += [
                on_page(one, price, in_stock=not self.shop.is_sold_out(one)) for one, price in seen.pages[code].items()
            ]
            goods[home] += map(absent, seen.missing[code])
            goods[home] += map(failed, seen.failed[code])
        self.runs.at += timedelta(hours=22)
        outcomes = {home: seen.outcomes[code] for code, home in self.homes.items()}
        answer = {self.homes[code]: answer for code, answer in seen.answer.items()}
        return self.runs.run(goods, outcomes, pages_answer=answer)

    def day_of(self, moment: datetime) -> int:
        return round((moment - self.start) / timedelta(days=1))


@pytest.mark.parametrize("size", [20, pytest.param(40, marks=pytest.mark.long)])
def test_two_hundred_days(size: int, settings: Any) -> None:
    settings.CRAWL_SHARDS = 1
    simulation = Simulation(1, size)
    for day in range(DAYS):
        if day in (2, 20, 80):
            # As autovacuum does to committed rows. All rows of this test are of one transaction.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        simulation.crawl()
        assert_nothing_is_falsely_delisted(simulation)
    assert_everything_gone_is_delisted(simulation)
    assert_no_category_is_locked(simulation)
    assert_spans_are_true(simulation)
    assert_products_are_as_seen(simulation)
    assert_alerts_are_few_and_ended()
    # The dice made everything that this is about.
    assert set(PriceEvent.objects.values_list("kind", flat=True)) == set(PriceEvent.Kind.values)
    assert set(QuarantinedPrice.objects.values_list("status", flat=True)) >= {"confirmed", "gone"}
    assert set(Unlisted.objects.values_list("word", flat=True)) >= {"alive", "failed"}


def assert_nothing_is_falsely_delisted(simulation: Simulation) -> None:
    """What this run delisted was called missing by its own page, at least three times in a row and now."""
    run = CrawlRun.objects.latest("id")
    for code in PriceEvent.objects.filter(run=run, kind="delisted").values_list("product__product_id", flat=True):
        visits = [seen for _, seen in sorted(simulation.shop.diary[code].items())]
        assert visits[-3:] == ["missing"] * 3, (simulation.shop.day, code)
        good = next(one for one in simulation.shop.goods if one.code == code)
        assert good.gone_since is not None
        assert good.state == "missing"


def assert_everything_gone_is_delisted(simulation: Simulation) -> None:
    on_sale = set(Product.objects.exclude(status="delisted").values_list("product_id", flat=True))
    for good in simulation.shop.goods:
        if good.code in on_sale and good.state == "missing":
            assert good.gone_since is not None
            assert simulation.shop.day - good.gone_since < LONGEST, good


def assert_no_category_is_locked(simulation: Simulation) -> None:
    """Each wait has a reason in the shop, and ends."""
    waits: dict[str, list[int]] = defaultdict(list)
    for code, waiting, at in CategoryResult.objects.order_by("run_id").values_list(
        "category__code", "waits", "run__started_at"
    ):
        if waiting:
            waits[code].append(simulation.day_of(at))
    pages = set(REFUSED_PAGES) | set(BLOCKED_PAGES)
    equal_runs = range(20)
    allowed = {
        CRAWLED[0]: BLOCKED_LISTS | pages | {COLLAPSE + more for more in equal_runs},
        CRAWLED[1]: EMPTY_DAYS | pages,
        CRAWLED[2]: pages | {CLOSED_FROM + more for more in equal_runs},
    }
    for code, days in waits.items():
        assert set(days) <= allowed[code], code
    assert COLLAPSE in waits[CRAWLED[0]]
    assert CLOSED_FROM in waits[CRAWLED[2]]


def assert_spans_are_true(simulation: Simulation) -> None:
    spans: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    rows = PriceSpan.objects.order_by("observed_at").select_related("product")
    for span in rows:
        until = span.last_seen_at or max(span.observed_at, span.product.last_seen_at)
        spans[span.product.product_id].append(
            (simulation.day_of(span.observed_at), simulation.day_of(until), span.price)
        )
    for code, diary in simulation.shop.diary.items():
        covered: set[int] = set()
        for first, last, price in spans[code]:
            assert diary.get(first) == diary.get(last) == price, (code, first, last)
            days = [day for day in diary if first <= day <= last]
            assert all(diary[day] == price for day in days), (code, first, last, price)
            assert not covered & set(days), code
            covered |= set(days)
        for day, price in simulation.shop.known_prices(code):
            if price != 1:
                assert day in covered, (code, day, price)


def assert_products_are_as_seen(simulation: Simulation) -> None:
    shop, now = simulation.shop, simulation.runs.at
    for product in Product.objects.annotate(lowest=lowest_price(now=now)):
        diary = shop.diary[product.product_id]
        seen = [day for day, price in diary.items() if price != "missing"]
        assert simulation.day_of(product.last_seen_at) == max(seen)
        # Without a price that can be read it is not known yet.
        assert simulation.day_of(product.first_seen_at) == min(day for day in seen if diary[day] is not None)
        unread = shop.unread_since(product.product_id)
        shown = product.price_unread_since
        assert (None if shown is None else simulation.day_of(shown)) == unread, product.product_id
        if product.status != "delisted":
            assert product.lowest == lowest_of_spans(product, now), product.product_id


def assert_alerts_are_few_and_ended() -> None:
    assert not Alert.objects.filter(resolved_at=None).exists()
    # Two blocks of lists, one closure, two empty days, two troubles of pages, one collapse, one day of unread prices.
    assert Alert.objects.count() <= 12

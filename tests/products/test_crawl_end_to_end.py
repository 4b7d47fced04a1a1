"""Days of the demo shop, crawled over HTTP, against the shop's own record of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from momo.local.shop import Catalogue, DemoShop, State
from products.models import Alert, CategoryResult, CrawlError, CrawlRun, PriceEvent, PriceSpan, Product
from products.selectors.products import history_of
from tests.kit.users import person, session_client, token_client
from tests.products.shopping import DAY_HOURS, a_day_passes, crawl, prepare

pytestmark = pytest.mark.django_db(transaction=True)

LAST_DAY = 12
DELIST_AFTER = 3


@dataclass
class Known:
    """What a look at one product once a day would note, in the form of the tables."""

    status: str
    spans: list[list[int]]  # first day, price, last day
    unseen: int = 0
    news: list[str] = field(default_factory=list)


class Diary:
    """The shop's record of each day turned into statuses, spans and news, product by product."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.known: dict[str, Known] = {}

    def look(self, day: int) -> dict[str, set[str]]:
        """Write down what can be seen on `day`; the news by kind."""
        news: dict[str, set[str]] = {str(kind): set() for kind in PriceEvent.Kind}
        for product in self.catalogue.products(day):
            for kind in self._one(product.id, day, product.state(day), product.price(day)):
                news[kind].add(product.id)
        return news

    def _one(self, product_id: str, day: int, state: State, price: int | None) -> Iterator[str]:
        one = self.known.get(product_id)
        if price is None:
            if one is None or one.status == "delisted":
                return
            one.unseen += 1
            if one.unseen == DELIST_AFTER:
                one.status = "delisted"
                yield "delisted"
            return
        status = "active" if state is State.LISTED else "out_of_stock"
        if one is None:
            self.known[product_id] = Known(status, [[day, price, day]])
            if day > 0:
                yield "new"
            return
        before, one.status, one.unseen = one.status, status, 0
        old = one.spans[-1][1]
        if before == "delisted":
            yield "relisted"
        elif before != status:
            yield "out_of_stock" if status == "out_of_stock" else "back_in_stock"
        if price != old:
            yield "increase" if price > old else "decrease"
        if price != old or before == "delisted":
            one.spans.append([day, price, day])
        one.spans[-1][2] = day


@pytest.fixture
def momo() -> Iterator[DemoShop]:
    with DemoShop(Catalogue(1, 240)) as shop:
        yield shop


@pytest.fixture
def client(db: None) -> Client:
    return session_client(person())


def listed(client: Client, **query: Any) -> set[str]:
    """Goods codes of a product list, from all its pages."""
    found: list[str] = []
    page = 1
    while True:
        answer = client.get("/api/products", query | {"per_page": 200, "page": page})
        assert answer.status_code == 200, answer.content
        body = answer.json()
        found += [item["product_id"] for item in body["items"]]
        if page >= body["total_pages"]:
            assert len(found) == len(set(found)) == body["total"]
            return set(found)
        page += 1


def events_of(run: CrawlRun) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {str(kind): set() for kind in PriceEvent.Kind}
    rows = list(PriceEvent.objects.filter(run=run).values_list("kind", "product__product_id"))
    for kind, product_id in rows:
        found[kind].add(product_id)
    assert sum(map(len, found.values())) == len(rows)
    return found


def assert_list_answers(client: Client, catalogue: Catalogue, day: int) -> None:
    prices = {product.id: (product.price(day - 1), product.price(day)) for product in catalogue.products(day)}
    known = {product_id: (old, new) for product_id, (old, new) in prices.items() if old is not None and new is not None}
    increased = {product_id for product_id, (old, new) in known.items() if new > old}
    decreased = {product_id for product_id, (old, new) in known.items() if new < old}
    assert increased
    assert decreased
    assert listed(client, filter="increase") == increased
    assert listed(client, filter="decrease") == decreased


@pytest.mark.parametrize(("seed", "day"), [(2, 4), pytest.param(5, 9, marks=pytest.mark.long)])
def test_two_days_through_the_api(settings: Any, seed: int, day: int) -> None:
    catalogue = Catalogue(seed, 240)
    client = token_client(person())
    with DemoShop(catalogue, day) as shop:
        prepare(settings, shop)
        crawl()
        assert listed(client, filter="increase") == listed(client, filter="decrease") == set()
        a_day_passes()
        shop.set_day(day + 1)
        crawl()
        assert_list_answers(client, catalogue, day + 1)
        assert listed(client, filter="delisted") == set()


@pytest.mark.long
def test_twelve_days_equal_the_shops_own_record(settings: Any, momo: DemoShop, client: Client) -> None:
    prepare(settings, momo)
    diary = Diary(momo.catalogue)
    counted: Counter[str] = Counter()
    for day in range(LAST_DAY + 1):
        momo.set_day(day)
        news = diary.look(day)
        run = crawl()
        assert (run.status, run.verdict, run.message, run.error_count) == ("applied", "ok", "", 0), day
        assert events_of(run) == news, day
        assert_sums(run, news, diary, day)
        counted.update({kind: len(ids) for kind, ids in news.items()})
        statuses = dict(Product.objects.values_list("product_id", "status"))
        assert statuses == {product_id: one.status for product_id, one in diary.known.items()}, day
        if day:
            assert_list_answers(client, momo.catalogue, day)
        delisted = {product_id for product_id, status in statuses.items() if status == "delisted"}
        assert listed(client, filter="delisted") == delisted, day
        if day < LAST_DAY:
            a_day_passes()
    assert set(counted) == {kind for kind, count in counted.items() if count}, "a kind of news never happened"
    assert listed(client) == set(diary.known)
    assert not Alert.objects.exists()
    assert not CrawlError.objects.exists()
    assert_histories(client, diary)


def assert_sums(run: CrawlRun, news: dict[str, set[str]], diary: Diary, day: int) -> None:
    counts = {
        "new": run.new,
        "increase": run.increased,
        "decrease": run.decreased,
        "delisted": run.delisted,
        "relisted": run.relisted,
        "out_of_stock": run.sold_out,
        "back_in_stock": run.restocked,
    }
    assert counts == {kind: len(ids) for kind, ids in news.items()}, day
    seen = [one for one in diary.known.values() if one.spans[-1][2] == day]
    assert (run.seen, run.categories, run.quarantined) == (len(seen), 6, 0), day
    assert CategoryResult.objects.filter(run=run, outcome="complete", suspect=False).count() == 6
    # One product moves from unseen to delisted with its third miss.
    misses = {product_id: one.unseen for product_id, one in diary.known.items()}
    assert dict(Product.objects.values_list("product_id", "misses")) == misses, day


def assert_histories(client: Client, diary: Diary) -> None:
    """Every product's history, by selector and over the API, is the one of the diary."""
    now = timezone.now()

    def day_of(moment: datetime) -> int:
        return LAST_DAY - round((now - moment) / timedelta(hours=DAY_HOURS))

    several = 0
    for product in Product.objects.all():
        wanted = diary.known[product.product_id].spans
        rows = history_of(product)
        assert [[day_of(begun), price, day_of(until)] for begun, price, until in reversed(rows)] == wanted
        answer = client.get(f"/api/history/{product.product_id}").json()
        zone = timezone.get_default_timezone()
        shown = [f"{begun.astimezone(zone):%Y-%m-%d %H:%M}" for begun, _, _ in rows]
        assert [(point["t"], point["p"]) for point in answer] == [
            (text, price) for text, (_, price, _) in zip(shown, rows, strict=True)
        ]
        several += len(rows) > 1
    assert several > 50
    # One row for each span: nothing is stored for a crawl that changed nothing.
    assert PriceSpan.objects.count() == sum(len(one.spans) for one in diary.known.values())


def test_the_same_day_again_changes_nothing(settings: Any, momo: DemoShop) -> None:
    prepare(settings, momo)
    crawl()
    spans = list(PriceSpan.objects.order_by("id").values())
    run = crawl()
    assert run.verdict == "ok"
    assert not PriceEvent.objects.exists()
    assert list(PriceSpan.objects.order_by("id").values()) == spans

"""Lists whose statement is planned once a connection, and lists that are planned for their values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
import time_machine
from django.db import connection

from products.models import Product, ProductSearch
from products.selectors.listing import KEYS, TOTALS, Listing
from tests.products.factories import START, category

pytestmark = pytest.mark.django_db
HOURS = 400


@pytest.fixture
def goods() -> list[Product]:
    """A product for each hour from START on whose price rose or fell then; each seventh is delisted."""
    home = category()
    made = [
        Product(
            product_id=f"{7_000_000 + hour}",
            name=f"商品 {hour:03}",
            category=home,
            price=1000 + (100 if hour % 3 else -100),
            previous_price=1000,
            price_changed_at=START + timedelta(hours=hour),
            first_seen_at=START,
            last_seen_at=START + timedelta(hours=HOURS),
            status="delisted" if hour % 7 == 0 else "active",
        )
        for hour in range(HOURS)
    ]
    Product.objects.bulk_create(made)
    ProductSearch.objects.bulk_create(
        ProductSearch(product=one, haystack=one.name, grams=_pairs(one.name)) for one in made
    )
    return made


def _pairs(text: str) -> list[str]:
    return [text[i : i + 2] for i in range(len(text) - 1)]


def _codes(listing: Listing, size: int = 50) -> list[str]:
    items, _ = listing.page(start=0, size=size)
    return [item["product_id"] for item in orjson.loads(orjson.dumps(items))]


def _statements() -> list[tuple[str, int]]:
    """Prepared statements of pages on this connection, and how often a plan that was kept answered."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans FROM pg_prepared_statements")
        return [row for row in cursor.fetchall() if "json_agg(item)" in row[0]]


@pytest.fixture(autouse=True)
def forgotten() -> None:
    TOTALS.clear()
    KEYS.clear()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE products_product")
    assert _statements() == []


@pytest.mark.parametrize("kind", ["all", "increase", "decrease", "delisted"])
def test_a_kept_plan_answers_for_the_moment_at_which_it_is_asked(kind: str, goods: list[Product]) -> None:
    def belongs(product: Product, hour: int) -> bool:
        if kind == "delisted":
            return product.status == "delisted"
        recent = product.price_changed_at >= START + timedelta(hours=hour - 24)
        return kind == "all" or (recent and (product.price > 1000) == (kind == "increase"))

    for hour in range(100, 100 + 12 * 20, 20):
        with time_machine.travel(START + timedelta(hours=hour), tick=False):
            wanted = [product.product_id for product in reversed(goods) if belongs(product, hour)][:50]
            assert _codes(Listing(kind=kind)) == wanted

    ((_, kept),) = _statements()
    assert kept > 0


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "increase", "sort_by": "name", "nulls_last": False},
        {"sort_by": "name", "nulls_last": False, "categories": (1,)},
    ],
)
def test_where_the_values_decide_each_request_is_planned(asked: dict[str, Any], goods: list[Product]) -> None:
    for hour in range(12):
        with time_machine.travel(START + timedelta(hours=hour), tick=False):
            _codes(Listing(**asked))
    assert _statements() == []


@pytest.mark.parametrize(("words", "kept"), [(("9",), True), (("商品",), False)], ids=["few", "many"])
def test_the_plan_of_a_search_is_kept_if_it_finds_few(words: tuple[str, ...], kept: bool, goods: list[Product]) -> None:
    named = [product for product in goods if words[0] in product.name]
    for hour in range(12):
        with time_machine.travel(START + timedelta(hours=hour), tick=False):
            found = _codes(Listing(words=words), size=200)
            assert found == [product.product_id for product in reversed(named)][:200]
    assert bool(_statements()) is kept

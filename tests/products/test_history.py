"""History says what was seen: a span covers only sights of its price."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from products.models import Category, CrawlRun, PriceEvent, Product, QuarantinedPrice
from products.selectors.digest import EVENT_FIELDS, event_news
from products.selectors.lowest import lowest_price_of
from products.selectors.news import all_news
from products.selectors.products import history_of
from products.services.quarantine import accept_price, reject_price
from tests.kit.users import person, session_client
from tests.products.factories import Runs, absent, category, item, on_page

pytestmark = pytest.mark.django_db

CODE = "1000001"
OTHERS = [item(f"20000{n:02}") for n in range(10)]
STEP = timedelta(hours=2)


class Days:
    """One product beside others, run by run; times are counted in runs from the first."""

    def __init__(self) -> None:
        self.runs, self.home = Runs(), category()
        self.start = self.runs.at + STEP

    def sees(self, *sights: int | dict[str, Any] | None) -> CrawlRun:
        """A run for each sight: a price, None for one that cannot be read, or a whole observation."""
        for sight in sights:
            one = sight if isinstance(sight, dict) else item(CODE, sight)
            run = self.runs.run({self.home: [one, *OTHERS]})
        return run

    @property
    def product(self) -> Product:
        return Product.objects.get(product_id=CODE)

    @property
    def history(self) -> list[tuple[int, int, int]]:
        """Price, first and last run of each span, oldest first."""
        rows = reversed(history_of(self.product))
        return [(price, (begun - self.start) // STEP, (until - self.start) // STEP) for begun, price, until in rows]


@pytest.fixture
def days() -> Days:
    return Days()


def events(run: CrawlRun) -> list[tuple[str, int | None, int | None]]:
    rows = PriceEvent.objects.filter(run=run, product__product_id=CODE).order_by("id")
    return list(rows.values_list("kind", "old_price", "new_price"))


def test_a_price_that_cannot_be_read_ends_the_span_and_is_known_with_its_age(days: Days) -> None:
    days.sees(1000, 1000, None)
    assert days.history == [(1000, 0, 1)]
    assert days.product.price_unread_since == days.start + 2 * STEP
    days.sees(None)
    assert (days.product.price, days.product.price_unread_since) == (1000, days.start + 2 * STEP)
    assert days.product.last_seen_at == days.runs.at
    assert events(days.sees(1000)) == []
    assert days.history == [(1000, 0, 1), (1000, 4, 4)]
    assert days.product.price_unread_since is None
    days.sees(None, 900)
    assert days.history == [(1000, 0, 1), (1000, 4, 4), (900, 6, 6)]


def test_a_sold_out_page_without_a_price_is_no_unreadable_price(days: Days) -> None:
    days.sees(1000, on_page(CODE, None, in_stock=False))
    assert (days.product.status, days.product.price_unread_since) == ("out_of_stock", None)
    assert days.history == [(1000, 0, 0)]


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_confirmed_price_starts_when_it_was_first_seen(days: Days, by_hand: bool) -> None:
    days.sees(1000, 1000, 300)
    assert days.history == [(1000, 0, 1)]
    if by_hand:
        accept_price(held=QuarantinedPrice.objects.get(), user=None)
    days.sees(300)
    assert days.history == [(1000, 0, 1), (300, 2, 3)]
    assert days.product.price_changed_at == days.start + 2 * STEP
    days.sees(300)
    assert days.history == [(1000, 0, 1), (300, 2, 4)]
    assert list(PriceEvent.objects.values_list("kind", "old_price", "new_price")) == [("decrease", 1000, 300)]


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("between", [None, absent(CODE)], ids=["unread", "missing"])
def test_a_price_confirmed_after_something_else_was_seen_has_two_spans(
    days: Days, by_hand: bool, between: dict[str, Any] | None
) -> None:
    days.sees(1000, 300, between)
    if by_hand:
        accept_price(held=QuarantinedPrice.objects.get(), user=None)
        assert days.history == [(1000, 0, 0), (300, 1, 1)]
    days.sees(300)
    assert days.history == [(1000, 0, 0), (300, 1, 1), (300, 3, 3)]


def test_a_first_price_that_is_confirmed_starts_when_it_was_first_seen(days: Days) -> None:
    days.sees(item(CODE, 49, list_price=1000), item(CODE, 49, list_price=1000))
    assert days.history == [(49, 0, 1)]
    assert days.product.first_seen_at == days.start


def test_a_rejected_price_moves_no_span(days: Days) -> None:
    days.sees(1000, 100)
    reject_price(held=QuarantinedPrice.objects.get(), user=None)
    days.sees(100, 100)
    assert (days.history, days.product.price) == ([(1000, 0, 0)], 1000)
    days.sees(1000)
    assert days.history == [(1000, 0, 0), (1000, 4, 4)]


def test_a_sale_whose_price_moves_each_time_is_believed_at_the_third_sight(days: Days) -> None:
    days.sees(1000, 300, 295)
    assert days.product.price == 1000
    assert events(days.sees(310)) == [("decrease", 1000, 310)]
    assert days.history == [(1000, 0, 0), (310, 3, 3)]
    assert not QuarantinedPrice.objects.filter(status="held").exists()
    # Three prices that have nothing in common prove nothing.
    days.sees(10, 100, 9, 99)
    assert days.product.price == 310


def test_a_level_that_a_person_refused_is_asked_about_again(days: Days) -> None:
    days.sees(1000, 300)
    reject_price(held=QuarantinedPrice.objects.get(), user=None)
    days.sees(299, 298, 297, 296)
    assert days.product.price == 1000
    assert QuarantinedPrice.objects.get(status="held").price == 296


class TestReturn:
    """Goods that were delisted at 100, and come back two months later."""

    @pytest.fixture
    def gone(self, days: Days) -> Days:
        days.sees(100, absent(CODE), absent(CODE), absent(CODE))
        assert days.product.status == "delisted"
        days.runs.at += timedelta(days=60)
        return days

    def test_at_a_price_to_believe(self, gone: Days) -> None:
        assert events(gone.sees(120)) == [("increase", 100, 120), ("relisted", 100, 120)]
        assert gone.history == [(100, 0, 0), (120, 724, 724)]
        assert lowest_price_of(gone.product, now=gone.runs.at) == 120

    @pytest.mark.parametrize("price", [300, None], ids=["held", "unread"])
    def test_at_no_price_that_is_known(self, gone: Days, price: int | None) -> None:
        run = gone.sees(price)
        assert events(run) == [("relisted", 100, None)]
        assert gone.history == [(100, 0, 0)]
        assert lowest_price_of(gone.product, now=gone.runs.at) is None
        (news,) = all_news(event_news(*row) for row in PriceEvent.objects.filter(run=run).values_list(*EVENT_FIELDS))
        assert (news.kind, news.old_price, news.new_price) == ("relisted", 100, None)
        assert events(gone.sees(300)) == ([("increase", 100, 300)] if price else [])
        gone.sees(300)
        assert gone.history[-1] == (300, 724 if price else 725, 726)
        assert lowest_price_of(gone.product, now=gone.runs.at) == 300


def test_a_hold_ends_with_its_product(days: Days) -> None:
    days.sees(1000, 100, absent(CODE), absent(CODE), absent(CODE))
    assert days.product.status == "delisted"
    assert QuarantinedPrice.objects.get().status == "gone"


def test_the_api_shows_what_waits_and_what_cannot_be_read(days: Days, home: Category) -> None:
    days.sees(1000, None, 300)
    days.runs.run({home: [item(CODE, 300), item("3000001", 50)]})
    days.runs.run({home: [item(CODE, None), item("3000001", 500)]})
    answer: Client = session_client(person())
    found = {one["product_id"]: one for one in answer.get("/api/products?per_page=50").json()["items"]}
    unread, held = found[CODE], found["3000001"]
    assert (unread["price"], unread["held_price"]) == (300, None)
    assert unread["price_unread_since"].startswith(f"{(days.runs.at + timedelta(hours=8)):%Y-%m-%dT%H:%M}")
    assert (held["price"], held["price_unread_since"], held["held_price"]["price"]) == (50, None, 500)
    assert held["held_price"]["since"] == unread["price_unread_since"]

"""A user's decision about a held price during crawls: one outcome and one event, in either order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from psycopg import sql

from products.models import PriceEvent, PriceSpan, Product, QuarantinedPrice
from products.selectors import dashboard
from products.selectors.products import history_of
from products.services.apply import apply_run
from products.services.quarantine import AlreadyDecided, accept_price, reject_price
from tests.kit.processes import wait_until
from tests.products.factories import Runs, absent, category, item

CODE = "1000001"


def waiting() -> int:
    """How many of this database's sessions wait for another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return cursor.fetchone()[0]


@contextmanager
def writers_held_up(table: str) -> Iterator[None]:
    """Writers into `table` wait until the block ends."""
    wanted = connection.get_connection_params()
    names = ("dbname", "host", "port", "user", "password")
    with psycopg.connect(**{name: wanted[name] for name in names}) as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
        yield


def apart(pool: ThreadPoolExecutor, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    """Do it on a connection of its own."""

    def done() -> Any:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return pool.submit(done)


@pytest.fixture
def held() -> QuarantinedPrice:
    """A fall from 1000 to 100, seen once, and a second run that has seen it again but is not applied yet."""
    runs, home = Runs(), category()
    runs.run({home: [item(CODE, 1000)]})
    runs.run({home: [item(CODE, 100)]})
    runs.crawled({home: [item(CODE, 100)]})
    return QuarantinedPrice.objects.get()


def events() -> list[tuple[str, int | None, int | None]]:
    return list(PriceEvent.objects.values_list("kind", "old_price", "new_price"))


def prices() -> list[int]:
    return [price for _, price, _ in reversed(history_of(Product.objects.get()))]


def last_run(held: QuarantinedPrice) -> int:
    return held.run_id + 1


@pytest.mark.django_db(transaction=True)
def test_accepted_while_a_run_that_confirms_it_is_applied(held: QuarantinedPrice) -> None:
    with ThreadPoolExecutor(2) as pool:
        with writers_held_up("products_pricespan"):
            accepting = apart(pool, accept_price, held=held, user=None)
            wait_until(lambda: waiting() == 1, "the price to be half accepted")
            applying = apart(pool, apply_run, last_run(held))
            wait_until(lambda: waiting() == 2, "the run to be applied meanwhile")
        accepting.result(30)
        assert applying.result(30)
    assert events() == [("decrease", 1000, 100)]
    assert prices() == [1000, 100]
    held.refresh_from_db()
    assert held.status == "accepted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("decide", [accept_price, reject_price])
def test_decided_while_the_run_that_confirms_it_is_half_applied(
    held: QuarantinedPrice, decide: Callable[..., None]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        with writers_held_up("products_pricespan"):
            applying = apart(pool, apply_run, last_run(held))
            wait_until(lambda: waiting() == 1, "the run to be half applied")
            deciding = apart(pool, decide, held=held, user=None)
            wait_until(lambda: waiting() == 2, "a decision meanwhile")
        assert applying.result(30)
        with pytest.raises(AlreadyDecided):
            deciding.result(30)
    assert events() == [("decrease", 1000, 100)]
    assert prices() == [1000, 100]
    held.refresh_from_db()
    assert held.status == "confirmed"


@pytest.mark.django_db(transaction=True)
def test_rejected_while_a_run_that_would_confirm_it_is_applied(held: QuarantinedPrice) -> None:
    with ThreadPoolExecutor(2) as pool:
        with writers_held_up("products_quarantinedprice"):
            rejecting = apart(pool, reject_price, held=held, user=None)
            wait_until(lambda: waiting() == 1, "the price to be half rejected")
            applying = apart(pool, apply_run, last_run(held))
            wait_until(lambda: waiting() == 2, "the run to be applied meanwhile")
        rejecting.result(30)
        assert applying.result(30)
    assert events() == []
    assert prices() == [1000]
    held.refresh_from_db()
    assert held.status == "rejected"


@pytest.mark.django_db
@pytest.mark.parametrize("decide", [accept_price, reject_price])
def test_what_is_decided_waits_no_more_on_the_next_page(
    decide: Callable[..., None], held: QuarantinedPrice, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    assert dashboard.held_prices().count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        decide(held=held, user=None)
    assert dashboard.held_prices().count() == 0


@pytest.mark.django_db
def test_the_run_of_an_accepted_price_counts_its_event(held: QuarantinedPrice) -> None:
    accept_price(held=held, user=None)
    held.run.refresh_from_db()
    assert (held.run.decreased, held.run.increased) == (1, 0)


@pytest.mark.django_db
def test_a_hold_whose_product_is_gone_is_settled_and_its_price_is_held_anew_when_it_returns() -> None:
    runs, home = Runs(), category()
    others = [item(f"20000{n:02}") for n in range(10)]
    runs.run({home: [item(CODE, 1000), *others]})
    runs.run({home: [item(CODE, 100), *others]})
    held = QuarantinedPrice.objects.get()
    for _ in range(3):
        runs.run({home: [absent(CODE), *others]})
    gone = Product.objects.get(product_id=CODE)
    assert gone.status == "delisted"
    with pytest.raises(AlreadyDecided):
        accept_price(held=held, user=None)
    # A product that is gone has no price that still goes on.
    assert not PriceSpan.objects.filter(product=gone, last_seen_at=None).exists()
    runs.run({home: [item(CODE, 100), *others]})
    returned_at = runs.at
    accept_price(held=QuarantinedPrice.objects.get(status="held"), user=None)
    gone.refresh_from_db()
    assert (gone.status, gone.price, gone.previous_price) == ("active", 100, 1000)
    assert history_of(gone)[0] == (returned_at, 100, returned_at)
    assert [price for _, price, _ in reversed(history_of(gone))] == [1000, 100]

"""kill -9 of a Celery worker at many points of a run: the end is as if nothing had happened."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from products.models import Alert, CrawlRun
from tests.faults.harness import CRAWL, World
from tests.kit.forks import Forked
from tests.kit.processes import kill_session, wait_until

pytestmark = pytest.mark.faults

# What a run writes into, in the order in which it does.
TABLES = (
    "products_observation",  # storing begins
    "products_categoryresult",  # storing goes on
    "products_quarantinedprice",  # applying begins
    "products_product",
    "products_priceevent",  # products and spans are written
    "products_category",  # all is written, the run is about to be closed
)


def kill_all(worker: Forked) -> None:
    """As when a container goes: the worker, its pool and their children at once."""
    kill_session(worker)


def kill_main(worker: Forked) -> None:
    """The main process only: its pool finishes what it has begun, or is taken over."""
    worker.kill()
    worker.wait()


def kill_pool(worker: Forked) -> None:
    """The pool's processes, as the kernel does when memory runs out: the worker itself lives on."""
    for child in psutil.Process(worker.pid).children():
        child.kill()


KILLS = {"all": kill_all, "main": kill_main, "pool": kill_pool}


def kill_and_recover(world: World, worker: Forked, how: str) -> None:
    KILLS[how](worker)
    if how != "pool":
        world.start_worker()


def test_before_anything_was_claimed(world: World) -> None:
    worker = world.start_worker()
    wait_until(lambda: len(psutil.Process(worker.pid).children()) == 2, "the worker's pool")
    kill_all(worker)
    run = world.start()
    world.assert_nothing_applied()
    world.start_worker()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


@pytest.mark.parametrize("how", KILLS)
def test_while_it_claims(world: World, how: str) -> None:
    run = world.start()
    with world.held_at("products_crawlshard"):
        worker = world.start_worker()
        world.await_held("products_crawlshard")
        kill_and_recover(world, worker, how)
        world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


@pytest.mark.parametrize(("requests", "how"), [(1, "all"), (3, "all"), (6, "all"), (6, "main"), (6, "pool")], ids=str)
def test_while_it_crawls(world: World, requests: int, how: str) -> None:
    world.stall_after(requests)
    worker = world.start_worker()
    run = world.start()
    world.await_stall(requests)
    kill_and_recover(world, worker, how)
    world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


def test_while_it_looks_products_up(world: World) -> None:
    world.stall({"path": "/product/*"})
    worker = world.start_worker()
    run = world.start()
    world.await_stall()
    kill_and_recover(world, worker, "all")
    world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


@pytest.mark.parametrize("how", KILLS)
def test_when_one_shard_is_stored_and_the_other_is_not(world: World, how: str) -> None:
    run = world.start()
    stored, crawled = run.shards.all()
    world.stall(*({"category": code} for code in crawled.category_codes))
    worker = world.start_worker()
    wait_until(lambda: run.shards.filter(pk=stored.pk, status="done").exists(), "the first shard to be stored")
    world.await_stall()
    kill_and_recover(world, worker, how)
    world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    stored.refresh_from_db()
    assert stored.attempt == 1, "what is stored is not crawled again"
    world.assert_no_orphans()


@pytest.mark.parametrize("how", KILLS)
def test_after_it_was_applied(world: World, how: str) -> None:
    worker = world.start_worker()
    run = world.start()
    wait_until(lambda: CrawlRun.objects.filter(pk=run.pk, status="applied").exists(), "the run to be applied")
    kill_and_recover(world, worker, how)
    asked = world.shop.log()["requests"]
    world.deliver_again(run)
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    assert world.shop.log()["requests"] == asked
    world.assert_no_orphans()


@pytest.mark.parametrize(
    ("table", "how"),
    [(table, "all") for table in TABLES]
    # One table of each transaction is enough for the other ways to die.
    + [(table, how) for how in ("main", "pool") for table in ("products_observation", "products_priceevent")],
)
def test_while_it_writes(world: World, table: str, how: str) -> None:
    worker = world.start_worker()
    with world.held_at(table):
        run = world.start()
        world.await_held(table)
        kill_and_recover(world, worker, how)
        world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


def test_a_run_that_nobody_takes_up_is_closed_and_the_next_one_tells_its_news(world: World, settings: Any) -> None:
    world.stall_after(6)
    worker = world.start_worker()
    run = world.start()
    world.await_stall(6)
    kill_all(worker)
    settings.CRAWL_LOST_AFTER = 1
    world.recover(run)
    assert (run.status, run.verdict) == ("lost", "failed")
    world.assert_nothing_applied()
    assert Alert.objects.filter(resolved_at=None).count() == 1
    settings.CRAWL_LOST_AFTER = CRAWL["CRAWL_LOST_AFTER"]
    again = world.start()
    world.start_worker()
    world.recover(again)
    world.assert_as_if_nothing_had_happened(again)
    assert not Alert.objects.filter(resolved_at=None).exists()
    world.assert_no_orphans()

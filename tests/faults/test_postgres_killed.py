"""kill -9 of PostgreSQL at many points of a run. The worker lives on and finds the server again."""

from __future__ import annotations

import pytest
from django.db import connection

from products.models import CrawlRun
from tests.faults.harness import World
from tests.kit.processes import wait_until
from tests.kit.turns import each_in_turns

pytestmark = pytest.mark.faults


def kill_and_restart(world: World) -> None:
    world.house.kill_postgres()
    connection.close()
    world.house.restart_postgres()


@pytest.mark.long
def test_before_anything_was_claimed(world: World) -> None:
    run = world.start()
    kill_and_restart(world)
    world.assert_nothing_applied()
    world.start_worker()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


@each_in_turns("requests", [1, 6], 2)
def test_while_it_crawls(world: World, requests: int) -> None:
    world.stall_after(requests)
    world.start_worker()
    run = world.start()
    world.await_stall(requests)
    kill_and_restart(world)
    world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


def test_when_one_shard_is_stored_and_the_other_is_not(world: World) -> None:
    run = world.start()
    stored, crawled = run.shards.all()
    world.stall(*({"category": code} for code in crawled.category_codes))
    world.start_worker()
    wait_until(lambda: run.shards.filter(pk=stored.pk, status="done").exists(), "the first shard to be stored")
    world.await_stall()
    kill_and_restart(world)
    world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    stored.refresh_from_db()
    assert stored.attempt == 1, "what was committed has survived"
    world.assert_no_orphans()


@pytest.mark.long
def test_after_it_was_applied(world: World) -> None:
    world.start_worker()
    run = world.start()
    wait_until(lambda: CrawlRun.objects.filter(pk=run.pk, status="applied").exists(), "the run to be applied")
    kill_and_restart(world)
    world.deliver_again(run)
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


@each_in_turns(
    "table",
    ["products_observation", "products_categoryresult", "products_product", "products_priceevent", "products_category"],
    2,
)
def test_while_it_writes(world: World, table: str) -> None:
    world.start_worker()
    with world.held_at(table):
        run = world.start()
        world.await_held(table)
        kill_and_restart(world)
    world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()

"""kill -9 of PostgreSQL at many points of a run. The worker lives on and finds the server again."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.faults.harness import World

pytestmark = pytest.mark.faults


def kill_and_restart(world: World) -> None:
    world.house.kill_postgres()
    connection.close()
    world.house.restart_postgres()


def test_before_anything_was_claimed(world: World) -> None:
    run = world.start()
    kill_and_restart(world)
    world.assert_nothing_applied()
    world.start_worker()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


def test_while_it_crawls(world: World) -> None:
    world.slow_down()
    world.start_worker()
    run = world.start()
    world.await_requests(6)
    kill_and_restart(world)
    world.assert_nothing_applied()
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()


@pytest.mark.parametrize("table", ["products_observation", "products_product", "products_category"])
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

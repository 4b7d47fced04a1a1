"""kill -9 of the crawling process: the worker starts another, and drops what the dead one sent."""

from __future__ import annotations

import contextlib

import psutil
import pytest

from products.models import CrawlRun, CrawlShard
from tests.faults.harness import World
from tests.kit.processes import wait_until
from tests.kit.turns import each_in_turns

pytestmark = pytest.mark.faults


def kill_children(world: World) -> None:
    for child in world.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def assert_recovered(world: World, run: CrawlRun) -> None:
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    assert CrawlShard.objects.filter(run=run, attempt__gt=1).exists()
    world.assert_no_orphans()


# robots.txt twice, then eight pages of six categories.
@each_in_turns("requests", [0, 1, 3, 5, 8], 2)
def test_the_worker_starts_it_again(world: World, requests: int) -> None:
    world.stall_after(requests)
    world.start_worker()
    run = world.start()
    world.await_stall(requests)
    kill_children(world)
    world.assert_nothing_applied()
    assert_recovered(world, run)


def test_while_it_looks_products_up(world: World) -> None:
    world.stall({"path": "/product/*"})
    world.start_worker()
    run = world.start()
    world.await_stall()
    kill_children(world)
    world.assert_nothing_applied()
    assert_recovered(world, run)


def test_three_times_in_one_run(world: World) -> None:
    world.stall({"path": "/api/*"})
    world.start_worker()
    run = world.start()
    killed: set[int] = set()

    def another_waits() -> bool:
        return bool({child.pid for child in world.children()} - killed and world.shop.log()["faults"].get("slow"))

    for number in (1, 2, 3):
        wait_until(another_waits, f"child {number} to wait for the shop")
        killed |= {child.pid for child in world.children()}
        if number == 3:
            world.shop.faults([])
        kill_children(world)
        world.shop.clear_log()
    assert_recovered(world, run)
    assert sum(run.shards.values_list("attempt", flat=True)) >= 2 + 3

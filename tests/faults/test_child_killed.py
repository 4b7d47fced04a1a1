"""kill -9 of the crawling process: the worker starts it again, and what the dead one told is dropped."""

from __future__ import annotations

import contextlib

import psutil
import pytest

from products.models import CrawlShard
from tests.faults.harness import World, wait_until

pytestmark = pytest.mark.faults


def kill_children(world: World) -> None:
    for child in world.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


@pytest.mark.parametrize("requests", [1, 8])
def test_the_worker_starts_it_again(world: World, requests: int) -> None:
    world.slow_down()
    world.start_worker()
    run = world.start()
    world.await_requests(requests)
    kill_children(world)
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    assert CrawlShard.objects.filter(run=run, attempt__gt=1).exists()
    world.assert_no_orphans()


def test_three_times_in_one_run(world: World) -> None:
    world.slow_down()
    world.start_worker()
    run = world.start()
    for attempt in (1, 2, 3):
        world.shop.reset("log")
        wait_until(lambda: world.shop.log()["requests"] >= 4, f"requests of attempt {attempt}")
        kill_children(world)
    world.recover(run)
    world.assert_as_if_nothing_had_happened(run)
    world.assert_no_orphans()

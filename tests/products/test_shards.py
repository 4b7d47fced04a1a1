"""One shard: crawled by a real child process over real HTTP, which dies, hangs, or is taken over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db.models import F

from momo.local.processes import free_port
from momo.local.shop import Catalogue, DemoShop
from products.models import Alert, CategoryResult, CrawlError, CrawlRun, CrawlShard, Observation, Product
from products.services.apply import apply_run
from products.services.runs import close_run, start_run
from products.services.shards import MAX_ERRORS, run_shard
from tests.kit.processes import wait_until
from tests.products.shopping import crawl, prepare

pytestmark = pytest.mark.django_db


@pytest.fixture
def momo(settings: Any) -> Iterator[DemoShop]:
    with DemoShop(Catalogue(1, 120, 2)) as shop:
        prepare(settings, shop)
        yield shop


def begin(**values: Any) -> tuple[CrawlRun, list[CrawlShard]]:
    run = start_run(trigger=CrawlRun.Trigger.COMMAND, dispatch=False, **values).run
    return run, list(run.shards.all())


def children() -> list[psutil.Process]:
    """Crawling processes of this test process."""
    found = []
    for process in psutil.Process().children():
        # A zombie has no command line any more.
        if process.status() != psutil.STATUS_ZOMBIE and "products.spiders.child" in process.cmdline():
            found.append(process)
    return found


def killer(times: int) -> Callable[[CrawlShard], None]:
    """Kills the crawling process at its first sign of life, in each of `times` attempts."""
    killed: set[int] = set()

    def kill(shard: CrawlShard) -> None:
        for child in children():
            if len(killed) < times or child.pid in killed:
                killed.add(child.pid)
                child.kill()

    return kill


def test_a_child_that_dies_is_started_again(momo: DemoShop) -> None:
    momo.fault("slow", delay=0.1)
    run, (shard,) = begin()
    ended = run_shard(shard.pk, on_progress=killer(2))
    assert ended is not None
    shard.refresh_from_db()
    assert (shard.status, shard.attempt) == ("done", 3)
    # The reports of dead children are dropped: no row is there twice.
    rows = list(Observation.objects.filter(run=run).values_list("category_id", "code"))
    assert len(rows) == len(set(rows)) > 100
    assert apply_run(run.pk)
    assert CrawlRun.objects.get().verdict == "ok"
    assert not children()


def test_a_shard_whose_children_all_die_fails_its_categories_alone(momo: DemoShop, settings: Any) -> None:
    settings.CRAWL_SHARDS = 2
    settings.CRAWL_SHARD_ATTEMPTS = 2
    crawl()
    momo.fault("slow", delay=0.1)
    run, (bad, good) = begin()
    ended = run_shard(bad.pk, on_progress=killer(99))
    assert ended is not None
    assert run_shard(good.pk) is not None
    bad.refresh_from_db()
    assert (bad.status, bad.attempt) == ("failed", 3)
    assert "2" in bad.message
    assert apply_run(run.pk)
    run.refresh_from_db()
    assert (run.status, run.verdict) == ("applied", "suspect")
    outcomes = dict(CategoryResult.objects.filter(run=run).values_list("category__code", "outcome"))
    assert outcomes == dict.fromkeys(bad.category_codes, "failed") | dict.fromkeys(good.category_codes, "complete")
    assert Alert.objects.get().category_codes == bad.category_codes
    assert not Product.objects.filter(misses__gt=0).exists()
    assert not children()


def test_a_shop_that_is_away_fails_the_run(momo: DemoShop, settings: Any) -> None:
    settings.MOMO_SHOP_URL = f"http://127.0.0.1:{free_port()}"
    run = crawl()
    assert (run.status, run.verdict, run.seen) == ("applied", "failed", 0)
    assert set(CategoryResult.objects.values_list("outcome", flat=True)) == {"failed"}
    assert Alert.objects.count() == 1


def test_a_child_that_takes_too_long_is_ended(momo: DemoShop, settings: Any) -> None:
    settings.CRAWL_SHARD_TIMEOUT = 1
    settings.CRAWL_SHARD_ATTEMPTS = 1
    momo.fault("slow", delay=20)
    _, (shard,) = begin()
    run_shard(shard.pk)
    shard.refresh_from_db()
    assert shard.status == "failed"
    assert not Observation.objects.exists()
    assert not children()


def test_a_child_that_cannot_begin_leaves_the_tail_of_its_log(momo: DemoShop, settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    settings.CRAWL_SHARD_ATTEMPTS = 1
    _, (shard,) = begin()
    run_shard(shard.pk)
    shard.refresh_from_db()
    assert shard.status == "failed"
    assert "No module named" in shard.message
    assert set(CategoryResult.objects.values_list("outcome", "message")) == {("failed", shard.message)}


def test_a_worker_that_is_taken_over_stops_and_stores_nothing(momo: DemoShop) -> None:
    momo.fault("slow", delay=0.3)
    _, (shard,) = begin()

    def take_over(_: CrawlShard) -> None:
        CrawlShard.objects.filter(pk=shard.pk).update(attempt=F("attempt") + 1)

    assert run_shard(shard.pk, on_progress=take_over) is None
    wait_until(lambda: not children(), "the child to be gone")
    assert not Observation.objects.exists()
    assert not CategoryResult.objects.exists()
    shard.refresh_from_db()
    assert (shard.status, shard.attempt) == ("running", 2)


def test_a_run_that_is_closed_meanwhile_ends_its_children(momo: DemoShop) -> None:
    momo.fault("slow", delay=0.3)
    run, (shard,) = begin()

    def close(_: CrawlShard) -> None:
        close_run(run=run, status=CrawlRun.Status.LOST, message="中斷")

    assert run_shard(shard.pk, on_progress=close) is None
    assert not children()
    assert not Observation.objects.exists()
    assert not apply_run(run.pk)
    assert not Product.objects.exists()


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_worker_that_must_stop_gives_the_shard_back(momo: DemoShop, signal: type[BaseException]) -> None:
    momo.fault("slow", delay=0.3)
    run, (shard,) = begin()

    def stop(_: CrawlShard) -> None:
        raise signal

    with pytest.raises(signal):
        run_shard(shard.pk, on_progress=stop)
    assert not children()
    assert not Observation.objects.exists()
    shard.refresh_from_db()
    assert (shard.status, shard.attempt) == ("pending", 1)
    momo.faults([])
    # The next worker need not wait for the time-out.
    assert run_shard(shard.pk) is not None
    assert apply_run(run.pk)


def test_nothing_to_do_for_a_shard_that_has_ended(momo: DemoShop) -> None:
    _, (shard,) = begin()
    assert run_shard(shard.pk) is not None
    asked = momo.log()["requests"]
    assert run_shard(shard.pk) is None
    assert momo.log()["requests"] == asked


def test_what_a_shard_says_of_itself(momo: DemoShop, settings: Any) -> None:
    shown: list[tuple[int, int]] = []
    _, (shard,) = begin()
    run_shard(shard.pk, on_progress=lambda shard: shown.append((shard.pages, shard.pages_expected)))
    shard.refresh_from_db()
    listed = sum(len(momo.catalogue.listed(row.code, 0)) for row in momo.catalogue.categories)
    pages = sum(-(-len(momo.catalogue.listed(row.code, 0)) // 35) for row in momo.catalogue.categories)
    assert (shard.pages, shard.pages_expected) == (pages, pages)
    # A child asks for each of its goods once, wherever it is listed.
    assert listed - 10 < shard.items <= listed
    assert shard.requests == momo.log()["requests"]
    assert shard.peak_rss_bytes > 20_000_000
    assert shown
    # Robots first, then as its settings say: an honest name, and at most two at once.
    assert momo.log()["paths"]["/robots.txt"] == 1
    assert set(momo.log()["user_agents"]) == {settings.CRAWL_USER_AGENT}
    assert momo.log()["in_flight_max"] <= 2


def test_prices_that_cannot_be_read_are_errors_and_never_guesses(momo: DemoShop) -> None:
    crawl()
    before = dict(Product.objects.values_list("product_id", "price"))
    odd = [product.id for product in momo.catalogue.listed(momo.catalogue.categories[0].code, 0)[:3]]
    for product_id, text in zip(odd, ("洽客服", "$$", "一二三"), strict=True):
        momo.override(product_id, price=text)
    run = crawl()
    assert (run.verdict, run.increased, run.decreased) == ("ok", 0, 0)
    assert run.error_count >= 3
    assert set(CrawlError.objects.filter(run=run, kind="price").values_list("code", flat=True)) >= set(odd)
    assert dict(Product.objects.values_list("product_id", "price")) == before
    assert run.error_count <= MAX_ERRORS

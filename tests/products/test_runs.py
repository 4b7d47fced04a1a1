"""Life of a run: started once, enqueued, swept, closed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import redis
from django.db import connection, connections
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from momo.core.errors import Unavailable
from momo.core.work import TakenOver, claim
from products.models import Alert, CategoryResult, CrawlError, CrawlRun, CrawlShard, Observation, Product
from products.services.runs import (
    NothingToCrawl,
    Started,
    UnknownCategories,
    close_run,
    delete_old_observations,
    fail_shard,
    shards_to_crawl,
    split_into_shards,
    start_run,
)
from products.services.shards import Seen, beat, store
from products.spiders.protocol import CategoryLine, EndLine, ErrorLine, ItemLine
from products.tasks import start_crawl, sweep_crawls
from tests.kit.processes import wait_until
from tests.kit.users import person, token_client
from tests.products.factories import Runs, category, item

CODES = [f"11001{number}0000" for number in range(6)]


@pytest.fixture
def categories(db: None) -> list[str]:
    for code in CODES:
        category(code)
    return CODES


@pytest.fixture
def queue(settings: Any) -> Iterator[Callable[[], list[tuple[str, int]]]]:
    """What waits for the crawling workers, as (task id, shard)."""
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    broker.delete("crawl")

    def waiting() -> list[tuple[str, int]]:
        found = []
        for raw in reversed(broker.lrange("crawl", 0, -1)):
            headers = json.loads(raw)["headers"]
            assert headers["task"] == "products.crawl_shard"
            found.append((headers["id"], json.loads(headers["argsrepr"])[0]))
        return found

    yield waiting
    broker.delete("crawl")
    broker.close()


def begin(**values: Any) -> Started:
    return start_run(trigger=CrawlRun.Trigger.API, **values)


def claim_shard(shard_id: int) -> CrawlShard | None:
    return claim(shards_to_crawl(), shard_id)


def silence(shards: Any, seconds: float = 3600) -> None:
    shards.update(heartbeat_at=timezone.now() - timedelta(seconds=seconds))


# --- Starting -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_run_at_a_time_under_eight_at_once(categories: list[str]) -> None:
    gate = threading.Barrier(8)

    def start(_: int) -> Started:
        gate.wait(20)
        try:
            return begin(dispatch=False)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(start, range(8)))
    assert [one.already_running for one in started].count(False) == 1
    assert len({one.run.pk for one in started}) == len({one.task_id for one in started}) == 1
    assert CrawlRun.objects.count() == 1
    assert CrawlShard.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_start_sends_each_shard_once(categories: list[str], queue: Callable[[], list[tuple[str, int]]]) -> None:
    started = begin()
    shards = list(started.run.shards.values_list("pk", flat=True))
    assert [shard for _, shard in queue()] == shards
    assert queue()[0][0] == started.task_id
    again = begin()
    assert (again.run, again.already_running, again.task_id) == (started.run, True, started.task_id)
    start_crawl()
    assert len(queue()) == len(shards)


@pytest.mark.django_db
def test_categories_asked_for(categories: list[str]) -> None:
    off = category("1199900000", enabled=False)
    with pytest.raises(UnknownCategories) as error:
        begin(categories=[CODES[0], "9999999999", off.code])
    assert error.value.codes == [off.code, "9999999999"]
    assert not CrawlRun.objects.exists()
    run = begin(categories=CODES[:1], dispatch=False).run
    assert run.categories == 1
    assert [shard.category_codes for shard in run.shards.all()] == [CODES[:1]]


@pytest.mark.django_db
def test_nothing_to_crawl() -> None:
    category(enabled=False)
    with pytest.raises(NothingToCrawl, match="分類"):
        begin()
    start_crawl()
    assert not CrawlRun.objects.exists()


@given(known=st.lists(st.integers(0, 20_000), min_size=1, max_size=80), shards=st.integers(1, 12))
def test_shards_share_the_work(known: list[int], shards: int) -> None:
    rows = [(f"{number:010}", count) for number, count in enumerate(known)]
    with override_settings(CRAWL_SHARDS=shards):
        groups = split_into_shards(rows)
    assert len(groups) == min(shards, len(rows))
    assert all(groups)
    assert sorted(code for group in groups for code in group) == [code for code, _ in rows]
    work = {code: count + 1 for code, count in rows}
    loads = [sum(work[code] for code in group) for group in groups]
    assert max(loads) - min(loads) <= max(work.values())


# --- Without a broker -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("categories", "no_broker")
class TestBrokerAway:
    def test_the_run_is_closed_and_notified_once(self) -> None:
        for _ in range(2):
            with pytest.raises(Unavailable, match="REDIS_URL"):
                begin()
        assert list(CrawlRun.objects.values_list("status", "verdict")) == [("failed", "failed")] * 2
        assert set(CrawlShard.objects.values_list("status", flat=True)) == {"failed"}
        alert = Alert.objects.get()
        assert (alert.kind, alert.resolved_at) == ("crawl_failed", None)

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["plain", "with a key"])
    def test_the_api_says_so(self, headers: dict[str, str]) -> None:
        answer = token_client(person(role="manager")).post(
            "/api/run_task", {}, content_type="application/json", headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert not CrawlRun.objects.filter(status="running").exists()

    def test_the_sweep_waits_for_it(self) -> None:
        run = begin(dispatch=False).run
        sweep_crawls()
        run.refresh_from_db()
        assert run.status == "running"

    def test_the_next_good_run_ends_the_alert(self) -> None:
        with pytest.raises(Unavailable):
            begin()
        runs = Runs()
        runs.at = timezone.now()
        runs.run({category(CODES[0]): [item("1000001")]})
        assert Alert.objects.get().resolved_at is not None


# --- Watching -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
class TestWatch:
    def test_a_silent_run_is_closed_with_one_alert(self, categories: list[str], settings: Any) -> None:
        run = begin(dispatch=False).run
        silence(CrawlRun.objects.filter(pk=run.pk), settings.CRAWL_LOST_AFTER - 5)
        assert begin(dispatch=False).already_running
        silence(CrawlRun.objects.filter(pk=run.pk), settings.CRAWL_LOST_AFTER + 5)
        fresh = begin(dispatch=False)
        assert not fresh.already_running
        run.refresh_from_db()
        assert (run.status, run.verdict) == ("lost", "failed")
        assert run.finished_at is not None
        assert set(run.shards.values_list("status", flat=True)) == {"failed"}
        silence(CrawlRun.objects.filter(pk=fresh.run.pk))
        sweep_crawls()
        fresh.run.refresh_from_db()
        assert fresh.run.status == "lost"
        assert Alert.objects.count() == 1

    def test_stale_shards_are_sent_again(
        self, categories: list[str], queue: Callable[[], list[tuple[str, int]]], settings: Any
    ) -> None:
        run = begin(dispatch=False).run
        pending, stale, fresh, done = run.shards.all()
        for shard in (stale, fresh, done):
            assert claim_shard(shard.pk) is not None
        silence(CrawlShard.objects.filter(pk=stale.pk), settings.CRAWL_HEARTBEAT_TIMEOUT + 5)
        CrawlShard.objects.filter(pk=done.pk).update(status="done")
        sweep_crawls()
        assert queue() == [(f"crawl-{run.pk}-1-1", pending.pk), (f"crawl-{run.pk}-2-2", stale.pk)]

    def test_a_run_that_is_ready_is_applied(self) -> None:
        run = Runs().crawled({category(): [item("1000001")]})
        CrawlRun.objects.update(heartbeat_at=timezone.now())
        sweep_crawls()
        run.refresh_from_db()
        assert (run.status, run.seen) == ("applied", 1)
        assert Product.objects.count() == 1


# --- Fencing --------------------------------------------------------------------------------------------------------


def seen_by(shard: CrawlShard) -> Seen:
    """What a child might have reported of one product."""
    (code,) = shard.category_codes
    now = timezone.now().isoformat()
    goods = ItemLine(code, "1000001", "品", "", 100, None, "", "", True, False, "list", now)
    result = CategoryLine(code, "complete", pages=1, max_page=1, total=1, seen=1, message="")
    error = ErrorLine(code, url="", kind="price", message="讀不懂")
    end = EndLine(requests=2, retries=0, seconds=1, peak_rss_bytes=0)
    return Seen(items=[goods], categories=[result], errors=[error], error_count=1, end=end)


@pytest.mark.django_db
class TestFencing:
    def test_a_silent_worker_that_was_replaced_writes_nothing(self, categories: list[str]) -> None:
        run = begin(categories=CODES[:1], dispatch=False).run
        number = run.shards.get().pk
        old = claim_shard(number)
        assert old is not None
        assert claim_shard(number) is None
        silence(run.shards)
        new = claim_shard(number)
        assert new is not None
        assert (old.attempt, new.attempt) == (1, 2)
        with pytest.raises(TakenOver):
            store(old, seen=seen_by(old))
        with pytest.raises(TakenOver):
            beat(old)
        with pytest.raises(TakenOver):
            fail_shard(old, 1)
        assert not Observation.objects.exists()
        assert not CategoryResult.objects.exists()
        assert not CrawlError.objects.exists()
        store(new, seen=seen_by(new))
        with pytest.raises(TakenOver):
            store(new, seen=seen_by(new))
        assert Observation.objects.count() == CategoryResult.objects.count() == CrawlError.objects.count() == 1
        run.refresh_from_db()
        assert run.error_count == 1
        assert claim_shard(number) is None

    def test_a_run_that_was_closed_takes_nothing_more(self, categories: list[str]) -> None:
        run = begin(categories=CODES[:1], dispatch=False).run
        shard = claim_shard(run.shards.get().pk)
        assert shard is not None
        close_run(run=run, status=CrawlRun.Status.LOST, message="中斷")
        with pytest.raises(TakenOver):
            store(shard, seen=seen_by(shard))
        assert claim_shard(shard.pk) is None
        # Nor does it end twice.
        close_run(run=run, status=CrawlRun.Status.FAILED, message="again")
        run.refresh_from_db()
        assert (run.status, run.message) == ("lost", "中斷")


@pytest.mark.django_db(transaction=True)
def test_closing_a_run_while_a_shard_is_stored_is_no_deadlock(categories: list[str]) -> None:
    run = begin(categories=CODES[:1], dispatch=False).run
    shard = claim_shard(run.shards.get().pk)
    assert shard is not None
    seen = seen_by(shard)

    def waiting() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            return cursor.fetchone()[0]

    def own_connection(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    wanted = connection.get_connection_params()
    names = ("dbname", "host", "port", "user", "password")
    with ThreadPoolExecutor(2) as pool:
        with psycopg.connect(**{name: wanted[name] for name in names}) as holder:
            holder.execute("LOCK TABLE products_categoryresult IN SHARE ROW EXCLUSIVE MODE")
            storing = pool.submit(own_connection, lambda: store(shard, seen=seen))
            wait_until(lambda: waiting() == 1, "the shard to be half stored")
            closing = pool.submit(
                own_connection, lambda: close_run(run=run, status=CrawlRun.Status.LOST, message="中斷")
            )
            wait_until(lambda: waiting() == 2, "the run to be closed meanwhile")
        storing.result(30)
        closing.result(30)
    run.refresh_from_db()
    assert run.status == "lost"
    assert run.shards.get().status == "done"
    assert not Product.objects.exists()


@pytest.mark.django_db
def test_what_old_runs_saw_is_forgotten() -> None:
    runs = Runs()
    made = [runs.run({category(): [item("1000001"), item("1000002")]}) for _ in range(5)]
    assert delete_old_observations() == 4
    assert set(Observation.objects.values_list("run_id", flat=True)) == {run.pk for run in made[2:]}
    assert delete_old_observations() == 0

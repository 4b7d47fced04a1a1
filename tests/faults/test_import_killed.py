"""kill -9 of the worker and of PostgreSQL at every stage of an import: totals are the old or the new, never between."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from momo.core.work import enqueue_waiting
from momo.jobs.models import Job
from momo.jobs.services import release_silent_jobs, run_job
from tests.faults.harness import House
from tests.faults.imports import (
    BAD,
    KILLS,
    LARGE,
    ROWS,
    ImportWorld,
    content,
    import_settings,
    kill_all,
    kill_pool,
    strike,
)
from tests.kit.processes import wait_until
from tests.kit.turns import each_in_turns

pytestmark = pytest.mark.faults

# What publishing writes into, in the order in which it does.
TABLES = ("sales_salesline", "sales_dayclaim", "sales_dayowner", "sales_daytotal", "sales_monthtotal", "jobs_joberror")


@pytest.fixture
def make_world(
    house: House, django_db_blocker: DjangoDbBlocker, settings: Any
) -> Iterator[Callable[[int], contextlib.AbstractContextManager[ImportWorld]]]:
    """A worker is starting in it."""

    @contextlib.contextmanager
    def make(rows: int) -> Iterator[ImportWorld]:
        world = ImportWorld(house, rows)
        with world.opened(world.prepared.first, worker=True):
            yield world

    with import_settings(house, django_db_blocker, settings):
        yield make


@pytest.fixture
def world(make_world: Any) -> Iterator[ImportWorld]:
    with make_world(ROWS) as made:
        yield made


def test_before_it_was_claimed(world: ImportWorld) -> None:
    wait_until(lambda: psutil.Process(world.workers[0].pid).children(), "the worker's pool")
    kill_all(world)
    job = world.start()
    world.assert_nothing_counts()
    world.start_worker()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)


# What each stage reads: headers that staff have taught, and the catalogue.
@pytest.mark.parametrize(("stage", "table"), [("reading", "jobs_columnalias"), ("checking", "products_product")])
@pytest.mark.parametrize("how", KILLS)
def test_while_it_reads_and_checks(world: ImportWorld, stage: str, table: str, how: str) -> None:
    with world.elsewhere() as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        job = world.start()
        wait_until(lambda: world.waits(f"query LIKE '%{table}%'"), f"somebody to read {table}")
        wait_until(lambda: Job.objects.filter(pk=job.pk, stage=stage).exists(), f"the stage {stage} to be recorded")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)
    assert job.attempt >= 2


@pytest.mark.parametrize("how", KILLS)
def test_during_copy(make_world: Any, how: str) -> None:
    with make_world(LARGE) as world:
        job = world.start()
        with world.elsewhere() as watcher:
            watcher.autocommit = True
            query = "SELECT tuples_processed FROM pg_stat_progress_copy WHERE command = 'COPY FROM'"
            wait_until(lambda: watcher.execute(query).fetchone(), "the COPY to be seen", every=0.001)
            strike(world, how)
        # Between the sight and the kill it may just have ended.
        assert content() in (world.before, world.after)
        world.recover(job)
        world.assert_as_if_nothing_had_happened(job)


@pytest.mark.parametrize("how", KILLS)
def test_between_copy_and_merge(world: ImportWorld, how: str) -> None:
    with world.elsewhere() as holder:
        holder.execute("SELECT pg_advisory_xact_lock(hashtextextended('sales', 0))")
        job = world.start()
        wait_until(lambda: world.waits("wait_event = 'advisory'"), "somebody to wait for the lock of sales")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("how", KILLS)
def test_while_it_writes(world: ImportWorld, table: str, how: str) -> None:
    with world.elsewhere() as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
        job = world.start(bad=BAD, on_error=Job.OnError.SKIP)
        wait_until(lambda: world.waits(f"query LIKE '%{table}%'"), f"somebody to write into {table}")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job, bad=BAD)
    assert job.attempt >= 2


@pytest.mark.parametrize("how", KILLS)
def test_while_it_tells_why_it_is_rejected(world: ImportWorld, how: str) -> None:
    with world.elsewhere() as holder:
        holder.execute("LOCK TABLE jobs_joberror IN SHARE ROW EXCLUSIVE MODE")
        job = world.start(bad=BAD)
        wait_until(lambda: world.waits("query LIKE '%jobs_joberror%'"), "the errors to be written")
        strike(world, how)
    world.assert_nothing_counts()
    job.refresh_from_db()
    assert job.error_count == 0
    world.recover(job)
    assert job.status == "failed"
    assert job.attempt >= 2
    assert f"有 {BAD} 個錯誤" in job.message
    world.assert_errors(job, BAD)
    assert content() == world.before


@pytest.mark.parametrize("how", KILLS)
def test_just_before_the_commit(world: ImportWorld, how: str) -> None:
    with world.elsewhere() as first, world.elsewhere() as second:
        first.execute("LOCK TABLE sales_monthtotal IN SHARE ROW EXCLUSIVE MODE")
        job = world.start()
        wait_until(lambda: world.waits("query LIKE '%sales_monthtotal%'"), "the totals to be written")
        second.execute("SELECT 1 FROM jobs_job WHERE id = %s FOR UPDATE", [job.pk])
        first.rollback()
        ends = "query LIKE 'UPDATE \"jobs_job\"%' AND query LIKE '%succeeded%'"
        wait_until(lambda: world.waits(ends), "the job to be ended")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)
    assert job.attempt >= 2


@pytest.mark.parametrize("how", KILLS)
def test_just_after_the_commit(world: ImportWorld, how: str) -> None:
    job = world.start()
    wait_until(lambda: Job.objects.filter(pk=job.pk, status="succeeded").exists(), "the job to be ended", every=0.001)
    strike(world, how)
    assert content() == world.after
    # As a broker does whose message was never acknowledged.
    assert run_job(job.pk) is None
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)
    assert job.attempt == 1


@each_in_turns("seconds", [0.1, 0.3, 0.5, 0.7, 0.9], 5)
def test_at_any_moment(make_world: Any, seconds: float) -> None:
    with make_world(LARGE) as world:
        job = world.start()
        wait_until(lambda: Job.objects.filter(pk=job.pk, status="running").exists(), "the job to be claimed")
        time.sleep(seconds)
        strike(world, "all")
        assert content() in (world.before, world.after)
        world.recover(job)
        world.assert_as_if_nothing_had_happened(job)


def test_an_import_that_always_dies_fails(world: ImportWorld, settings: Any) -> None:
    settings.IMPORT_ATTEMPTS = 2
    with world.elsewhere() as holder:
        holder.execute("LOCK TABLE sales_dayowner IN SHARE ROW EXCLUSIVE MODE")
        job = world.start()
        for attempt in (1, 2):
            publishing = Job.objects.filter(pk=job.pk, attempt=attempt, stage="publishing")
            wait_until(publishing.exists, f"attempt {attempt} to publish")
            kill_pool(world)
            wait_until(release_silent_jobs, "the job to be taken from the dead", every=0.2)
            enqueue_waiting(Job.objects.all())
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("failed", 2)
    assert "2 次" in job.message
    world.assert_nothing_counts()

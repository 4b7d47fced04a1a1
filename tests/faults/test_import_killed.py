"""kill -9 of the worker and of PostgreSQL at every stage of an import: totals are the old or the new, never between."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import openpyxl
import psutil
import psycopg
import pytest
import redis
from celery import Celery
from django.db import connection
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from momo.celery import app as own_app
from momo.jobs.models import Job
from momo.jobs.services import close_stale_jobs, create_job, run_job, send_waiting_jobs, undo_job
from tests.faults.harness import ROOT, House, connected_to, wait_until

pytestmark = pytest.mark.faults

FIRST_DAY = date(2026, 1, 5)
DAYS, ROWS = 3, 150  # of the small file; the large one has so many rows that its COPY can be caught
LARGE = 20_000
IMPORTS = {"IMPORT_HEARTBEAT_TIMEOUT": 2, "IMPORT_ATTEMPTS": 50}

CONTENT = {
    "days": """
        SELECT o.source, o.date, c.digest, c.lines, c.quantity, c.amount, c.cost, c.gross_profit
        FROM sales_dayowner o JOIN sales_dayclaim c ON c.id = o.claim_id ORDER BY 1, 2""",
    "lines": """
        SELECT l.date, l.row, l.product_code, l.brand, l.quantity, l.amount, l.cost, l.gross_profit
        FROM sales_dayowner o JOIN sales_dayclaim c ON c.id = o.claim_id
        JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.job_id ORDER BY 1, 2, 3""",
    "totals": """
        SELECT date, dimension, key, lines, quantity, amount, cost, gross_profit FROM sales_daytotal
        ORDER BY 1, 2, 3""",
    "months": """
        SELECT month, dimension, key, lines, quantity, amount, cost, gross_profit FROM sales_monthtotal
        ORDER BY 1, 2, 3""",
    "all lines": "SELECT date, count(*), sum(amount) FROM sales_salesline GROUP BY 1 ORDER BY 1",
    "claims": "SELECT date, count(*) FROM sales_dayclaim WHERE undone_at IS NULL GROUP BY 1 ORDER BY 1",
}
# What publishing writes into, in the order in which it does.
TABLES = ("sales_salesline", "sales_dayclaim", "sales_dayowner", "sales_daytotal", "sales_monthtotal")


@functools.cache
def report(rows: int, factor: int) -> bytes:
    """A daily report without brands, for which the catalogue is asked. `factor` makes another day's figures of it."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["日期", "品號", "品名", "數量", "業績", "成本", "PM"])
    for number in range(rows):
        day = FIRST_DAY + timedelta(days=number % DAYS)
        amount = 100 + number % 37
        sheet.append([day, f"P{number % 50:05}", "商品", factor, factor * amount, amount / 2, f"PM{number % 4}"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def content() -> dict[str, list[tuple[Any, ...]]]:
    """What people would find, without ids and times."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in CONTENT.items():
            cursor.execute(query)
            found[name] = cursor.fetchall()
    return found


class ImportWorld:
    """One test's database with a report in force, a worker to kill, and another report of the same days to import."""

    def __init__(self, house: House, rows: int = ROWS) -> None:
        self.house = house
        self.rows = rows
        self.name = f"import_{uuid.uuid4().hex[:12]}"
        self.address = house.address(self.name)
        self.media = house.folder / self.name
        self.log = house.folder / f"{self.name}.log"
        self.workers: list[subprocess.Popen[bytes]] = []

    @contextlib.contextmanager
    def opened(self) -> Iterator[ImportWorld]:
        self.house.command("CREATE DATABASE {} TEMPLATE {}", self.name, "before")
        redis.Redis.from_url(self.house.addresses.redis_url).flushall()
        app = Celery("faults")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.conf.broker_url = f"{self.house.addresses.redis_url}/0"
        try:
            with connected_to(self.address):
                self.import_here(report(self.rows, 1))
                self.before = content()
                self.after = self.undisturbed()
                assert content() == self.before
                yield self
        finally:
            for worker in self.workers:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
            # For whoever reads why a test failed.
            with contextlib.suppress(FileNotFoundError):
                print(self.log.read_text())
            own_app.set_current()
            app.close()
            self.house.command("DROP DATABASE {} WITH (FORCE)", self.name)

    def make(self, file: bytes, *, dispatch: bool) -> Job:
        return create_job(
            job_type="daily_sales",
            source=Job.Source.UPLOAD,
            file_name="日報.xlsx",
            content=io.BytesIO(file),
            user=None,
            dispatch=dispatch,
        )

    def import_here(self, file: bytes) -> Job:
        job = run_job(self.make(file, dispatch=False).pk)
        assert job is not None
        assert job.status == "succeeded", job.message
        return job

    def undisturbed(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the other report makes of it, then taken back and forgotten."""
        job = self.import_here(report(self.rows, 2))
        after = content()
        assert after != self.before
        undo_job(job)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sales_salesline WHERE job_id = %s", [job.pk])
            cursor.execute("DELETE FROM sales_dayclaim WHERE job_id = %s", [job.pk])
        return after

    def start(self) -> Job:
        return self.make(report(self.rows, 2), dispatch=True)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """A worker as `make run` starts it, in a session of its own."""
        environment = os.environ | {
            "MOMO_ENV": "test",
            "DATABASE_URL": self.address,
            "REDIS_URL": self.house.addresses.redis_url,
            "REDIS_FIRST_DATABASE": "0",
            "MOMO_LOCAL_DIR": str(self.house.folder),
            "MEDIA_ROOT": str(self.media),
            "PYTHONWARNINGS": "ignore",
            **{name: str(value) for name, value in IMPORTS.items()},
        }
        command = [sys.executable, "-m", "celery", "--quiet", "--app", "momo", "worker", "--queues", "default,imports"]
        command += ["--concurrency", "1", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
        command += ["--hostname", f"{uuid.uuid4().hex}@%h"]
        with open(self.log, "ab") as log:
            worker = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    @contextlib.contextmanager
    def elsewhere(self) -> Iterator[psycopg.Connection]:
        """A connection that may die with its server."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.address) as other:
            yield other

    def waits(self, condition: str) -> bool:
        """Whether a session of another's waits for a lock in a statement of which `condition` holds."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                f" AND wait_event_type = 'Lock' AND {condition}"
            )
            return bool(cursor.fetchone()[0])

    def recover(self, job: Job) -> None:
        """Watch, as the schedule does, until the job has ended."""

        def ended() -> bool:
            close_stale_jobs()
            send_waiting_jobs()
            job.refresh_from_db()
            return job.status not in ("pending", "running")

        wait_until(ended, f"import {job.pk} to end", every=0.4)

    def assert_nothing_counts(self) -> None:
        assert content() == self.before

    def assert_as_if_nothing_had_happened(self, job: Job) -> None:
        assert (job.status, job.progress) == ("succeeded", 100), job.message
        assert (job.total_rows, job.updated) == (self.rows, self.rows)
        assert content() == self.after


def kill_all(world: ImportWorld) -> None:
    """As when a container goes: the worker and its pool at once."""
    for worker in world.workers:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def kill_pool(world: ImportWorld) -> None:
    """The pool's process, as the kernel does when memory runs out: the worker itself lives on."""
    for worker in world.workers:
        for child in psutil.Process(worker.pid).children():
            child.kill()


def kill_postgres(world: ImportWorld) -> None:
    world.house.kill_postgres()
    connection.close()
    world.house.restart_postgres()


KILLS: dict[str, Callable[[ImportWorld], None]] = {"all": kill_all, "pool": kill_pool, "postgres": kill_postgres}


def strike(world: ImportWorld, how: str) -> None:
    KILLS[how](world)
    if how == "all":
        world.start_worker()


@pytest.fixture
def make_world(
    house: House, django_db_blocker: DjangoDbBlocker, settings: Any
) -> Iterator[Callable[[int], contextlib.AbstractContextManager[ImportWorld]]]:
    @contextlib.contextmanager
    def make(rows: int) -> Iterator[ImportWorld]:
        world = ImportWorld(house, rows)
        settings.MEDIA_ROOT = world.media
        with world.opened():
            yield world

    for name, value in IMPORTS.items():
        setattr(settings, name, value)
    with django_db_blocker.unblock():
        yield make


@pytest.fixture
def world(make_world: Any) -> Iterator[ImportWorld]:
    with make_world(ROWS) as made:
        yield made


def test_before_it_was_claimed(world: ImportWorld) -> None:
    worker = world.start_worker()
    wait_until(lambda: psutil.Process(worker.pid).children(), "the worker's pool")
    kill_all(world)
    world.workers.clear()
    job = world.start()
    world.assert_nothing_counts()
    world.start_worker()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)


# What each stage reads: headers that staff have taught, and the catalogue.
@pytest.mark.parametrize(("stage", "table"), [("reading", "jobs_columnalias"), ("checking", "products_product")])
@pytest.mark.parametrize("how", KILLS)
def test_while_it_reads_and_checks(world: ImportWorld, stage: str, table: str, how: str) -> None:
    world.start_worker()
    with world.elsewhere() as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        job = world.start()
        wait_until(lambda: world.waits(f"query LIKE '%{table}%'"), f"somebody to read {table}")
        wait_until(lambda: Job.objects.filter(pk=job.pk, stage=stage).exists(), f"the stage {stage} to be told")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)
    assert job.attempt >= 2


@pytest.mark.parametrize("how", KILLS)
def test_during_copy(make_world: Any, how: str) -> None:
    with make_world(LARGE) as world:
        world.start_worker()
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
    world.start_worker()
    with world.elsewhere() as holder:
        holder.execute("SELECT pg_advisory_xact_lock(hashtextextended('sales', 0))")
        job = world.start()
        wait_until(lambda: world.waits("wait_event = 'advisory'"), "somebody to wait for the lock of sales")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)


@pytest.mark.parametrize(
    ("table", "how"),
    # It is one transaction: its first and its last table are enough for the other ways to die.
    [(table, "all") for table in TABLES]
    + [(table, how) for table in (TABLES[0], TABLES[-1]) for how in ("pool", "postgres")],
)
def test_while_it_writes(world: ImportWorld, table: str, how: str) -> None:
    world.start_worker()
    with world.elsewhere() as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
        job = world.start()
        wait_until(lambda: world.waits(f"query LIKE '%{table}%'"), f"somebody to write into {table}")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)
    assert job.attempt >= 2


@pytest.mark.parametrize("how", KILLS)
def test_just_before_the_commit(world: ImportWorld, how: str) -> None:
    world.start_worker()
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
    world.start_worker()
    job = world.start()
    wait_until(lambda: Job.objects.filter(pk=job.pk, status="succeeded").exists(), "the job to be ended", every=0.001)
    strike(world, how)
    assert content() == world.after
    # As a broker makes somebody do that was never told of its end.
    assert run_job(job.pk) is None
    world.recover(job)
    world.assert_as_if_nothing_had_happened(job)
    assert job.attempt == 1


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_at_any_moment(make_world: Any, seconds: float) -> None:
    with make_world(LARGE) as world:
        world.start_worker()
        job = world.start()
        wait_until(lambda: Job.objects.filter(pk=job.pk, status="running").exists(), "the job to be claimed")
        time.sleep(seconds)
        strike(world, "all")
        assert content() in (world.before, world.after)
        world.recover(job)
        world.assert_as_if_nothing_had_happened(job)


def test_an_import_that_always_dies_fails(world: ImportWorld, settings: Any) -> None:
    settings.IMPORT_ATTEMPTS = 2
    world.start_worker()
    with world.elsewhere() as holder:
        holder.execute("LOCK TABLE sales_dayowner IN SHARE ROW EXCLUSIVE MODE")
        job = world.start()
        for attempt in (1, 2):
            publishing = Job.objects.filter(pk=job.pk, attempt=attempt, stage="publishing")
            wait_until(publishing.exists, f"attempt {attempt} to publish")
            kill_pool(world)
            wait_until(close_stale_jobs, "the job to be taken from the dead", every=0.2)
            send_waiting_jobs()
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("failed", 2)
    assert "2 次" in job.message
    world.assert_nothing_counts()

"""A world in which imports of daily sales may be killed: a worker, a report in force, and another of the same days.

`prepared` makes two databases once for each house: one with the first report in force, and one in which the other
superseded it. Each test works in a copy, so that it neither imports both again nor sees what another test did.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from momo.jobs.models import Job, JobError
from momo.jobs.services import create_job, run_job, sweep_jobs
from tests.faults.harness import MEDIA, Content, House, KillWorld, connected_to, read_tables
from tests.kit.processes import kill_session, wait_until
from tests.kit.workbooks import xlsx

FIRST_DAY = date(2026, 1, 5)
DAYS, ROWS = 3, 150  # of the small file; the large one has so many rows that its COPY can be caught
LARGE = 20_000
BAD = 3  # rows that a file has besides, when it has any
IMPORTS = {"IMPORT_HEARTBEAT_TIMEOUT": 2, "IMPORT_ATTEMPTS": 50}

CONTENT = {
    "days": """
        SELECT o.source, o.date, c.digest, c.lines, c.quantity, c.amount, c.cost, c.gross_profit
        FROM sales_dayowner o JOIN sales_dayclaim c ON c.id = o.claim_id ORDER BY 1, 2""",
    "lines": """
        SELECT l.date, l.row, l.product_code, l.brand, l.quantity, l.amount, l.cost, l.gross_profit
        FROM sales_dayowner o JOIN sales_dayclaim c ON c.id = o.claim_id
        JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id ORDER BY 1, 2, 3""",
    "totals": """
        SELECT date, dimension, key, lines, quantity, amount, cost, gross_profit FROM sales_daytotal
        ORDER BY 1, 2, 3""",
    "months": """
        SELECT month, dimension, key, lines, quantity, amount, cost, gross_profit FROM sales_monthtotal
        ORDER BY 1, 2, 3""",
    "all lines": "SELECT date, count(*), sum(amount) FROM sales_salesline GROUP BY 1 ORDER BY 1",
    "claims": "SELECT date, count(*) FROM sales_dayclaim WHERE undone_at IS NULL GROUP BY 1 ORDER BY 1",
}


@functools.cache
def report(rows: int, factor: int, bad: int = 0) -> bytes:
    """A daily report without brands, for which the catalogue is asked. `factor` makes another day's figures of it.

    `bad` rows at its end cannot be read.
    """
    made: list[list[Any]] = [["日期", "品號", "品名", "數量", "業績", "成本", "PM"]]
    for number in range(rows):
        day = FIRST_DAY + timedelta(days=number % DAYS)
        amount = 100 + number % 37
        made.append([day, f"P{number % 50:05}", "商品", factor, factor * amount, amount / 2, f"PM{number % 4}"])
    made += [[FIRST_DAY, "P00000", "商品", "很多", 100, 50, "PM0"] for _ in range(bad)]
    return xlsx(made)


def content() -> Content:
    """What people would find, without ids and times."""
    return read_tables(CONTENT)


def make(file: bytes, *, dispatch: bool, on_error: str = Job.OnError.REJECT) -> Job:
    """A job for an upload."""
    return create_job(
        job_type="daily_sales",
        source=Job.Source.UPLOAD,
        file_name="日報.xlsx",
        content=io.BytesIO(file),
        user=None,
        on_error=on_error,
        dispatch=dispatch,
    )


@dataclass(frozen=True)
class Prepared:
    """Databases to copy, and what people find in them."""

    first: str  # a report is in force
    both: str  # and was superseded
    before: Content
    after: Content
    job: int  # the one that superseded


def prepared(house: House, rows: int) -> Prepared:
    """Import both reports, of so many rows, undisturbed."""
    made: Prepared = house.once(("reports", rows), lambda: _prepare(house, rows))
    return made


def _prepare(house: House, rows: int) -> Prepared:
    first, both = f"first_{rows}", f"both_{rows}"
    found = []
    for name, template, factor in ((first, house.crawled.template, 1), (both, first, 2)):
        house.copy(template, name)
        with connected_to(house.address(name)):
            job = run_job(make(report(rows, factor), dispatch=False).pk)
            assert job is not None
            assert job.status == "succeeded", job.message
            found.append(content())
    before, after = found
    assert all(before[name] != after[name] for name in CONTENT)
    return Prepared(first, both, before, after, job.pk)


class ImportWorld(KillWorld):
    """With workers that import; `more` are variables of their environment."""

    queues = "default,imports"

    def __init__(self, house: House, rows: int = ROWS, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(house)
        self.rows = rows
        self.prepared = prepared(house, rows)
        self.before, self.after = self.prepared.before, self.prepared.after
        self.more = IMPORTS | dict(more or {})

    def environment(self) -> dict[str, str]:
        """With folders in the house, where what a killed process leaves of its files is deleted."""
        found = super().environment() | {"MEDIA_ROOT": str(media(self.house)), "TMPDIR": str(self.house.folder)}
        return found | {name: str(value) for name, value in self.more.items()}

    # --- Moments ----------------------------------------------------------------------------------------------------

    def waits(self, condition: str) -> bool:
        """Whether a session of another's waits for a lock in a statement of which `condition` holds."""
        return self._others(f"wait_event_type = 'Lock' AND {condition}") > 0

    def await_silence(self) -> None:
        """Return once PostgreSQL has ended whatever the dead left behind in it."""
        wait_until(lambda: not self._others("backend_type = 'client backend'"), "the sessions of the dead to end")

    @staticmethod
    def _others(condition: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
            )
            return cursor.fetchone()[0]

    # --- Job --------------------------------------------------------------------------------------------------------

    def start(self, *, bad: int = 0, on_error: str = Job.OnError.REJECT) -> Job:
        """Upload the report that supersedes; `bad` of its rows cannot be read."""
        return make(report(self.rows, 2, bad), dispatch=True, on_error=on_error)

    def recover(self, job: Job) -> None:
        """Sweep, as the schedule does, until the job has ended."""

        def ended() -> bool:
            sweep_jobs()
            job.refresh_from_db()
            return job.status not in ("pending", "running")

        wait_until(ended, f"import {job.pk} to end", every=0.2)

    def assert_nothing_counts(self) -> None:
        assert content() == self.before
        assert not JobError.objects.exists()

    def assert_as_if_nothing_had_happened(self, job: Job, *, bad: int = 0) -> None:
        assert (job.status, job.progress) == ("succeeded", 100), job.message
        assert (job.total_rows, job.updated, job.skipped) == (self.rows + bad, self.rows, bad)
        self.assert_errors(job, bad)
        assert content() == self.after

    def assert_errors(self, job: Job, bad: int) -> None:
        """Each bad row, which are the last ones, is reported once."""
        assert job.error_count == bad
        rows = list(JobError.objects.order_by("row").values_list("job", "row", "value"))
        first = self.rows + 2  # rows count from 1, and the header is one
        assert rows == [(job.pk, first + number, "很多") for number in range(bad)]


def media(house: House) -> Path:
    """Where the uploads of a house lie."""
    return house.folder / MEDIA


def kill_all(world: ImportWorld) -> None:
    """As when a container goes: the worker and its pool at once."""
    for worker in world.workers:
        kill_session(worker)
    world.workers.clear()


def kill_pool(world: ImportWorld) -> None:
    """The pool's process, as the kernel does when memory runs out: the worker itself lives on."""
    for worker in world.workers:
        for child in psutil.Process(worker.pid).children():
            child.kill()


def kill_postgres(world: ImportWorld) -> None:
    server = world.house.services.postgres
    family = psutil.Process(server.pid()).children()
    world.house.kill_postgres()
    connection.close()
    wait_until(lambda: not any(alive(process) for process in family), "PostgreSQL's processes to follow their parent")
    # The dead have a number until the machine's first process buries them, which may take seconds; for as long, the
    # next server would believe this file.
    (server.home / "data" / "postmaster.pid").unlink(missing_ok=True)
    world.house.restart_postgres()


def alive(process: psutil.Process) -> bool:
    """Whether it still does anything."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


KILLS: dict[str, Callable[[ImportWorld], None]] = {"all": kill_all, "pool": kill_pool, "postgres": kill_postgres}


def strike(world: ImportWorld, how: str) -> None:
    KILLS[how](world)
    if how == "all":
        world.start_worker()


@contextlib.contextmanager
def import_settings(house: House, blocker: DjangoDbBlocker, settings: Any) -> Iterator[None]:
    """What this process needs to work in such a world; `settings` is pytest-django's."""
    settings.MEDIA_ROOT = media(house)
    for name, value in IMPORTS.items():
        setattr(settings, name, value)
    with blocker.unblock():
        yield

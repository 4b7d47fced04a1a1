"""How far a job is, told while it works: written beside its transactions, at most twice a second."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from types import TracebackType

import psycopg
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from momo.jobs.models import Job

logger = logging.getLogger(__name__)

SECONDS = 0.5
# Percent that are done when a stage begins, by how long the stages take; publishing moves on with its COPY.
BEGINS = {Job.Stage.READING: 5, Job.Stage.CHECKING: 40, Job.Stage.PUBLISHING: 60}
PUBLISHING_ENDS = 95

Show = Callable[[Job], None]


class Reporter:
    """Writes stage, progress and heartbeat of a claimed job from a thread with a database connection of its own.

    What it writes is seen while the publishing transaction is open, since that does not touch the job's row before its
    end. It writes only while the job is ours and running. `show` is called with the job whenever it got further; it may
    be called from the thread.
    """

    def __init__(self, job: Job, show: Show | None = None) -> None:
        self.job = job
        self.show = show
        self._publisher: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"import-{job.pk}", daemon=True)

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        # It may wait for a server that is gone; it does no harm then.
        self._thread.join(timeout=5)

    def enter(self, stage: Job.Stage, *, total_rows: int | None = None, publisher: int | None = None) -> None:
        """A stage begins. `publisher` is the server process that will COPY `total_rows` rows."""
        if total_rows is not None:
            self.job.total_rows = total_rows
        self.job.stage, self.job.progress = stage, BEGINS[stage]
        self._publisher = publisher
        if self.show:
            self.show(self.job)

    def _work(self) -> None:
        try:
            while not self._stop.wait(SECONDS):
                try:
                    self._look()
                    self._write()
                except (DatabaseError, psycopg.Error) as error:
                    logger.warning("progress of import %s is not written: %s", self.job.pk, error)
                    self._hang_up()
        finally:
            self._hang_up()

    @staticmethod
    def _hang_up() -> None:
        with contextlib.suppress(DatabaseError, psycopg.Error):
            connection.close()

    def _look(self) -> None:
        """Rows that the publishing COPY has taken so far: PostgreSQL tells it of a transaction that is still open."""
        if self._publisher is None:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tuples_processed FROM pg_stat_progress_copy WHERE pid = %s ORDER BY 1 DESC", [self._publisher]
            )
            found = cursor.fetchone()
        job = self.job
        if found and found[0] > job.processed_rows:
            job.processed_rows = min(found[0], job.total_rows)
            span = PUBLISHING_ENDS - BEGINS[Job.Stage.PUBLISHING]
            job.progress = BEGINS[Job.Stage.PUBLISHING] + span * job.processed_rows // max(job.total_rows, 1)
            if self.show:
                self.show(job)

    def _write(self) -> None:
        job = self.job
        Job.objects.filter(pk=job.pk, attempt=job.attempt, status=Job.Status.RUNNING).update(
            stage=job.stage,
            progress=job.progress,
            total_rows=job.total_rows,
            processed_rows=job.processed_rows,
            heartbeat_at=timezone.now(),
        )

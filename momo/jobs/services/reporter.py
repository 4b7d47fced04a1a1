"""Progress of a running job: written beside its transactions, at most twice a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from momo.core.work import Heartbeat
from momo.jobs.models import Job

SECONDS = 0.5
# Percent at which a stage begins, by how long the stages take; publishing advances with its COPY.
BEGINS = {Job.Stage.READING: 5, Job.Stage.CHECKING: 40, Job.Stage.PUBLISHING: 60}
PUBLISHING_ENDS = 95

Show = Callable[[Job], None]


class Reporter(Heartbeat):
    """Writes stage and progress of a claimed job with its heartbeat.

    They are seen while the publishing transaction is open, since that does not touch the job's row before its end.
    `show` is called with the job whenever it advances; also from the heartbeat's thread.
    """

    def __init__(self, job: Job, show: Show | None = None) -> None:
        super().__init__(job, seconds=SECONDS)
        self.job = job
        self.show = show
        self._publisher: int | None = None

    def enter(self, stage: Job.Stage, *, total_rows: int | None = None, publisher: int | None = None) -> None:
        """Begin a stage. `publisher` is the pid of the server process that will COPY `total_rows` rows."""
        if total_rows is not None:
            self.job.total_rows = total_rows
        self.job.stage, self.job.progress = stage, BEGINS[stage]
        self._publisher = publisher
        if self.show:
            self.show(self.job)

    def values(self) -> dict[str, Any]:
        """Return stage and progress, once the rows that COPY has taken are counted."""
        self._count_copied()
        return {name: getattr(self.job, name) for name in ("stage", "progress", "total_rows", "processed_rows")}

    def _count_copied(self) -> None:
        """PostgreSQL shows the progress of a COPY even of a transaction that is still open."""
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

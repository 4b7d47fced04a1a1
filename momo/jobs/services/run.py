"""One job: claimed, read, checked, and published in one transaction in which it becomes succeeded.

Until that transaction commits nothing of the job counts; afterwards all of it does. So a worker may die at any moment,
and so may PostgreSQL: the watch gives the job to somebody else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from momo.jobs.importers import Importer, ImportRefused, RowError, Table, importer_for
from momo.jobs.models import Job, JobError
from momo.jobs.services.fetch import fetch_file
from momo.jobs.services.reading import errors_of, no_collector, read_report, table_of
from momo.jobs.services.reporter import Reporter, Show
from momo.jobs.services.told import ERRORS_TOLD, tell_end
from momo.jobs.services.watch import silent_since, worn_out
from momo.rest.errors import ApiError
from momo.sheets.errors import SheetError

logger = logging.getLogger(__name__)

# The server is away, or had to choose a victim: the same may work in a moment.
TRANSIENT = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
# Their texts are for people.
REFUSALS = (SheetError, ImportRefused, ApiError, ValidationError)
ERROR_COLUMNS = {"column": 100, "value": 200, "message": 300}  # and how long their texts may be


class TakenOver(RuntimeError):
    """Another worker took the job while we were silent, or it ended; what we did is dropped."""


class Cancelled(RuntimeError):
    """Somebody asked for it."""


def claim_job(job_id: int) -> Job | None:
    """Take a job that nobody works on; None if somebody does, or it has ended.

    The attempt number goes up, so that whatever an earlier worker still does comes to nothing.
    """
    now = timezone.now()
    free = Q(status=Job.Status.PENDING) | Q(status=Job.Status.RUNNING, heartbeat_at__lt=silent_since(now))
    taken = Job.objects.filter(free, pk=job_id).update(
        status=Job.Status.RUNNING,
        stage=Job.Stage.READING,
        attempt=F("attempt") + 1,
        heartbeat_at=now,
        started_at=Coalesce("started_at", now),
        progress=0,
        total_rows=0,
        processed_rows=0,
        message="",
    )
    return Job.objects.get(pk=job_id) if taken else None


def run_job(job_id: int, on_progress: Show | None = None) -> Job | None:
    """Bring a job to its end and return it; None if there was nothing to do for us, or the database is away.

    `on_progress` is called with the job when it got further, also from another thread. A deadlock or a lost connection
    is tried again, up to IMPORT_ATTEMPTS times in all; then the job has failed.
    """
    while (job := claim_job(job_id)) is not None:
        try:
            if job.attempt > settings.IMPORT_ATTEMPTS:
                _end(job, status=Job.Status.FAILED, message=worn_out(job.attempt - 1))
            else:
                _attempt(job, on_progress)
        except TakenOver:
            logger.warning("import %s was taken over by another worker", job.pk)
            return None
        except TRANSIENT as error:
            logger.warning("import %s, attempt %s: %s", job.pk, job.attempt, error)
            _hang_up()
            if not _give_back(job):
                return None
        except (KeyboardInterrupt, SystemExit):
            # Whoever starts again, often within seconds, need not wait until we count as silent.
            _give_back(job)
            raise
        else:
            job.refresh_from_db()
            return job
    return None


def _mine(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, attempt=job.attempt, status=Job.Status.RUNNING)


def _give_back(job: Job) -> bool:
    """Leave a job that is still ours to whoever comes next. False if not even that works; the watch will see."""
    try:
        _mine(job).update(status=Job.Status.PENDING, stage=Job.Stage.QUEUED, progress=0, heartbeat_at=None)
    except TRANSIENT:
        _hang_up()
        return False
    return True


def _hang_up() -> None:
    """The next attempt begins with a connection that works."""
    if not connection.in_atomic_block:
        connection.close()


def _attempt(job: Job, on_progress: Show | None) -> None:
    """One attempt, to an end that is written. Raises TakenOver, and TRANSIENT errors of the database."""
    with Reporter(job, on_progress) as reporter:
        try:
            with no_collector():
                _work(job, reporter)
        except Cancelled:
            _end(job, status=Job.Status.CANCELLED, message="已取消")
        except REFUSALS as error:
            text = "；".join(error.messages) if isinstance(error, ValidationError) else str(error)
            _end(job, status=Job.Status.FAILED, message=text)
        except (TakenOver, *TRANSIENT):
            raise
        except Exception:
            logger.exception("import %s (%s) failed", job.pk, job.job_type)
            _end(
                job,
                status=Job.Status.FAILED,
                message=f"系統發生錯誤，資料沒有任何變動；請把匯入編號 {job.pk} 提供給管理員",
            )


def _work(job: Job, reporter: Reporter) -> None:
    importer = importer_for(job.job_type)
    if importer is None:
        raise ImportRefused(f"系統沒有這種匯入：{job.job_type}")
    reporter.enter(Job.Stage.READING)
    _go_on(job)
    if not job.file:
        fetch_file(job)
    table = _read(job, importer)
    _go_on(job)
    reporter.enter(Job.Stage.CHECKING, total_rows=len(table.numbers))
    importer.check(table)
    errors = errors_of(table)
    _go_on(job)
    if errors and job.on_error == Job.OnError.REJECT:
        message = f"有 {len(errors)} 個錯誤，整份都沒有匯入；請修正後重新上傳，或在重試時選擇「略過有錯的列」"
        _end(job, status=Job.Status.FAILED, message=message, errors=errors)
        return
    bad = len(table.bad)
    table.keep_good()
    if not table.numbers:
        message = "每一列都有錯，沒有可以匯入的資料" if bad else "檔案裡沒有資料列"
        _end(job, status=Job.Status.FAILED, message=message, errors=errors)
        return
    _publish(job, importer, table, reporter=reporter, errors=errors, bad=bad)


def _read(job: Job, importer: Importer) -> Table:
    """The raw cells are gone when this returns."""
    path = Path(job.file.path)
    if not path.is_file():
        raise ImportRefused("檔案已經不在了，請重新上傳")
    report = read_report(path, name=job.file_name, importer=importer)
    job.sheet = clean(report.sheet)[:255]
    return table_of(report, importer)


def _go_on(job: Job) -> None:
    """Between two stages. Raises Cancelled, TakenOver."""
    cancel = _mine(job).values_list("cancel_requested", flat=True).first()
    if cancel is None:
        raise TakenOver
    if cancel:
        raise Cancelled


def _publish(
    job: Job, importer: Importer, table: Table, *, reporter: Reporter, errors: Sequence[RowError], bad: int
) -> None:
    """Rows, errors and the job's end in one transaction. Raises Cancelled, TakenOver."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            reporter.enter(Job.Stage.PUBLISHING, publisher=cursor.fetchone()[0])
        outcome = importer.publish(job, table)
        left = f"，略過 {bad} 列有錯的資料" if bad else ""
        if table.others:
            left += f"；另有工作表「{'」、「'.join(table.others)}」沒有匯入"
        values = {
            "created": outcome.created,
            "updated": outcome.updated,
            "skipped": outcome.skipped + bad,
            "result": dict(outcome.result),
            "progress": 100,
            "processed_rows": job.total_rows,
        }
        # The job's row last: until here its progress is written beside this transaction.
        ended = _mine(job).filter(cancel_requested=False)
        message = str(outcome.result.get("message") or f"匯入 {len(table.numbers)} 列") + left
        if not _close(ended, job, Job.Status.SUCCEEDED, message, errors, values | {"stage": Job.Stage.DONE}):
            _go_on(job)  # says why not
            raise TakenOver


def _end(job: Job, *, status: Job.Status, message: str, errors: Sequence[RowError] = ()) -> None:
    """End a job of which nothing counts; its stage is the one that it came to. Raises TakenOver."""
    with transaction.atomic():
        if not _close(_mine(job), job, status, message, errors, {"processed_rows": 0}):
            raise TakenOver


def _close(
    rows: Any, job: Job, status: Job.Status, message: str, errors: Sequence[RowError], values: Mapping[str, Any]
) -> bool:
    """Write the end of a job, if `rows` still has it, with its first errors, and tell people of it.

    In the caller's transaction.
    """
    now = timezone.now()
    end = {
        "status": status,
        "stage": job.stage,
        "sheet": job.sheet,
        "total_rows": job.total_rows,
        "error_count": len(errors),
        "message": clean(message),
        "finished_at": now,
        "heartbeat_at": now,
        **values,
    }
    if not rows.update(**end):
        return False
    if errors:
        _copy_errors(job.pk, errors[: settings.IMPORT_MAX_ERRORS])
    # Of the job itself only what is committed may be seen.
    ended = copy(job)
    for name, value in end.items():
        setattr(ended, name, value)
    tell_end(ended, errors[:ERRORS_TOLD])
    return True


def clean(text: str) -> str:
    """Text as PostgreSQL takes it, whatever a cell held."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _copy_errors(job_id: int, errors: Sequence[RowError]) -> None:
    names = ", ".join(f'"{name}"' for name in ("job_id", "row", *ERROR_COLUMNS))
    table = JobError._meta.db_table
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for error in errors:
            texts = [clean(getattr(error, name))[:length] for name, length in ERROR_COLUMNS.items()]
            copy.write_row([job_id, error.row, *texts])

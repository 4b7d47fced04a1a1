"""Runs one job: claimed, read, checked, and published in one transaction in which it becomes succeeded.

Until that transaction commits nothing of the job counts; afterwards all of it does. So a worker or PostgreSQL may die
at any moment: the sweep gives the job to another worker.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from momo.core.errors import ServiceError
from momo.core.texts import storable
from momo.core.work import TRANSIENT, TakenOver, run_work
from momo.jobs.importers import Importer, ImportRefused, LossUnconfirmed, RowError, Table, importer_for
from momo.jobs.models import Job, JobError
from momo.jobs.services.fetch import fetch_file
from momo.jobs.services.notify import notify_end
from momo.jobs.services.reading import no_collector, read_file, table_of
from momo.jobs.services.reporter import Reporter, Show
from momo.sheets.errors import SheetError, UnknownColumns
from momo.sheets.notes import texts

logger = logging.getLogger(__name__)

# Errors whose texts are written for people.
REFUSALS = (SheetError, ImportRefused, ServiceError, ValidationError)
ERROR_COLUMNS = {"sheet": 255, "column": 100, "value": 200, "message": 300}  # characters that each keeps


@dataclass(frozen=True)
class Errors:
    """How many errors a file has, and the first of them by row, which are kept."""

    count: int
    first: Sequence[RowError]


NO_ERRORS = Errors(0, ())


class Cancelled(RuntimeError):
    """Somebody cancelled the job."""


def run_job(job_id: int, *, on_progress: Show | None = None) -> Job | None:
    """Run a job to its end and return it; None if there was nothing to do for this worker, or the database is away.

    `on_progress` is called with the job whenever it advances, also from another thread. A deadlock or a lost connection
    starts another attempt, up to IMPORT_ATTEMPTS in all; then the job has failed.
    """
    return run_work(Job.objects.all(), job_id, attempt=lambda job: _attempt(job, on_progress), end=end_unfinished)


def end_unfinished(job: Job, attempts: int) -> None:
    """End a job that is not tried again: it was cancelled, or `attempts` were made in vain. Raises TakenOver."""
    if job.cancel_requested:
        _end(job, status=Job.Status.CANCELLED, message="已取消")
    else:
        _end(job, status=Job.Status.FAILED, message=attempts_exhausted_message(attempts))


def attempts_exhausted_message(attempts: int) -> str:
    """Return the message of a job that failed because its attempts were used up."""
    return f"試了 {attempts} 次都沒有完成，資料沒有任何變動；請再試一次，若仍失敗請通知管理員"


def _attempt(job: Job, on_progress: Show | None) -> None:
    """Make one attempt and write its outcome. Raises TakenOver, and TRANSIENT errors of the database."""
    with Reporter(job, on_progress) as reporter:
        try:
            with no_collector():
                _work(job, reporter)
        except Cancelled:
            _end(job, status=Job.Status.CANCELLED, message="已取消")
        except REFUSALS as error:
            text = "；".join(error.messages) if isinstance(error, ValidationError) else str(error)
            _end(job, status=Job.Status.FAILED, message=text, **_refusal(error))
        except (TakenOver, *TRANSIENT):
            raise
        except Exception:
            logger.exception("import %s (%s) failed", job.pk, job.job_type)
            _end(
                job,
                status=Job.Status.FAILED,
                message=f"系統發生錯誤，資料沒有任何變動；請把匯入編號 {job.pk} 提供給管理員",
            )


def _refusal(error: Exception) -> dict[str, Any]:
    """What a failed job keeps so that people can go on: headers to be mapped."""
    if isinstance(error, UnknownColumns):
        return {"result": {"headers": [storable(header) for header in error.headers], "found": error.found}}
    return {}


def _work(job: Job, reporter: Reporter) -> None:
    importer = importer_for(job.job_type)
    if importer is None:
        raise ImportRefused(f"系統沒有這種匯入：{job.job_type}")
    reporter.enter(Job.Stage.READING)
    _check_wanted(job)
    if not job.file:
        fetch_file(job)
    table = _read(job, importer)
    _check_wanted(job)
    reporter.enter(Job.Stage.CHECKING, total_rows=len(table.numbers))
    importer.check(table)
    errors = Errors(table.error_count, table.first_errors())
    _check_wanted(job)
    if errors.count and job.on_error == Job.OnError.REJECT:
        message = f"有 {errors.count} 個錯誤，整份都沒有匯入；請修正後重新上傳，或在重試時選擇「略過有錯的列」"
        _end(job, status=Job.Status.FAILED, message=message, errors=errors)
        return
    bad = len(table.bad)
    table.keep_good()
    if not table.numbers:
        message = "每一列都有錯，沒有可以匯入的資料" if bad else "檔案裡沒有資料列"
        _end(job, status=Job.Status.FAILED, message=message, errors=errors)
        return
    try:
        _publish(job, importer, table, reporter=reporter, errors=errors, bad=bad)
    except LossUnconfirmed as loss:
        # With what may explain the loss: bad rows, lines that are no data, sheets that were not read.
        left = "；".join(_left_out(job, table, bad))
        message = f"{loss}讀檔時{left}。" if left else str(loss)
        result = {"days": loss.days, **_notes(table)}
        _end(job, status=Job.Status.FAILED, message=message, errors=errors, held=True, result=result)


def _left_out(job: Job, table: Table, bad: int) -> list[str]:
    """Return phrases on what of the file is not imported, and on what is although it cannot be seen."""
    left = [f"略過 {bad} 列有錯的資料"] if bad else []
    if table.others:
        left.append(f"另有工作表「{'」、「'.join(table.others)}」沒有匯入")
    if table.hidden:
        left.append(f"{'沒有匯入' if job.skip_hidden else '含'}隱藏的 {table.hidden:,} 列")
    return left


def _notes(table: Table, found: Sequence[str] = ()) -> dict[str, Any]:
    """What the importer `found`, and what reading did to the file, for the job's result."""
    notes = [storable(text) for text in (*found, *texts(table.notes))]
    return {"notes": notes} if notes else {}


def _read(job: Job, importer: Importer) -> Table:
    """Read and convert the file, in a process of its own that has ended when this returns."""
    path = Path(job.file.path)
    if not path.is_file():
        raise ImportRefused("檔案已經不在了，請重新上傳")
    readings = read_file(
        path, name=job.file_name, importer=importer, sheets=job.wanted_sheets, skip_hidden=job.skip_hidden
    )
    job.sheet = storable(readings[0].report.sheet)[:255]
    return table_of(readings, skip_hidden=job.skip_hidden)


def _check_wanted(job: Job) -> None:
    """Between two stages. Raises Cancelled, TakenOver."""
    cancel = job.mine().values_list("cancel_requested", flat=True).first()
    if cancel is None:
        raise TakenOver
    if cancel:
        raise Cancelled


def _publish(job: Job, importer: Importer, table: Table, *, reporter: Reporter, errors: Errors, bad: int) -> None:
    """Publish the rows, with the errors and the end of the job, in one transaction. Raises Cancelled, TakenOver."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            reporter.enter(Job.Stage.PUBLISHING, publisher=cursor.fetchone()[0])
        outcome = importer.publish(job, table)
        done = str(outcome.result.get("message") or f"匯入 {len(table.numbers)} 列")
        left = "；".join(_left_out(job, table, bad))
        message = f"{done}，{left}" if left else done
        # The job's row last: until here its progress is written beside this transaction.
        _finish(
            job,
            status=Job.Status.SUCCEEDED,
            stage=Job.Stage.DONE,
            message=message,
            errors=errors,
            created=outcome.created,
            updated=outcome.updated,
            skipped=outcome.skipped + bad,
            result={**outcome.result, **_notes(table, outcome.result.get("notes", ()))},
            progress=100,
            processed_rows=job.total_rows,
        )


def _end(job: Job, *, status: Job.Status, message: str, errors: Errors = NO_ERRORS, **values: Any) -> None:
    """End a job of which nothing counts, in the stage that it reached. Raises TakenOver."""
    with transaction.atomic():
        _finish(job, status=status, stage=job.stage, message=message, errors=errors, processed_rows=0, **values)


def _finish(job: Job, *, status: Job.Status, message: str, errors: Errors, **values: Any) -> None:
    """Write the end of a job with its first errors, and notify. In the caller's transaction.

    Raises TakenOver, and Cancelled instead of letting a job succeed that somebody has cancelled.
    """
    now = timezone.now()
    values |= {
        "status": status,
        "sheet": job.sheet,
        "total_rows": job.total_rows,
        "error_count": errors.count,
        "message": storable(message),
        "finished_at": now,
        "heartbeat_at": now,
    }
    rows = job.mine().filter(cancel_requested=False) if status == Job.Status.SUCCEEDED else job.mine()
    if not rows.update(**values):
        _check_wanted(job)
        raise TakenOver
    if errors.first:
        _copy_errors(job.pk, errors.first)
    # `job` itself may show only what is committed: another thread reports its progress.
    ended = copy(job)
    for name, value in values.items():
        setattr(ended, name, value)
    notify_end(ended, errors.first)


def _copy_errors(job_id: int, errors: Sequence[RowError]) -> None:
    names = ", ".join(f'"{name}"' for name in ("job_id", "row", *ERROR_COLUMNS))
    table = JobError._meta.db_table
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for error in errors:
            texts = [storable(getattr(error, name))[:length] for name, length in ERROR_COLUMNS.items()]
            copy.write_row([job_id, error.row, *texts])

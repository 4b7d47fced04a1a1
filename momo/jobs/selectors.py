"""Reads of jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from momo.core.errors import NotFound
from momo.jobs.errors import grouped
from momo.jobs.importers import RowError
from momo.jobs.models import ColumnAlias, Job

ERRORS_SHOWN = 100


def jobs() -> QuerySet[Job]:
    """Return all jobs, the newest first."""
    return Job.objects.order_by("-pk")


def has_jobs() -> bool:
    """Whether anything was ever imported, or tried to be."""
    return Job.objects.exists()


def unfinished_jobs() -> QuerySet[Job]:
    """Return the imports that wait or run, the newest first."""
    return Job.objects.filter(status__in=Job.UNFINISHED).order_by("-pk")


def job_by_id(job_id: int) -> Job:
    """Return a job. Raises NotFound."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound("找不到這個匯入")
    return job


def aliases_of(job_type: str) -> dict[str, list[str]]:
    """Return the headers that staff teach, by field."""
    taught: dict[str, list[str]] = defaultdict(list)
    for field, alias in ColumnAlias.objects.filter(job_type=job_type).values_list("field", "alias"):
        taught[field].append(alias)
    return dict(taught)


def versions_known(file_ids: Collection[str]) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return (id, version) of the newest job of each Drive file, and (id, revision) of all its jobs.

    Jobs count however they ended: an undone or cancelled import is not repeated by the schedule.
    """
    rows = _revisions(Job.objects.filter(drive_file_id__in=file_ids))
    return _newest(rows), set(rows)


def versions_imported(file_ids: Collection[str]) -> set[tuple[str, str]]:
    """Return (id, version) of Drive files: for each the last import that is in force."""
    return _newest(_revisions(Job.objects.filter(drive_file_id__in=file_ids, status=Job.Status.SUCCEEDED)))


def last_job_type(file_id: str) -> str:
    """Return the kind of the last import of a Drive file; empty when there is none."""
    kinds = Job.objects.filter(drive_file_id=file_id).exclude(job_type="").order_by("-pk")
    return kinds.values_list("job_type", flat=True).first() or ""


def _revisions(rows: QuerySet[Job]) -> list[tuple[str, str]]:
    return list(rows.order_by("pk").values_list("drive_file_id", "drive_version"))


def _newest(rows: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the last version of each file. A revision begins with the version, see DriveFile."""
    return {(file_id, revision.partition(" ")[0]) for file_id, revision in dict(rows).items()}


def errors_url(job: Job) -> str | None:
    """Return the URL of the errors as a workbook: the marked file, or the list of errors for readers."""
    return f"/api/import/jobs/{job.pk}/errors" if job.error_count else None


def job_summary(job: Job) -> dict[str, Any]:
    """Return a job as lists show it."""
    return {
        "id": job.pk,
        "job_type": job.job_type,
        "source": job.source,
        "file_name": job.file_name,
        "status": job.status,
        "stage": job.stage,
        "progress": job.progress,
        "total_rows": job.total_rows,
        "processed_rows": job.processed_rows,
        "created": job.created,
        "updated": job.updated,
        "skipped": job.skipped,
        "error_count": job.error_count,
        "errors_url": errors_url(job),
        "result": job.result,
        "message": job.message,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "created_at": job.created_at,
        "held": job.held,
        "confirm_loss": job.confirm_loss,
    }


def job_as_dict(job: Job) -> dict[str, Any]:
    """Return a job as the API shows it, with its first 100 errors."""
    errors = list(job.errors.values("row", "column", "value", "message", "sheet")) if job.error_count else []
    groups = grouped([RowError(**error) for error in errors])[:ERRORS_SHOWN]
    return job_summary(job) | {"errors": errors[:ERRORS_SHOWN], "error_groups": [asdict(group) for group in groups]}


def imported_before(*, job_type: str, sha256: str) -> Job | None:
    """Return the last import of a file with this content that succeeded and was not undone."""
    same = Job.objects.filter(sha256=sha256, job_type=job_type, status=Job.Status.SUCCEEDED)
    return same.order_by("-pk").first()


def open_failures() -> QuerySet[Job]:
    """Return failed imports that somebody should look at: nobody has seen them, and no later import replaced them.

    A later import replaces one of the same kind and file name, or the same file of Drive, if it succeeded. To open the
    page of a held import is not to have seen it: somebody has to decide.
    """
    later = Job.objects.filter(job_type=OuterRef("job_type"), pk__gt=OuterRef("pk"), status=Job.Status.SUCCEEDED)
    # Two questions, since each has an index.
    same_name = Exists(later.filter(file_name=OuterRef("file_name")))
    same_file = Exists(later.filter(drive_file_id=OuterRef("drive_file_id")).exclude(drive_file_id=""))
    return Job.objects.filter(~same_name, ~same_file, status=Job.Status.FAILED, seen_at=None)


def open_failure_count() -> int:
    """Return the number of `open_failures`."""
    return open_failures().count()

"""What is read of jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from momo.jobs.models import ColumnAlias, Job
from momo.rest.errors import NotFound

ERRORS_SHOWN = 100


def jobs() -> QuerySet[Job]:
    """All of them, the newest first."""
    return Job.objects.order_by("-pk")


def job_by_id(job_id: int) -> Job:
    """Raises NotFound."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound("找不到這個匯入")
    return job


def aliases_of(job_type: str) -> dict[str, list[str]]:
    """Headers that staff have taught, by field."""
    taught: dict[str, list[str]] = defaultdict(list)
    for field, alias in ColumnAlias.objects.filter(job_type=job_type).values_list("field", "alias"):
        taught[field].append(alias)
    return dict(taught)


def versions_known(file_ids: Collection[str]) -> set[tuple[str, str]]:
    """(id, version) of files from Drive that have a job, however it ended; what people decided about them stays."""
    rows = Job.objects.filter(drive_file_id__in=file_ids).values_list("drive_file_id", "drive_version")
    return set(rows)


def versions_imported(file_ids: Collection[str]) -> set[tuple[str, str]]:
    """(id, version) of files from Drive whose import is in force."""
    rows = Job.objects.filter(drive_file_id__in=file_ids, status=Job.Status.SUCCEEDED)
    return set(rows.values_list("drive_file_id", "drive_version"))


def errors_url(job: Job) -> str | None:
    """Where all errors are as a workbook: the marked file, or for readers the list."""
    return f"/api/import/jobs/{job.pk}/errors" if job.error_count else None


def job_summary(job: Job) -> dict[str, Any]:
    """A job as lists show it."""
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
    }


def job_as_dict(job: Job) -> dict[str, Any]:
    """A job as the API tells it, with its first 100 errors."""
    errors = job.errors.values("row", "column", "value", "message") if job.error_count else Job.objects.none()
    return job_summary(job) | {"errors": list(errors[:ERRORS_SHOWN])}

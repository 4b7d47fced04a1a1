"""Changes that people make to a job: cancel, undo, retry."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, TextField, Value, When
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict
from momo.jobs.importers import importer_for
from momo.jobs.models import Job

RETRYABLE = (Job.Status.FAILED, Job.Status.CANCELLED)


def _name(user: User | None) -> str:
    return user.username if user is not None else ""


def cancel_job(*, job: Job, user: User | None = None) -> Job:
    """End a waiting job at once; a running job ends before its rows count.

    Raises Conflict when the job has ended.
    """
    waiting = Q(status=Job.Status.PENDING)
    # One statement, since the status may change from waiting to running, or back, at any moment.
    changed = Job.objects.filter(pk=job.pk, status__in=Job.UNFINISHED).update(
        cancel_requested=True,
        status=Case(When(waiting, then=Value(Job.Status.CANCELLED)), default=F("status")),
        message=Case(When(waiting, then=Value("已取消", TextField())), default=F("message")),
        finished_at=Case(When(waiting, then=Value(timezone.now())), default=F("finished_at")),
        result={**job.result, "cancelled_by": _name(user)},
    )
    if not changed:
        job.refresh_from_db()
        raise Conflict(f"這個匯入{job.get_status_display()}，不能取消")
    job.refresh_from_db()
    return job


def undo_job(*, job: Job, user: User | None = None) -> Job:
    """Undo a succeeded job. Raises Conflict for any other status, and when the importer cannot undo it."""
    with transaction.atomic():
        locked = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        if locked.status == Job.Status.UNDONE:
            raise Conflict("這個匯入已經復原過了")
        if locked.status != Job.Status.SUCCEEDED:
            raise Conflict(f"只有完成的匯入才能復原，這一個是「{locked.get_status_display()}」")
        importer = importer_for(locked.job_type)
        if importer is None:
            raise Conflict("系統已經沒有這種匯入，不能復原")
        undone: dict[str, Any] = {"by": _name(user), "at": timezone.localtime().isoformat()}
        undone |= importer.undo(locked)
        locked.status = Job.Status.UNDONE
        locked.result = {**locked.result, "undo": undone}
        locked.save(update_fields=["status", "result"])
    job.refresh_from_db()
    return job


def retry_job(
    *, job: Job, user: User | None = None, on_error: str | None = None, confirm_loss: bool | None = None
) -> Job:
    """Create a job on the file of one that failed or was cancelled; choices are the old one's unless given.

    With `confirm_loss` data in force may be replaced by much less of it, so that a held job is released.

    Raises Conflict for any other status, and when the file is no longer kept.
    """
    if job.status not in RETRYABLE:
        raise Conflict(f"只有失敗或取消的匯入才能重試，這一個是「{job.get_status_display()}」")
    if importer_for(job.job_type) is None:
        raise Conflict("系統不知道這是哪一種匯入，請直接上傳檔案並選擇類型")
    if not job.file and not job.drive_file_id:
        raise Conflict("檔案已超過保存期限，請重新上傳")
    with transaction.atomic():
        again = Job.objects.create(
            token=uuid.uuid4(),
            job_type=job.job_type,
            source=job.source,
            file_name=job.file_name,
            file=job.file.name,
            size=job.size,
            sha256=job.sha256,
            created_by=user,
            on_error=on_error or job.on_error,
            confirm_loss=job.confirm_loss if confirm_loss is None else confirm_loss,
            wanted_sheets=job.wanted_sheets,
            skip_hidden=job.skip_hidden,
            drive_file_id=job.drive_file_id,
            drive_version=job.drive_version,
            retry_of=job,
        )
        mark_seen(job=job)
        transaction.on_commit(again.enqueue)
    return again


def mark_seen(*, job: Job) -> None:
    """Record that a person knows of a failure, or wants nothing of a held import: neither is counted any more."""
    Job.objects.filter(pk=job.pk, status=Job.Status.FAILED, seen_at=None).update(seen_at=timezone.now())

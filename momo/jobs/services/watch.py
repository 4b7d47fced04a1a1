"""What is done for jobs that nobody works on."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from momo.jobs.models import Job
from momo.jobs.services.create import send_job
from momo.jobs.services.told import tell_end


def silent_since(now: datetime | None = None) -> datetime:
    """Who was last heard of before this moment counts as gone."""
    return (now or timezone.now()) - timedelta(seconds=settings.IMPORT_HEARTBEAT_TIMEOUT)


def worn_out(attempts: int) -> str:
    """What a job says that was begun too often."""
    return f"試了 {attempts} 次都沒有完成，資料沒有任何變動；請再試一次，若仍失敗請通知管理員"


def close_stale_jobs(*, now: datetime | None = None) -> list[Job]:
    """Take running jobs from workers that went silent; nothing of theirs counts.

    A job that was to be cancelled is; one that was begun IMPORT_ATTEMPTS times has failed; the others wait again.
    Returns those that changed.
    """
    now = now or timezone.now()
    changed = []
    for job in Job.objects.filter(status=Job.Status.RUNNING, heartbeat_at__lt=silent_since(now)):
        if job.cancel_requested:
            values = {"status": Job.Status.CANCELLED, "finished_at": now, "message": "已取消"}
        elif job.attempt >= settings.IMPORT_ATTEMPTS:
            values = {"status": Job.Status.FAILED, "finished_at": now, "message": worn_out(job.attempt)}
        else:
            values = {"status": Job.Status.PENDING, "heartbeat_at": None, "stage": Job.Stage.QUEUED, "progress": 0}
        # Somebody slow may still report, or another watch may have been quicker.
        same = Job.objects.filter(
            pk=job.pk, status=Job.Status.RUNNING, attempt=job.attempt, heartbeat_at__lt=silent_since(now)
        )
        with transaction.atomic():
            if same.update(**values):
                job.refresh_from_db()
                tell_end(job)
                changed.append(job)
    return changed


def send_waiting_jobs() -> int:
    """Send jobs that no worker was told of, or so long ago that the message must be lost. Returns how many."""
    waiting = Job.objects.filter(status=Job.Status.PENDING).filter(
        Q(heartbeat_at=None) | Q(heartbeat_at__lt=silent_since())
    )
    sent = 0
    for job in waiting.order_by("pk"):
        if not send_job(job):
            break
        sent += 1
    return sent

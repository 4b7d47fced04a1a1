"""A job begins: its file is kept, its row is there, and on commit the workers are told."""

from __future__ import annotations

import logging
import uuid
from typing import BinaryIO

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from accounts.models import User
from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.jobs.services.files import Stored, shown_name, storage, store_file
from momo.rest.errors import ValidationFailed

logger = logging.getLogger(__name__)

RUN_TASK = "jobs.run"


def check_request(*, job_type: str, on_error: str) -> None:
    """Raises ValidationFailed for a type that nobody registered, or an unknown way with errors."""
    fields = {}
    if job_type not in importers():
        fields["job_type"] = [f"沒有這種匯入；可用：{'、'.join(importers())}"]
    if on_error not in Job.OnError.values:
        fields["on_error"] = [f"請輸入 {' 或 '.join(Job.OnError.values)}"]
    if fields:
        raise ValidationFailed(fields=fields)


def create_job(
    *,
    job_type: str,
    source: str,
    file_name: str,
    content: BinaryIO | None,
    user: User | None,
    on_error: str = Job.OnError.REJECT,
    drive_file_id: str = "",
    drive_version: str = "",
    automatic: bool = False,
    dispatch: bool = True,
) -> Job:
    """Keep the file and open a job for it, which is sent to the workers on commit.

    Without `content` the worker fetches the file from Drive. With `automatic` a version of a file from Drive has one
    job at most. Without `dispatch` the caller runs the job itself. A broker that is away is no failure: the job waits
    until the watch can send it.

    Raises ValidationFailed for an unknown type and an empty file, PayloadTooLarge for one of more than
    IMPORT_MAX_BYTES, IntegrityError for a second automatic job.
    """
    check_request(job_type=job_type, on_error=on_error)
    token = uuid.uuid4()
    stored = Stored("", 0, "") if content is None else store_file(content, token=token)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                token=token,
                job_type=job_type,
                source=source,
                file_name=shown_name(file_name),
                file=stored.name,
                size=stored.size,
                sha256=stored.sha256,
                created_by=user,
                on_error=on_error,
                drive_file_id=drive_file_id,
                drive_version=drive_version,
                automatic=automatic,
                # As if just sent: the watch leaves it to the caller.
                heartbeat_at=None if dispatch else timezone.now(),
            )
            if dispatch:
                transaction.on_commit(lambda: send_job(job))
    except BaseException:
        if stored.name:
            storage().delete(stored.name)
        raise
    return job


def send_job(job: Job) -> bool:
    """Hand a waiting job to the workers and note when. False when the broker is away; the watch tries again."""
    try:
        current_app.send_task(RUN_TASK, args=[job.pk], task_id=f"import-{job.pk}-{job.attempt + 1}")
    except (BrokerError, RedisError, OSError) as error:
        logger.warning("import %s waits, the broker is away: %s", job.pk, error)
        return False
    Job.objects.filter(pk=job.pk, status=Job.Status.PENDING).update(heartbeat_at=timezone.now())
    return True

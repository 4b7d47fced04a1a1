"""Creates jobs: the file is stored, the row is written, and the task starts on commit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import ValidationFailed
from momo.core.texts import storable
from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.jobs.services.files import Stored, shown_name, storage, store_file


def check_request(*, job_type: str, on_error: str) -> None:
    """Check the choices of a request. Raises ValidationFailed for an unknown type, or an unknown `on_error`."""
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
    confirm_loss: bool = False,
    wanted_sheets: Sequence[str] = (),
    skip_hidden: bool = False,
    drive_file_id: str = "",
    drive_version: str = "",
    automatic: bool = False,
    dispatch: bool = True,
) -> Job:
    """Store the file and create a job for it, whose task starts on commit.

    Without `content` the worker fetches the file from Drive. With `automatic` a version of a file from Drive has one
    job at most. Without `dispatch` the caller runs the job itself. When the broker is away the job waits for the
    periodic sweep.

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
                confirm_loss=confirm_loss,
                wanted_sheets=list(map(storable, wanted_sheets)),
                skip_hidden=skip_hidden,
                drive_file_id=drive_file_id,
                drive_version=drive_version,
                automatic=automatic,
                # As if just sent: the sweep leaves it to the caller.
                heartbeat_at=None if dispatch else timezone.now(),
            )
            if dispatch:
                transaction.on_commit(job.enqueue)
    except BaseException:
        if stored.name:
            storage().delete(stored.name)
        raise
    return job

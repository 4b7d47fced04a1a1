"""Files that wait for a confirmation after their preview, where the preview cannot keep them itself: in a chat."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict
from momo.core.texts import storable
from momo.jobs.models import Job
from momo.jobs.services.changes import retry_job
from momo.jobs.services.create import create_job
from momo.jobs.services.reading import Preview

WAITS = "預覽後等待確認，還沒有匯入。"


def hold_job(*, job_type: str, source: str, file_name: str, content: bytes, user: User, seen: Preview) -> Job:
    """Store a file whose preview `seen` is being shown, as a held import: nothing runs until `confirm_job`.

    Rows with errors will be left out. The same file of the same user that already waits is not stored again. Raises as
    `create_job`.
    """
    known = Job.objects.filter(
        sha256=sha256(content).hexdigest(),
        job_type=job_type,
        created_by=user,
        status=Job.Status.FAILED,
        held=True,
        seen_at=None,
    )
    # One transaction: a job that waited as pending, however shortly, would be started by the sweep.
    with transaction.atomic():
        if waiting := known.order_by("-pk").first():
            return waiting
        job = create_job(
            job_type=job_type,
            source=source,
            file_name=file_name,
            content=BytesIO(content),
            user=user,
            on_error=Job.OnError.SKIP if seen.error_count else Job.OnError.REJECT,
            dispatch=False,
        )
        job.status, job.held, job.stage = Job.Status.FAILED, True, Job.Stage.CHECKING
        job.finished_at, job.total_rows = timezone.now(), seen.total
        job.message = storable("\n".join(filter(None, [WAITS, seen.warning(Job.OnError.SKIP), *seen.losses])))
        job.result = {"days": list(seen.days)}
        job.save()
    return job


def confirm_job(*, job: Job, user: User, confirm_loss: bool = False) -> Job:
    """Start a held import, and return the import that runs; one that was started before is that one.

    Raises Conflict when somebody has decided against it, or its file is gone.
    """
    with transaction.atomic():
        # Whoever confirms at the same time waits here, and finds the import that the first one started.
        locked = Job.objects.select_for_update().get(pk=job.pk)
        if started := locked.retries.order_by("pk").first():
            return started
        if not locked.held:
            raise Conflict(f"這個匯入不必確認，它是「{locked.get_status_display()}」")
        if locked.seen_at is not None:
            raise Conflict("這份檔案已決定不匯入；要匯入時請再傳一次")
        return retry_job(job=locked, user=user, confirm_loss=confirm_loss or None)

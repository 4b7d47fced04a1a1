"""Creates jobs for files of Google Drive: for a chosen file, and for each new file of the folder."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import NotFound, PayloadTooLarge, ServiceError, ValidationFailed
from momo.jobs.drive import DriveClient, DriveFile
from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.jobs.selectors import last_job_type, versions_known
from momo.jobs.services.create import create_job
from momo.jobs.services.files import shown_name
from momo.jobs.services.notify import notify_end
from momo.jobs.services.reading import fitting_importer
from momo.sheets.errors import SheetError

logger = logging.getLogger(__name__)

TRIES = 6  # synchronisations, every ten minutes, for which the files behind one that fails wait
_TRIES_KEPT = 30 * 86_400  # seconds; a schedule may synchronise as seldom as once a week


def import_from_drive(
    *,
    file_id: str,
    job_type: str,
    user: User | None,
    on_error: str = Job.OnError.REJECT,
    confirm_loss: bool = False,
    wanted_sheets: Sequence[str] = (),
    skip_hidden: bool = False,
) -> Job:
    """Create a job for a chosen file, however often it was imported before; the worker downloads it.

    Raises ValidationFailed for an unknown type, NotFound, UpstreamError, and Unavailable when Drive is not configured.
    """
    with DriveClient.from_settings() as client:
        file = client.get(file_id)
    return create_job(
        job_type=job_type,
        source=Job.Source.DRIVE,
        file_name=file.name,
        content=None,
        user=user,
        on_error=on_error,
        confirm_loss=confirm_loss,
        wanted_sheets=wanted_sheets,
        skip_hidden=skip_hidden,
        drive_file_id=file.id,
        drive_version=file.version,
    )


def sync_drive() -> list[Job]:
    """Create a job for each file of the folder whose version differs from that of its newest job.

    A version that returns after another counts again, once for each return; a mere touch does not.

    Does nothing when Drive is not configured. The oldest file comes first, since of two reports about one day the later
    one counts; so a file that fails for the moment holds up the files after it until the next time. A file that fails
    TRIES times becomes a failed job, and holds up no others. Raises DriveError when the folder cannot be listed.
    """
    if not (settings.GOOGLE_SERVICE_ACCOUNT_FILE and settings.GOOGLE_DRIVE_FOLDER_ID):
        return []
    made: list[Job] = []
    with DriveClient.from_settings() as client:
        files = sorted(client.all_files(), key=lambda file: (file.modified_at, file.id))
        known = versions_known([file.id for file in files])
        for file in files:
            # Read again, since another process may synchronise at the same time.
            if _is_known(file, *known) or _is_known(file, *versions_known([file.id])):
                continue
            try:
                job = _import(client, file)
            except ServiceError as error:
                if not getattr(error, "account", False) and _failures(file) >= TRIES:
                    job = _skip(file, error)
                else:
                    logger.warning("Drive file %s (%s) waits for the next time: %s", file.name, file.id, error)
                    if getattr(error, "transient", True):
                        break
                    continue
            if job is not None:
                made.append(job)
    return made


def _is_known(file: DriveFile, newest: Collection[tuple[str, str]], every: Collection[tuple[str, str]]) -> bool:
    return (file.id, file.version) in newest or (file.id, file.revision) in every


def _failures(file: DriveFile) -> int:
    """Return how often this revision has failed, this time included. A lost cache only makes the count start again."""
    key = f"drive-tries:{file.id}:{file.revision.replace(' ', ':')}"
    cache.add(key, 0, _TRIES_KEPT)
    try:
        return cache.incr(key) or 1
    except ValueError:  # evicted meanwhile
        return 1


def _import(client: DriveClient, file: DriveFile) -> Job | None:
    """Create a job for a version of a file, or a failed one with the reason; None when the version has a job.

    Two processes may synchronise at once, and each may die at any point: a unique constraint allows one row a revision.
    """
    with tempfile.NamedTemporaryFile(prefix="momo-drive-") as kept:
        content = cast(BinaryIO, kept)
        try:
            client.download(file, content)
            kept.flush()
            importer = fitting_importer(Path(kept.name), name=file.name)
        except (SheetError, PayloadTooLarge) as error:
            return _failed(file, str(error))
        except NotFound:
            return None  # removed since the folder was listed
        try:
            return create_job(
                job_type=importer.job_type,
                source=Job.Source.DRIVE,
                file_name=file.name,
                content=content,
                user=None,
                drive_file_id=file.id,
                drive_version=file.revision,
                automatic=True,
            )
        except IntegrityError:
            return None
        except (ValidationFailed, PayloadTooLarge) as error:
            return _failed(file, str(error))


def _skip(file: DriveFile, error: ServiceError) -> Job | None:
    """Create a failed job for a file that Drive does not hand out. It can be retried if its kind is known."""
    kinds = list(importers())
    job_type = last_job_type(file.id) or (kinds[0] if len(kinds) == 1 else "")
    again = (
        "請到後台開啟這個匯入，按「重試」"
        if job_type
        else f"請下載檔案後到後台上傳，或使用 POST /api/import/drive/import（file_id 為 {file.id}，並指定 job_type）"
    )
    message = (
        f"{error}。這個檔案連續 {TRIES} 次都無法下載，先略過它，之後的檔案照常匯入；檔案內容有更動時會自動再試。"
        f"問題排除後要匯入這一份，{again}；那時同一天的資料會以這一份為準。"
    )
    logger.warning("Drive file %s (%s) is skipped from now on: %s", file.name, file.id, error)
    return _failed(file, message, job_type=job_type)


def _failed(file: DriveFile, message: str, *, job_type: str = "") -> Job | None:
    """Create a failed job and notify, once for each revision; None when there is one."""
    now = timezone.now()
    try:
        with transaction.atomic():
            job = Job.objects.create(
                token=uuid.uuid4(),
                job_type=job_type,
                source=Job.Source.DRIVE,
                file_name=shown_name(file.name),
                status=Job.Status.FAILED,
                stage=Job.Stage.READING,
                message=message,
                drive_file_id=file.id,
                drive_version=file.revision,
                automatic=True,
                started_at=now,
                finished_at=now,
            )
            notify_end(job)
            return job
    except IntegrityError:
        return None

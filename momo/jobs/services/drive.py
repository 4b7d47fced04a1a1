"""Files of Google Drive become jobs: one that somebody chose, or each new one of the folder by itself."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from momo.jobs.drive import DriveClient, DriveFile
from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.jobs.selectors import last_job_type, versions_known
from momo.jobs.services.create import create_job
from momo.jobs.services.files import shown_name
from momo.jobs.services.reading import fitting_importer
from momo.jobs.services.told import tell_end
from momo.rest.errors import ApiError, NotFound, PayloadTooLarge, ValidationFailed
from momo.sheets.errors import SheetError

logger = logging.getLogger(__name__)

TRIES = 6  # looks at the folder, one each ten minutes, before those behind a file need not wait for it any longer
_TRIES_KEPT = 30 * 86_400  # seconds; a schedule may look as seldom as once a week


def import_from_drive(*, file_id: str, job_type: str, user: User | None, on_error: str = Job.OnError.REJECT) -> Job:
    """Open a job for a file that somebody chose; the worker fetches it, however often it was imported before.

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
        drive_file_id=file.id,
        drive_version=file.version,
    )


def sync_drive() -> list[Job]:
    """Open a job for each file of the folder whose version is not that of its newest job.

    So a version that comes back after another counts again, once for each time that it comes; a touch does not.

    Does nothing when Drive is not configured. The oldest comes first, since of two reports about one day the later one
    counts; so what fails for the moment holds up those after it until the next time. What fails TRIES times becomes a
    failed job and holds up nobody any more. Raises DriveError when the folder cannot be listed to its end.
    """
    if not (settings.GOOGLE_SERVICE_ACCOUNT_FILE and settings.GOOGLE_DRIVE_FOLDER_ID):
        return []
    made: list[Job] = []
    with DriveClient.from_settings() as client:
        files = sorted(client.all_files(), key=lambda file: (file.modified_at, file.id))
        known = versions_known([file.id for file in files])
        for file in files:
            # Asked again, as somebody else may look at the folder at the same time.
            if _is_known(file, *known) or _is_known(file, *versions_known([file.id])):
                continue
            try:
                job = _import(client, file)
            except ApiError as error:
                if not getattr(error, "account", False) and _tried(file) >= TRIES:
                    job = _give_up(file, error)
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


def _tried(file: DriveFile) -> int:
    """How often this revision has failed, this time included. A cache that is away or was lost makes it wait longer."""
    key = f"drive-tries:{file.id}:{file.revision.replace(' ', ':')}"
    cache.add(key, 0, _TRIES_KEPT)
    try:
        return cache.incr(key) or 1
    except ValueError:  # gone since
        return 1


def _import(client: DriveClient, file: DriveFile) -> Job | None:
    """A job for a version of a file, or one that failed and says why; None when there is one already.

    Two may look at the folder at once, and one may die at any point: the row decides, once for each revision.
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
            return None  # taken away since the list was made
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


def _give_up(file: DriveFile, error: ApiError) -> Job | None:
    """A failed job for what Drive does not hand out. Where its kind is clear people can try it again from there."""
    kinds = list(importers())
    job_type = last_job_type(file.id) or (kinds[0] if len(kinds) == 1 else "")
    again = (
        "請到後台開啟這個匯入，按「重試」"
        if job_type
        else f"請下載檔案後到後台上傳，或呼叫 POST /api/import/drive/import（file_id 為 {file.id}，並指定 job_type）"
    )
    message = (
        f"{error}。這個檔案連續 {TRIES} 次都無法下載，先略過它，之後的檔案照常匯入；檔案內容有更動時會自動再試。"
        f"問題排除後要匯入這一份，{again}；那時同一天的資料會以這一份為準。"
    )
    logger.warning("Drive file %s (%s) is given up: %s", file.name, file.id, error)
    return _failed(file, message, job_type=job_type)


def _failed(file: DriveFile, message: str, *, job_type: str = "") -> Job | None:
    """What cannot be imported is told once, in the list of jobs."""
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
            tell_end(job)
            return job
    except IntegrityError:
        return None

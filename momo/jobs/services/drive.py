"""Files of Google Drive become jobs: one that somebody chose, or each new one of the folder by itself."""

from __future__ import annotations

import logging
import tempfile
import uuid
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from momo.jobs.drive import DriveClient, DriveFile
from momo.jobs.models import Job
from momo.jobs.selectors import versions_known
from momo.jobs.services.create import create_job
from momo.jobs.services.files import shown_name
from momo.jobs.services.reading import fitting_importer
from momo.jobs.services.told import tell_end
from momo.rest.errors import ApiError, NotFound, PayloadTooLarge, ValidationFailed
from momo.sheets.errors import SheetError

logger = logging.getLogger(__name__)


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
    """Open a job for each file of the folder that is new or changed and that nobody has imported yet.

    Does nothing when Drive is not configured. The oldest comes first, since of two reports about one day the later one
    counts; so what fails for the moment holds up those after it until the next time. Raises DriveError when the
    folder cannot be listed to its end.
    """
    if not (settings.GOOGLE_SERVICE_ACCOUNT_FILE and settings.GOOGLE_DRIVE_FOLDER_ID):
        return []
    made: list[Job] = []
    with DriveClient.from_settings() as client:
        files = sorted(client.all_files(), key=lambda file: (file.modified_at, file.id))
        known = versions_known([file.id for file in files])
        for file in files:
            # Asked again, as somebody else may look at the folder at the same time.
            if (file.id, file.version) in known or (file.id, file.version) in versions_known([file.id]):
                continue
            try:
                job = _import(client, file)
            except ApiError as error:
                logger.warning("Drive file %s (%s) waits for the next time: %s", file.name, file.id, error)
                if getattr(error, "transient", True):
                    break
                continue
            if job is not None:
                made.append(job)
    return made


def _import(client: DriveClient, file: DriveFile) -> Job | None:
    """A job for a version of a file, or one that failed and says why; None when there is one already.

    Two may look at the folder at once, and one may die at any point: the row decides, once for each version.
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
                drive_version=file.version,
                automatic=True,
            )
        except IntegrityError:
            return None
        except (ValidationFailed, PayloadTooLarge) as error:
            return _failed(file, str(error))


def _failed(file: DriveFile, message: str) -> Job | None:
    """What cannot be imported is told once, in the list of jobs."""
    now = timezone.now()
    try:
        with transaction.atomic():
            job = Job.objects.create(
                token=uuid.uuid4(),
                source=Job.Source.DRIVE,
                file_name=shown_name(file.name),
                status=Job.Status.FAILED,
                stage=Job.Stage.READING,
                message=message,
                drive_file_id=file.id,
                drive_version=file.version,
                automatic=True,
                started_at=now,
                finished_at=now,
            )
            tell_end(job)
            return job
    except IntegrityError:
        return None

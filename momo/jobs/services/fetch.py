"""The file of a job that somebody chose in Google Drive, fetched by whoever runs the job."""

from __future__ import annotations

import tempfile
from typing import BinaryIO, cast

from momo.jobs.drive import DriveClient
from momo.jobs.importers import ImportRefused
from momo.jobs.models import Job
from momo.jobs.services.files import storage, store_file


def fetch_file(job: Job) -> None:
    """Download the file as it is now and keep it with the job; another attempt then finds it here.

    Raises ImportRefused for a job that never had one, NotFound, PayloadTooLarge, UpstreamError and Unavailable.
    """
    if not job.drive_file_id:
        raise ImportRefused("檔案已超過保存期限，請重新上傳")
    with DriveClient.from_settings() as client, tempfile.TemporaryFile() as kept:
        file = client.get(job.drive_file_id)
        content = cast(BinaryIO, kept)
        client.download(file, content)
        stored = store_file(content, token=job.token)
    # An earlier attempt that was slow, not dead, may have stored its own.
    mine = Job.objects.filter(pk=job.pk, attempt=job.attempt, file="")
    if not mine.update(file=stored.name, size=stored.size, sha256=stored.sha256, drive_version=file.version):
        storage().delete(stored.name)
    job.refresh_from_db(fields=["file", "size", "sha256", "drive_version"])

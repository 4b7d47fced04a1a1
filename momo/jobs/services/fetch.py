"""Fetches the file of a job from Google Drive, in the worker that runs the job."""

from __future__ import annotations

import tempfile
from typing import BinaryIO, cast

from momo.jobs.drive import DriveClient
from momo.jobs.importers import ImportRefused
from momo.jobs.models import Job
from momo.jobs.services.files import storage, store_file


def fetch_file(job: Job) -> None:
    """Download the current version and store it with the job, where another attempt finds it.

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
    if (
        not job.mine()
        .filter(file="")
        .update(file=stored.name, size=stored.size, sha256=stored.sha256, drive_version=file.version)
    ):
        storage().delete(stored.name)
    job.refresh_from_db(fields=["file", "size", "sha256", "drive_version"])

"""Stores the file of a job under a generated name, and measures it meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage

from momo.core.errors import PayloadTooLarge, ValidationFailed
from momo.jobs.models import Job, upload_path

CHUNK = 256 * 1024
NAMELESS = "未命名"


@dataclass(frozen=True)
class Stored:
    """A stored file: name below MEDIA_ROOT, size in bytes, SHA-256."""

    name: str
    size: int
    sha256: str


class _Measured(File):  # type: ignore[type-arg]  # generic to the type checker only
    """Content that is counted and hashed while the storage reads it, and refused as soon as it is too large.

    Hides the temporary file of an upload from the storage, which would move it without reading.
    """

    def __init__(self, content: BinaryIO) -> None:
        super().__init__(content)
        self.content = content
        self.digest = hashlib.sha256()
        self.taken = 0

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Raises PayloadTooLarge."""
        if self.content.seekable():
            self.content.seek(0)
        while chunk := self.content.read(chunk_size or CHUNK):
            self.taken += len(chunk)
            refuse_larger_than_allowed(self.taken)
            self.digest.update(chunk)
            yield chunk


@dataclass(frozen=True)
class _Token:
    token: UUID


def refuse_larger_than_allowed(size: int) -> None:
    """Check a size in bytes. Raises PayloadTooLarge beyond IMPORT_MAX_BYTES."""
    if size > settings.IMPORT_MAX_BYTES:
        allowed = f"{settings.IMPORT_MAX_BYTES / 1024 / 1024:g}"
        raise PayloadTooLarge(f"檔案超過 {allowed} MB 的上限，請分成幾份再匯入")


def storage() -> Storage:
    """Return the storage of jobs' files."""
    return Job._meta.get_field("file").storage


def store_file(content: BinaryIO, *, token: UUID) -> Stored:
    """Store `content` under a name made of `token`. Raises PayloadTooLarge, ValidationFailed; nothing stays then."""
    name = upload_path(_Token(token), "")
    measured = _Measured(content)
    try:
        name = storage().save(name, measured)
        if not measured.taken:
            raise ValidationFailed("檔案是空的", fields={"file": ["檔案是空的"]})
    except BaseException:
        storage().delete(name)
        raise
    return Stored(name, measured.taken, measured.digest.hexdigest())


def shown_name(given: Any) -> str:
    """Return the original name of a file as it is shown; never used as a path."""
    last = PurePosixPath(str(given).replace("\\", "/")).name
    printable = "".join(character if character.isprintable() else " " for character in last).strip()
    return _shortened(printable) or NAMELESS


def _shortened(name: str, length: int = 255) -> str:
    """Shorten a name and keep its suffix."""
    if len(name) <= length:
        return name
    suffix = PurePosixPath(name).suffix[:20]
    return name[: length - len(suffix)] + suffix

"""Files of Drive: parsed from its JSON, and addressed in requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from momo.core.errors import ValidationFailed
from momo.jobs.drive.errors import unexpected

FIELDS = "id,name,mimeType,modifiedTime,md5Checksum,size"
_GOOGLE_KINDS = "application/vnd.google-apps."
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class DriveFile:
    """A file as Drive lists it. `size` is in bytes; Google's own documents have no `md5` and may have no size."""

    id: str
    name: str
    mime_type: str
    modified_at: datetime
    size: int | None
    md5: str

    @property
    def version(self) -> str:
        """What distinguishes versions of a file: the content's MD5, else the time of its last change."""
        return self.md5 or self._changed

    @property
    def revision(self) -> str:
        """The version and the time of the last change (once): earlier content may come back at a later time."""
        return f"{self.md5} {self._changed}" if self.md5 else self._changed

    @property
    def _changed(self) -> str:
        return self.modified_at.astimezone(UTC).isoformat()

    @property
    def is_sheet(self) -> bool:
        """Whether it is a Google Sheet, which can only be exported."""
        return self.mime_type == _GOOGLE_KINDS + "spreadsheet"

    @property
    def importable(self) -> bool:
        """Whether it has content to download: folders, shortcuts and Google's other documents have none."""
        return self.is_sheet or not self.mime_type.startswith(_GOOGLE_KINDS)


@dataclass(frozen=True)
class DrivePage:
    """Some files, and the token of the next page, if there is one."""

    items: list[DriveFile]
    next_page_token: str | None


def read_file(item: Any) -> DriveFile:
    """Return a file from the fields FIELDS. Raises DriveError when they are not as described."""
    try:
        size = item.get("size")
        file = DriveFile(
            id=item["id"],
            name=item["name"],
            mime_type=item["mimeType"],
            modified_at=datetime.fromisoformat(item["modifiedTime"]),
            size=None if size is None else int(size),
            md5=item.get("md5Checksum") or "",
        )
        good = (
            _FILE_ID.fullmatch(file.id)
            and isinstance(file.name, str)
            and isinstance(file.mime_type, str)
            and timezone.is_aware(file.modified_at)
            and (not file.md5 or _MD5.fullmatch(file.md5))
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        good = None
    if not good:
        raise unexpected("檔案資料的格式不對")
    return file


def path_of(file_id: str) -> str:
    """Return the path of a file below the URL of files. Raises ValidationFailed for an id that might be a path."""
    if not _FILE_ID.fullmatch(file_id):
        raise ValidationFailed(fields={"file_id": ["檔案代號不正確，請從檔案清單選擇"]})
    return f"/{file_id}"


def children_of(folder_id: str) -> str:
    """Return the query for the content of a folder; its id comes from the settings and is quoted."""
    quoted = folder_id.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}' in parents and trashed=false"

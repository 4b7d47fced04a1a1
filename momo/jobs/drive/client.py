"""Lists one folder of Drive, and downloads its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO

import requests
from django.conf import settings

from momo.core.errors import PayloadTooLarge, Unavailable, ValidationFailed
from momo.jobs.drive.access import is_address, read_key
from momo.jobs.drive.errors import SERVICE, DriveError, no_such_file, unexpected
from momo.jobs.drive.files import FIELDS, DriveFile, DrivePage, children_of, path_of, read_file
from momo.jobs.drive.transport import Transport, chunks, read_json
from momo.sheets.write import XLSX

_PAGES = 1000
_PAGE_SIZE = 1000
# A download may take so many times the time limit of a request, retries included: it runs in a worker.
_DOWNLOAD_PATIENCE = 10


class DriveClient:
    """Client for the folder `folder_id`, for one thread. Refuses to download more than `max_bytes`."""

    def __init__(self, transport: Transport, *, folder_id: str, max_bytes: int) -> None:
        self._transport = transport
        self._folder_id = folder_id
        self._max_bytes = max_bytes

    @classmethod
    def from_settings(cls) -> DriveClient:
        """Raises Unavailable, naming the setting that is missing or broken."""
        credentials, token_uri = read_key(settings.GOOGLE_SERVICE_ACCOUNT_FILE)
        if not settings.GOOGLE_DRIVE_FOLDER_ID:
            raise Unavailable(SERVICE, "請管理員設定 GOOGLE_DRIVE_FOLDER_ID（報表所在資料夾的代號）")
        if not is_address(settings.GOOGLE_DRIVE_URL):
            raise Unavailable(SERVICE, "請管理員檢查 GOOGLE_DRIVE_URL，它不是 http(s) 網址")
        transport = Transport(
            credentials,
            url=settings.GOOGLE_DRIVE_URL,
            token_uri=token_uri,
            timeout=settings.GOOGLE_DRIVE_TIMEOUT,
            retries=settings.GOOGLE_DRIVE_RETRIES,
            backoff=settings.GOOGLE_DRIVE_BACKOFF,
        )
        return cls(transport, folder_id=settings.GOOGLE_DRIVE_FOLDER_ID, max_bytes=settings.IMPORT_MAX_BYTES)

    def __enter__(self) -> DriveClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def list_files(self, page_token: str | None = None, page_size: int = 50) -> DrivePage:
        """Return a page of the folder, last changed first, without what has no content to fetch.

        A page may therefore hold fewer than `page_size` (at most 1,000) items, even none, and still not be the last.
        Raises ValidationFailed for a `page_token` that Drive does not know, and DriveError.
        """
        params = {
            "q": children_of(self._folder_id),
            "fields": f"nextPageToken,files({FIELDS})",
            "pageSize": str(min(max(page_size, 1), _PAGE_SIZE)),
            "orderBy": "modifiedTime desc",
            "supportsAllDrives": "true",
            "includeItemsFromAllDrives": "true",
        }
        if page_token:
            params["pageToken"] = page_token
        found = self._transport.get("", params, read_json, folder=self._folder_id)
        items, following = found.get("files"), found.get("nextPageToken")
        if not isinstance(items, list) or not isinstance(following, str | None):
            raise unexpected("檔案清單的格式不對")
        files = [read_file(item) for item in items]
        return DrivePage([file for file in files if file.importable], following or None)

    def all_files(self, *, page_size: int = 100) -> Iterator[DriveFile]:
        """Yield every file of the folder once, page by page. Raises DriveError, possibly after some files."""
        seen: set[str] = set()
        tokens: set[str | None] = {None}
        token: str | None = None
        for _ in range(_PAGES):
            page = self.list_files(token, page_size)
            for file in page.items:
                # A file that changes meanwhile moves to the front and pushes another over the edge of its page.
                if file.id not in seen:
                    seen.add(file.id)
                    yield file
            token = page.next_page_token
            if token is None:
                return
            if token in tokens:
                break
            tokens.add(token)
        raise unexpected("檔案清單沒有結尾")

    def get(self, file_id: str) -> DriveFile:
        """Return one file. Raises ValidationFailed for what is no id, NotFound and DriveError."""
        params = {"fields": f"{FIELDS},trashed", "supportsAllDrives": "true"}
        found = self._transport.get(path_of(file_id), params, read_json)
        if found.get("trashed") is True:
            raise no_such_file(self._transport.email)
        return read_file(found)

    def download(self, file: DriveFile, target: BinaryIO) -> None:
        """Write the content to `target` from where it stands; a Google Sheet comes as .xlsx.

        `target` can seek: another try writes over what the last one left. Raises PayloadTooLarge for more than
        IMPORT_MAX_BYTES or than Google exports (10 MB), NotFound, ValidationFailed for what has no content, and
        DriveError, also when the content is not that of the listed version.
        """
        if not file.importable:
            raise ValidationFailed(fields={"file_id": [f"「{file.name}」不是可以匯入的檔案，請選擇試算表"]})
        if file.is_sheet:
            path, params = f"{path_of(file.id)}/export", {"mimeType": XLSX}
        else:
            self._refuse_larger(file.size or 0)
            path, params = path_of(file.id), {"alt": "media", "supportsAllDrives": "true"}
        start = target.tell()

        def save(response: requests.Response, until: float) -> None:
            target.seek(start)
            target.truncate()
            self._save(response, until, file, target)

        self._transport.get(path, params, save, patience=_DOWNLOAD_PATIENCE)

    def _save(self, response: requests.Response, until: float, file: DriveFile, target: BinaryIO) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        for chunk in chunks(response, until):
            size += len(chunk)
            self._refuse_larger(size)
            digest.update(chunk)
            target.write(chunk)
        if file.is_sheet:
            return
        if file.size is not None and size < file.size:
            raise DriveError("沒有傳完整個檔案，請稍後再試", transient=True)
        if file.md5 and digest.hexdigest() != file.md5:
            raise DriveError("上的檔案在下載時已經不是原來的版本，請重新整理檔案清單後再試")

    def _refuse_larger(self, size: int) -> None:
        if size > self._max_bytes:
            raise PayloadTooLarge(f"檔案超過 {self._max_bytes / 1024 / 1024:g} MB 的上限，請分成幾份再匯入")

"""Every way Google Drive can fail, over real HTTP: what is retried, how often, and the messages."""

from __future__ import annotations

import io
import itertools
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from momo.core.errors import NotFound, PayloadTooLarge, ServiceError, ValidationFailed
from momo.jobs.drive import DriveClient, DriveError, DriveFile
from momo.rest.errors import status_of
from tests.fakes.drive import SHEET, Drive, Entry

CONTENT = b"PK a workbook" * 1000
OPERATIONS = ("list", "get", "media", "export")


@pytest.fixture
def drive(settings: Any, tmp_path: Path) -> Iterator[Drive]:
    """A stand-in with a file and a sheet, that the settings use."""
    with Drive() as drive:
        drive.use(settings, tmp_path)
        drive.add("日報.xlsx", CONTENT, id="book")
        drive.add("試算表", CONTENT, id="sheet", mime_type=SHEET)
        yield drive


def file_of(entry: Entry) -> DriveFile:
    fields = entry.fields()
    return DriveFile(
        id=entry.id,
        name=entry.name,
        mime_type=entry.mime_type,
        modified_at=entry.modified,
        size=int(fields["size"]) if "size" in fields else None,
        md5=fields.get("md5Checksum", ""),
    )


def attempt(drive: Drive, operation: str) -> Any:
    """Do something that takes a token and one request, and return what came of it."""
    with DriveClient.from_settings() as client:
        if operation == "list":
            return [file.id for file in client.list_files().items]
        if operation == "get":
            return client.get("book").id
        target = io.BytesIO()
        client.download(file_of(drive.files["sheet" if operation == "export" else "book"]), target)
        return target.getvalue()


GOOD = {"list": ["sheet", "book"], "get": "book", "media": CONTENT, "export": CONTENT}
PASSING = (
    "429",
    "500",
    "502",
    "503",
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "drop",
    "truncated",
    "longer",
)


def gaps(drive: Drive, operation: str) -> list[float]:
    return [after.at - before.at for before, after in itertools.pairwise(drive.asked(operation))]


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_passes_is_tried_again(operation: str, kind: str, drive: Drive) -> None:
    drive.fail(operation, kind, times=2)
    assert attempt(drive, operation) == GOOD[operation]
    assert len(drive.asked(operation)) == 3


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_but_not_for_ever(operation: str, kind: str, drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_RETRIES = 2
    drive.fail(operation, kind, times=None)
    with pytest.raises(DriveError, match=r"^Google 雲端硬碟.*稍後再試$") as caught:
        attempt(drive, operation)
    assert status_of(caught.value) == 502
    assert caught.value.code == "UPSTREAM_ERROR"
    assert caught.value.transient
    assert len(drive.asked(operation)) == 3


@pytest.mark.parametrize("kind", ["429", "500", "503", "drop", "truncated", "longer"])
def test_the_token_endpoint_is_tried_again_too(kind: str, drive: Drive) -> None:
    drive.fail("token", kind, times=3)
    assert attempt(drive, "list") == GOOD["list"]


@pytest.mark.parametrize("operation", ["list", "get"])
@pytest.mark.parametrize("kind", ["broken", "shorter"])
def test_json_that_is_torn(kind: str, operation: str, drive: Drive, settings: Any) -> None:
    drive.fail(operation, kind)
    assert attempt(drive, operation) == GOOD[operation]
    settings.GOOGLE_DRIVE_RETRIES = 0
    drive.fail(operation, kind)
    with pytest.raises(DriveError, match="不是完整的 JSON"):
        attempt(drive, operation)


def test_a_download_that_is_shorter_than_listed(drive: Drive, settings: Any) -> None:
    drive.fail("media", "shorter")
    assert attempt(drive, "media") == CONTENT
    settings.GOOGLE_DRIVE_RETRIES = 0
    drive.fail("media", "shorter")
    with pytest.raises(DriveError, match="沒有傳完整個檔案"):
        attempt(drive, "media")


def test_waits_grow(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_BACKOFF = 0.05
    settings.GOOGLE_DRIVE_RETRIES = 3
    drive.fail("list", "503", times=None)
    with pytest.raises(DriveError):
        attempt(drive, "list")
    waits = gaps(drive, "list")
    assert len(waits) == 3
    for number, wait in enumerate(waits):
        assert 0.05 * 2**number <= wait < 0.05 * 2**number * 1.5 + 2


def test_no_retries_is_one_attempt(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_RETRIES = 0
    drive.fail("list", "503", times=None)
    with pytest.raises(DriveError, match="HTTP 503"):
        attempt(drive, "list")
    assert len(drive.asked("list")) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_heeded(form: str, drive: Drive) -> None:
    if form == "seconds":
        drive.fail("list", "429", retry_after=1)
    else:
        drive.fail("list", "429", until=1)
    assert attempt(drive, "list") == GOOD["list"]
    (wait,) = gaps(drive, "list")
    assert 0.9 <= wait < 4


@pytest.mark.parametrize("operation", ["list", "media", "token"])
def test_whoever_asks_for_a_long_wait_is_left_alone(operation: str, drive: Drive) -> None:
    drive.fail(operation, "429", times=None, retry_after=3600)
    began = time.monotonic()
    with pytest.raises(DriveError, match="請於 3600 秒後再試") as caught:
        attempt(drive, "list" if operation == "token" else operation)
    assert time.monotonic() - began < 60
    assert caught.value.wait == 3600
    assert len(drive.asked(operation)) == 1


@pytest.mark.parametrize("retry_after", ["", "soon", "-5", "1e3", "Wed, 99 Nov 2026 08:00:00 GMT", "9" * 400])
def test_a_retry_after_that_makes_no_sense(retry_after: str, drive: Drive) -> None:
    drive.fail("list", "429", retry_after=retry_after)
    if retry_after.startswith("99"):
        with pytest.raises(DriveError, match=r"請稍後再試$"):
            attempt(drive, "list")
    else:
        assert attempt(drive, "list") == GOOD["list"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_folder_or_file_that_is_not_shared(operation: str, drive: Drive) -> None:
    drive.shared.clear()
    kind = DriveError if operation == "list" else NotFound
    with pytest.raises(kind, match=f"找不到.*共用.*給 {drive.email}"):
        attempt(drive, operation)
    assert len(drive.asked(operation)) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("insufficientFilePermissions", "不允許讀取.*insufficientFilePermissions.*momo-import@stand-in"),
        ("accessNotConfigured", "啟用 Google Drive API"),
        ("dailyLimitExceeded", "用量已達上限"),
        ("cannotDownloadAbusiveFile", "有害"),
        ("cannotDownloadFile", "允許檢視者下載"),
        ("domainPolicy", "Google Workspace 管理員"),
        ("<script>", "不允許讀取.*momo-import@stand-in"),
    ],
)
def test_other_refusals_are_final(reason: str, text: str, operation: str, drive: Drive) -> None:
    drive.fail(operation, "forbidden", times=None, reason=reason)
    with pytest.raises(DriveError, match=text) as caught:
        attempt(drive, operation)
    assert not caught.value.transient
    assert "script" not in str(caught.value)
    assert len(drive.asked(operation)) == 1


def test_a_refusal_that_is_a_web_page(drive: Drive) -> None:
    drive.fail("list", "page", times=None)
    with pytest.raises(DriveError, match=f"不允許讀取資料夾「{drive.folder}」.*{drive.email}"):
        attempt(drive, "list")
    assert len(drive.asked("list")) == 1


def test_an_export_that_is_too_large(drive: Drive) -> None:
    drive.fail("export", "exportSizeLimitExceeded", times=None)
    with pytest.raises(PayloadTooLarge, match=r"超過 10 MB.*Microsoft Excel \(\.xlsx\)"):
        attempt(drive, "export")
    assert len(drive.asked("export")) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_token_that_is_never_good(operation: str, drive: Drive) -> None:
    drive.fail(operation, "401", times=None)
    with pytest.raises(DriveError, match=f"不接受服務帳戶 {drive.email} 的金鑰"):
        attempt(drive, operation)
    assert len(drive.asked(operation)) == 2
    assert len(drive.asked("token")) == 2


def test_a_key_that_google_does_not_know(drive: Drive) -> None:
    drive.fail("token", "refused", times=None)
    with pytest.raises(DriveError, match="GOOGLE_SERVICE_ACCOUNT_FILE 的金鑰未被刪除或停用，且主機時間正確"):
        attempt(drive, "list")
    assert len(drive.asked("token")) == 1
    assert not drive.asked("list")


def test_an_account_under_another_name(drive: Drive, tmp_path: Path) -> None:
    drive.write_key(tmp_path, client_email="somebody@else.example")
    with pytest.raises(DriveError, match=r"不接受服務帳戶 somebody@else\.example"):
        attempt(drive, "list")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b'{"token_type": "Bearer"}',
        b'{"access_token": 5, "expires_in": 5}',
        b'{"access_token": "a", "expires_in": "soon"}',
        b'{"access_token": "a", "expires_in": []}',
        b'{"access_token": "a\\nb", "expires_in": 3000}',
        b"\xff\xfe",
    ],
)
def test_a_token_endpoint_that_answers_nonsense(body: bytes, drive: Drive) -> None:
    drive.fail("token", "answer", times=None, body=body)
    with pytest.raises(DriveError, match=r"^Google 雲端硬碟"):
        attempt(drive, "list")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"files": {}}',
        b'{"files": [5]}',
        b'{"files": [{}]}',
        b'{"files": [], "nextPageToken": 5}',
        b'{"files": [{"id": "../x", "name": "a", "mimeType": "b", "modifiedTime": "2026-11-22T08:00:00Z"}]}',
        b'{"files": [{"id": "x", "name": 5, "mimeType": "b", "modifiedTime": "2026-11-22T08:00:00Z"}]}',
        b'{"files": [{"id": "x", "name": "a", "mimeType": "b", "modifiedTime": "yesterday"}]}',
        b'{"files": [{"id": "x", "name": "a", "mimeType": "b", "modifiedTime": "2026-11-22T08:00:00"}]}',
        b'{"files": [{"id": "x", "name": "a", "mimeType": "b", "modifiedTime": "2026-11-22T08:00:00Z", "size": "x"}]}',
        b'{"files": [{"id": "x", "name": "a", "mimeType": "b", "modifiedTime": "2026-11-22T08:00:00Z",'
        b' "md5Checksum": "\'"}]}',
        b'{"files": ' + b"[" * 100_000,
    ],
)
def test_json_of_another_shape(body: bytes, drive: Drive) -> None:
    drive.fail("list", "answer", times=None, body=body)
    with pytest.raises(DriveError, match=r"(不如預期|不是完整的 JSON)"):
        attempt(drive, "list")


def test_an_endless_answer(drive: Drive) -> None:
    drive.fail("list", "answer", times=None, body=b" " * (17 * 1024 * 1024))
    with pytest.raises(DriveError, match="回應太大"):
        attempt(drive, "list")


def test_a_list_without_an_end(drive: Drive) -> None:
    drive.fail("list", "answer", times=None, body=b'{"files": [], "nextPageToken": "again"}')
    with DriveClient.from_settings() as client, pytest.raises(DriveError, match="沒有結尾"):
        list(client.all_files())
    assert len(drive.asked("list")) == 2


def test_a_page_token_that_drive_does_not_know(drive: Drive) -> None:
    with DriveClient.from_settings() as client, pytest.raises(ValidationFailed) as caught:
        client.list_files("made up")
    assert list(caught.value.fields) == ["page_token"]
    assert len(drive.asked("list")) == 1


def test_faults_in_the_midst_of_200_files(drive: Drive) -> None:
    ids = {drive.add(f"{number}.xlsx").id for number in range(198)} | {"book", "sheet"}
    for skip, kind in enumerate(PASSING):
        drive.fail("list", kind, skip=skip)
    with DriveClient.from_settings() as client:
        assert {file.id for file in client.all_files(page_size=20)} == ids
    assert len(drive.asked("list")) == 10 + len(PASSING)


def test_files_before_a_failure_are_listed(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_RETRIES = 0
    for number in range(30):
        drive.add(f"{number}.xlsx")
    drive.fail("list", "503", skip=2, times=None)
    found = []
    with DriveClient.from_settings() as client:
        files = client.all_files(page_size=10)
        found += itertools.islice(files, 20)
        with pytest.raises(DriveError):
            next(files)
    assert len(found) == 20


def quickly(operation: Callable[[], Any], limit: float) -> ServiceError:
    began = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        operation()
    assert time.monotonic() - began < limit
    return caught.value


@pytest.mark.parametrize("operation", [*OPERATIONS, "token"])
def test_a_server_that_does_not_answer(operation: str, drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_TIMEOUT = 0.15
    settings.GOOGLE_DRIVE_RETRIES = 1
    drive.fail(operation, "slow", times=None, delay=10)
    error = quickly(lambda: attempt(drive, "list" if operation == "token" else operation), 5)
    assert "在 0.15 秒內沒有回應" in str(error)


def test_a_server_that_trickles(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_TIMEOUT = 0.5
    settings.GOOGLE_DRIVE_RETRIES = 1
    drive.fail("list", "trickle", times=None, delay=0.05)
    assert "超過了時間限制" in str(quickly(lambda: attempt(drive, "list"), 5))


def test_a_download_that_trickles(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_TIMEOUT = 0.25
    settings.GOOGLE_DRIVE_RETRIES = 0
    drive.fail("media", "trickle", times=None, delay=0.05)
    began = time.monotonic()
    assert "超過了時間限制" in str(quickly(lambda: attempt(drive, "media"), 8))
    assert time.monotonic() - began > 2  # ten times as long as a request may take


def test_a_server_that_stops_in_the_midst(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_TIMEOUT = 0.4
    settings.GOOGLE_DRIVE_RETRIES = 0
    drive.fail("media", "trickle", times=None, delay=10)
    assert "傳到一半沒有回應" in str(quickly(lambda: attempt(drive, "media"), 5))


def test_many_retries_end_with_the_time_limit(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_TIMEOUT = 1
    settings.GOOGLE_DRIVE_RETRIES = 10_000
    settings.GOOGLE_DRIVE_BACKOFF = 0.02
    drive.fail("list", "503", times=None)
    quickly(lambda: attempt(drive, "list"), 4)
    assert 2 <= len(drive.asked("list")) <= 7


def test_no_server_listens(settings: Any, tmp_path: Path) -> None:
    with Drive() as gone:
        gone.use(settings, tmp_path)
    with DriveClient.from_settings() as client, pytest.raises(DriveError, match="連不上") as caught:
        client.list_files()
    assert caught.value.transient


def test_secrets_are_in_no_message_or_log(drive: Drive, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings.GOOGLE_DRIVE_RETRIES = 1
    settings.GOOGLE_DRIVE_BACKOFF = 0.001
    shown = []
    for operation, kind in itertools.product(
        (*OPERATIONS, "token"),
        ("429", "503", "401", "404", "forbidden", "page", "drop", "truncated", "refused", "broken", "answer"),
    ):
        drive.faults.clear()
        drive.fail(operation, kind, times=None, body=b'{"id_token": "secret-of-the-token-endpoint"}')
        try:
            attempt(drive, "list" if operation == "token" else operation)
        except ServiceError as error:
            shown.append(str(error))
    assert len(shown) > 30

    shown += [record.getMessage() for record in caplog.records]
    shown += [str(record.exc_info) for record in caplog.records]
    text = "\n".join(shown)
    assert "again in" in text
    secrets = {asked.headers["authorization"].removeprefix("Bearer ") for asked in drive.asked("list")}
    secrets |= {"secret-of-the-token-endpoint", "assertion=", "PRIVATE KEY", "Bearer"}
    secrets |= set(drive.key_info()["private_key"].splitlines()[1:-1])
    assert not [secret for secret in secrets if secret in text]
    assert json.dumps(drive.key_info()["private_key"]) not in text

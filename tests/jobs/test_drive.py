"""Google Drive as it should be: lists over pages, versions, files and exports, over real HTTP."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from momo.core.errors import NotFound, PayloadTooLarge, ValidationFailed
from momo.jobs.drive import DriveClient, DriveFile
from tests.fakes.drive import FOLDER, SHEET, Drive


@pytest.fixture
def drive(settings: Any, tmp_path: Path) -> Iterator[Drive]:
    """A stand-in that the settings use."""
    with Drive() as drive:
        drive.use(settings, tmp_path)
        yield drive


@pytest.fixture
def client(drive: Drive) -> Iterator[DriveClient]:
    """A client of the stand-in."""
    with DriveClient.from_settings() as client:
        yield client


def content_of(client: DriveClient, file: DriveFile) -> bytes:
    target = io.BytesIO()
    client.download(file, target)
    return target.getvalue()


def test_200_files_over_pages_last_changed_first(drive: Drive, client: DriveClient) -> None:
    added = [drive.add(f"日報 {number}.xlsx", b"x" * number) for number in range(200)]

    token, pages = None, []
    while True:
        page = client.list_files(token, page_size=30)
        pages.append(page.items)
        token = page.next_page_token
        if token is None:
            break

    assert [len(items) for items in pages] == [30] * 6 + [20]
    assert [file.name for items in pages for file in items] == [entry.name for entry in reversed(added)]
    assert len(drive.asked("list")) == 7
    assert len(drive.asked("token")) == 1


def test_every_file_once_whatever_the_size_of_pages(drive: Drive, client: DriveClient) -> None:
    ids = {drive.add(f"{number}.xlsx").id for number in range(200)}
    for page_size in (1, 7, 100, 199, 200, 201):
        found = [file.id for file in client.all_files(page_size=page_size)]
        assert len(found) == 200
        assert set(found) == ids


def test_a_file_that_changes_between_two_pages_is_listed_once(drive: Drive, client: DriveClient) -> None:
    entries = [drive.add(f"{number}.xlsx") for number in range(20)]
    files = client.all_files(page_size=10)
    found = [next(files)]
    drive.change(entries[0], b"new")  # moves to the front, and the tenth to the second page
    found += files
    assert len({file.id for file in found}) == len(found) == 19  # the changed one is for the next time
    assert {entry.id for entry in entries[1:]} == {file.id for file in found}


def test_what_a_list_asks_for(drive: Drive, client: DriveClient) -> None:
    drive.add("日報.xlsx")
    client.list_files(page_size=5000)
    (asked,) = drive.asked("list")
    assert asked.params == {
        "q": f"'{drive.folder}' in parents and trashed=false",
        "fields": "nextPageToken,files(id,name,mimeType,modifiedTime,md5Checksum,size)",
        "pageSize": "1000",
        "orderBy": "modifiedTime desc",
        "supportsAllDrives": "true",
        "includeItemsFromAllDrives": "true",
    }


def test_an_empty_folder(client: DriveClient) -> None:
    page = client.list_files()
    assert page.items == []
    assert page.next_page_token is None
    assert list(client.all_files()) == []


def test_only_what_has_content_in_this_folder_is_listed(drive: Drive, client: DriveClient) -> None:
    drive.add("子資料夾", mime_type=FOLDER)
    drive.add("說明", mime_type="application/vnd.google-apps.document")
    drive.add("捷徑", mime_type="application/vnd.google-apps.shortcut")
    drive.add("丟掉的.xlsx", trashed=True)
    drive.add("別處的.xlsx", folder="elsewhere")
    expected = {
        drive.add("試算表", b"sheet", mime_type=SHEET).id,
        drive.add("日報.xlsx", b"book").id,
        drive.add("舊報表.csv", b"a,b", mime_type="text/csv").id,
        drive.add("共用雲端硬碟.xlsx", b"book", shared_drive=True).id,
    }
    assert {file.id for file in client.all_files()} == expected


@pytest.mark.parametrize("folder", ["a'b", "a\\b", "\\'", "x' in parents or 'y", "夾 & ?#%+", "'", "\\"])
def test_a_folder_id_is_quoted(folder: str, settings: Any, tmp_path: Path) -> None:
    with Drive(folder) as drive:
        drive.shared.add("y")
        drive.add("別處的.xlsx", folder="y")
        drive.use(settings, tmp_path)
        entry = drive.add("日報.xlsx")
        with DriveClient.from_settings() as client:
            assert [file.id for file in client.all_files()] == [entry.id]


@pytest.mark.parametrize(
    "file_id", ["", "a/b", "..", "a?alt=media", "a b", "檔", "x" * 201, "a\n", "%2e%2e", "a#b", "a'b"]
)
def test_what_is_no_file_id_never_gets_into_a_path(file_id: str, drive: Drive, client: DriveClient) -> None:
    entry = drive.add("日報.xlsx")
    file = replace(client.get(entry.id), id=file_id)
    before = len(drive.asked())
    with pytest.raises(ValidationFailed):
        client.get(file_id)
    with pytest.raises(ValidationFailed):
        client.download(file, io.BytesIO())
    assert len(drive.asked()) == before


def test_one_file(drive: Drive, client: DriveClient) -> None:
    content = b"PK\x03\x04 book"
    entry = drive.add("11月 日報.xlsx", content, modified=datetime(2026, 11, 22, 8, 15, 30, 500_000, tzinfo=UTC))
    file = client.get(entry.id)
    assert file == DriveFile(
        id=entry.id,
        name="11月 日報.xlsx",
        mime_type=entry.mime_type,
        modified_at=datetime(2026, 11, 22, 8, 15, 30, 500_000, tzinfo=UTC),
        size=len(content),
        md5=hashlib.md5(content).hexdigest(),
    )
    assert file.version == file.md5
    assert client.list_files().items == [file]


def test_a_file_that_is_not_there(drive: Drive, client: DriveClient) -> None:
    entry = drive.add("日報.xlsx", b"x")
    file = client.get(entry.id)
    drive.remove(entry)
    for attempt in (lambda: client.get(entry.id), lambda: client.download(file, io.BytesIO())):
        with pytest.raises(NotFound, match=f"找不到這個檔案.*{drive.email}"):
            attempt()
    trashed = drive.add("丟掉的.xlsx", trashed=True)
    with pytest.raises(NotFound):
        client.get(trashed.id)
    elsewhere = drive.add("沒有共用.xlsx", folder="not shared")
    with pytest.raises(NotFound):
        client.get(elsewhere.id)


def test_versions_by_content_else_by_time_of_change(drive: Drive, client: DriveClient) -> None:
    book = drive.add("日報.xlsx", b"one")
    sheet = drive.add("試算表", b"one", mime_type=SHEET)
    unknown = drive.add("沒有雜湊.xlsx", b"one", hashed=False)
    first = {file.id: file.version for file in client.all_files()}
    assert first == {file.id: file.version for file in client.all_files()}
    assert first[book.id] == hashlib.md5(b"one").hexdigest()
    assert first[sheet.id] == sheet.modified.isoformat()
    assert first[unknown.id] == unknown.modified.isoformat()

    for entry in (book, sheet, unknown):
        drive.change(entry, b"two")
    second = {file.id: file.version for file in client.all_files()}
    assert all(second[entry.id] != first[entry.id] for entry in (book, sheet, unknown))

    drive.change(book, b"one")  # saved again as it was
    assert client.get(book.id).version == first[book.id]


def test_a_version_does_not_depend_on_how_a_time_is_written() -> None:
    utc = DriveFile("a", "a", SHEET, datetime.fromisoformat("2026-11-22T08:00:00.000Z"), None, "")
    local = replace(utc, modified_at=datetime.fromisoformat("2026-11-22T16:00:00+08:00"))
    assert utc.version == local.version


def test_download_writes_from_where_the_target_stands(drive: Drive, client: DriveClient) -> None:
    content = bytes(range(256)) * 5000
    file = client.get(drive.add("日報.xlsx", content).id)
    with tempfile.TemporaryFile() as target:
        target.write(b"head" + content + b"what an earlier try left")
        target.seek(4)
        client.download(file, target)
        target.seek(0)
        assert target.read() == b"head" + content
    assert content_of(client, client.get(drive.add("空的.csv", b"").id)) == b""


def test_a_google_sheet_is_exported_as_a_workbook(drive: Drive, client: DriveClient) -> None:
    entry = drive.add("試算表", b"PK exported", mime_type=SHEET)
    file = client.get(entry.id)
    assert (file.size, file.md5) == (None, "")
    assert content_of(client, file) == b"PK exported"
    (asked,) = drive.asked("export")
    assert asked.params == {"mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def test_a_google_sheet_of_more_than_10_mb(drive: Drive, client: DriveClient) -> None:
    file = client.get(drive.add("試算表", b"x" * (10 * 1024 * 1024 + 1), mime_type=SHEET).id)
    with pytest.raises(PayloadTooLarge, match=r"超過 10 MB.*檔案 → 下載.*再上傳"):
        client.download(file, io.BytesIO())
    assert len(drive.asked("export")) == 1


def test_a_document_is_no_table(drive: Drive, client: DriveClient) -> None:
    file = client.get(drive.add("說明", mime_type="application/vnd.google-apps.document").id)
    with pytest.raises(ValidationFailed, match="「說明」不是可以匯入的檔案"):
        client.download(file, io.BytesIO())


@pytest.mark.parametrize("mime_type", ["text/csv", SHEET])
def test_a_large_file_is_left_in_time(mime_type: str, drive: Drive, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1024 * 1024
    with DriveClient.from_settings() as client:
        file = client.get(drive.add("大檔", b"x" * 8 * 1024 * 1024, mime_type=mime_type).id)
        if file.size is not None:
            with pytest.raises(PayloadTooLarge, match="超過 1 MB 的上限"):
                client.download(file, io.BytesIO())
            assert not drive.asked("media")
            file = replace(file, size=None)
        target = io.BytesIO()
        with pytest.raises(PayloadTooLarge, match="超過 1 MB 的上限"):
            client.download(file, target)
        assert len(target.getvalue()) <= settings.IMPORT_MAX_BYTES
        just = client.get(drive.add("剛好", b"x" * 1024 * 1024, mime_type=mime_type).id)
        assert len(content_of(client, just)) == settings.IMPORT_MAX_BYTES


def test_content_of_another_version_is_no_download(drive: Drive, client: DriveClient) -> None:
    entry = drive.add("日報.xlsx", b"one")
    file = client.get(entry.id)
    drive.change(entry, b"two")
    with pytest.raises(Exception, match="已經不是原來的版本") as caught:
        client.download(file, io.BytesIO())
    assert caught.value.code == "UPSTREAM_ERROR"  # type: ignore[attr-defined]
    assert len(drive.asked("media")) == 1
    assert content_of(client, client.get(entry.id)) == b"two"


def test_a_token_is_asked_for_again_when_it_is_over(drive: Drive, client: DriveClient) -> None:
    drive.add("日報.xlsx")
    client.list_files()
    client.list_files()
    assert len(drive.asked("token")) == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert len(client.list_files().items) == 1
    assert len(drive.asked("token")) == 2


def test_a_token_that_is_refused_is_asked_for_again_once(drive: Drive, client: DriveClient) -> None:
    drive.add("日報.xlsx")
    client.list_files()
    drive.expire_tokens()
    assert len(client.list_files().items) == 1
    assert len(drive.asked("token")) == 2

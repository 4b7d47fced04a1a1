"""From Google Drive to rows that count, through the API and by schedule, whatever fails in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from momo.core.errors import UpstreamError
from momo.jobs.models import Job
from momo.jobs.services import run_job, sync_drive, undo_job
from tests.fakes.drive import FOLDER, SHEET, Drive
from tests.jobs.importer import StockImporter, stock, workbook
from tests.kit.threads import at_once
from tests.kit.users import person, token_client

FILES = "/api/import/drive/files"
IMPORT = "/api/import/drive/import"
CSV = "text/csv"


def csv(code: Any, quantity: Any) -> bytes:
    return f"代號,數量,備註\n{code},{quantity},\n".encode()


@pytest.fixture
def drive(settings: Any, tmp_path: Path, stock_importer: StockImporter) -> Iterator[Drive]:
    """A stand-in that the settings use, for files of the small importer."""
    with Drive() as drive:
        drive.use(settings, tmp_path)
        yield drive


@pytest.fixture
def api(manager: User) -> Client:
    """A program of a manager."""
    return token_client(manager)


def pages(api: Client, page_size: int) -> list[list[dict[str, Any]]]:
    """All pages of the list, one after another."""
    found, token = [], None
    while True:
        answer = api.get(FILES, {"page_size": page_size, **({"page_token": token} if token else {})})
        assert answer.status_code == 200, answer.content
        data = answer.json()["data"]
        found.append(data["items"])
        token = data["next_page_token"]
        if token is None:
            return found


def start(api: Client, file_id: str, job_type: str = "test_stock") -> Any:
    return api.post(IMPORT, {"file_id": file_id, "job_type": job_type}, content_type="application/json")


def versions() -> list[tuple[str, str]]:
    """Without the times at which they came."""
    rows = Job.objects.values_list("drive_file_id", "drive_version")
    return [(file_id, version.partition(" ")[0]) for file_id, version in rows]


def test_200_files_are_listed_over_pages(drive: Drive, api: Client) -> None:
    entries = [drive.add(f"日報 {number}.csv", csv(number, 1), mime_type=CSV) for number in range(199)]
    entries.append(drive.add("試算表", workbook().getvalue(), mime_type=SHEET))
    drive.add("子資料夾", mime_type=FOLDER)
    drive.fail("list", "503", skip=2)
    drive.fail("list", "userRateLimitExceeded", skip=3)

    found = pages(api, 30)

    items = [item for page in found for item in page]
    assert [item["id"] for item in items] == [entry.id for entry in reversed(entries)]
    assert len(found) == 7
    assert set(items[0]) == {"id", "name", "mime_type", "modified_at", "size", "imported"}
    sheet, last = items[0], items[1]
    assert (sheet["name"], sheet["mime_type"], sheet["size"]) == ("試算表", SHEET, None)
    assert (last["name"], last["size"]) == ("日報 198.csv", len(csv(198, 1)))
    assert datetime.fromisoformat(last["modified_at"]) == entries[-2].modified
    assert not any(item["imported"] for item in items)


@pytest.mark.parametrize("mime_type", [SHEET, "application/octet-stream"])
def test_a_chosen_file_is_imported(mime_type: str, drive: Drive, api: Client) -> None:
    entry = drive.add("庫存.xlsx", workbook().getvalue(), mime_type=mime_type)
    drive.add("別的.xlsx", workbook().getvalue())
    operation = "export" if mime_type == SHEET else "media"
    drive.fail(operation, "503")
    drive.fail(operation, "truncated", skip=1)

    answer = start(api, entry.id)
    assert answer.status_code == 202, answer.content
    assert not drive.asked(operation)  # the request does not wait for the file
    job = run_job(answer.json()["data"]["job_id"])

    assert job is not None
    assert (job.status, job.message) == (Job.Status.SUCCEEDED, "匯入 3 列")
    assert (job.source, job.file_name, job.drive_file_id) == (Job.Source.DRIVE, "庫存.xlsx", entry.id)
    assert stock() == {"1001": 3, "1002": 5, "1003": 7}
    assert {item["name"]: item["imported"] for item in pages(api, 50)[0]} == {"庫存.xlsx": True, "別的.xlsx": False}
    drive.change(entry, workbook(((1001, 4, None),)).getvalue())
    assert not any(item["imported"] for item in pages(api, 50)[0])


def test_the_file_is_the_one_of_the_moment_of_the_download(drive: Drive, api: Client) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    job_id = start(api, entry.id).json()["data"]["job_id"]
    drive.change(entry, csv(1, 2))
    run_job(job_id)
    assert stock() == {"1": 2}
    assert pages(api, 50)[0][0]["imported"]


def test_a_file_that_is_gone_when_its_turn_comes(drive: Drive, api: Client) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    job_id = start(api, entry.id).json()["data"]["job_id"]
    drive.remove(entry)
    job = run_job(job_id)
    assert job is not None
    assert job.status == Job.Status.FAILED
    assert "找不到這個檔案" in job.message
    assert stock() == {}


def test_what_cannot_be_chosen(drive: Drive, api: Client) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    for answer, status, code in (
        (start(api, "1notThere"), 404, "NOT_FOUND"),
        (start(api, "../../etc"), 400, "VALIDATION_ERROR"),
        (start(api, entry.id, "nobody's"), 400, "VALIDATION_ERROR"),
        (api.get(FILES, {"page_token": "made up"}), 400, "VALIDATION_ERROR"),
        (start(token_client(person("uma")), entry.id), 403, "PERMISSION_DENIED"),
        (token_client(person("ula")).get(FILES), 403, "PERMISSION_DENIED"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Job.objects.exists()


def test_what_the_api_says_when_drive_does_not_work(drive: Drive, api: Client, settings: Any) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    drive.fail("*", "503", times=None)
    for answer in (api.get(FILES), start(api, entry.id)):
        assert (answer.status_code, answer.json()["code"]) == (502, "UPSTREAM_ERROR")
        assert "Google 雲端硬碟" in answer.json()["error"]
    drive.faults.clear()
    drive.shared.clear()
    answer = api.get(FILES)
    assert answer.status_code == 502
    assert drive.email in answer.json()["error"]
    settings.GOOGLE_SERVICE_ACCOUNT_FILE = ""
    for answer in (api.get(FILES), start(api, entry.id)):
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert "GOOGLE_SERVICE_ACCOUNT_FILE" in answer.json()["error"]
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_each_version_is_imported_once_by_itself(drive: Drive) -> None:
    entries = [drive.add(f"日報 {number}.csv", csv(number, 1), mime_type=CSV) for number in range(40)]

    assert len(sync_drive()) == 40
    assert sync_drive() == []
    assert sync_drive() == []
    assert len(drive.asked("media")) == 40
    assert Job.objects.filter(automatic=True, source=Job.Source.DRIVE, status=Job.Status.PENDING).count() == 40

    drive.change(entries[7], csv(7, 70))
    sheet = drive.add("試算表", workbook().getvalue(), mime_type=SHEET)
    made = sync_drive()
    assert {job.drive_file_id for job in made} == {entries[7].id, sheet.id}
    assert sync_drive() == []

    for job in made:
        done = run_job(job.pk)
        assert done is not None
        assert done.status == Job.Status.SUCCEEDED, done.message
    assert stock() == {"7": 70, "1001": 3, "1002": 5, "1003": 7}
    drive.change(sheet, workbook(((1001, 9, None),)).getvalue())
    (job,) = sync_drive()
    run_job(job.pk)
    assert stock()["1001"] == 9


@pytest.mark.django_db
def test_what_was_taken_back_stays_so(drive: Drive) -> None:
    drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    (made,) = sync_drive()
    job = run_job(made.pk)
    assert job is not None
    undo_job(job=job)
    assert sync_drive() == []
    assert stock() == {}


@pytest.mark.django_db
def test_whatever_fails_each_version_has_one_job_in_the_end(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_RETRIES = 0
    for number in range(120):
        drive.add(f"日報 {number}.csv", csv(number, 1), mime_type=CSV)
    expected = {(entry.id, entry.fields()["md5Checksum"]) for entry in drive.files.values()}
    drive.fail("token", "503")
    drive.fail("list", "drop", skip=1)  # after the first page of a later round
    drive.fail("list", "broken", skip=2)
    for skip, kind in enumerate(("429", "500", "drop", "truncated", "longer", "shorter", "forbidden", "401", "404")):
        drive.fail("media", kind, skip=skip * 10)

    rounds = 0
    while set(versions()) != expected:
        rounds += 1
        assert rounds < 20
        try:
            sync_drive()
        except UpstreamError:
            continue
    assert rounds > 3
    assert not any(fault.times for fault in drive.faults)
    assert sync_drive() == []
    assert len(versions()) == 120
    assert not Job.objects.exclude(status=Job.Status.PENDING).exists()


@pytest.mark.django_db
def test_a_file_that_is_no_report_fails_once(drive: Drive, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 5000
    drive.add("照片.xlsx", b"\xff\xd8\xff\xe0 a picture")
    drive.add("太大.csv", csv(1, "1" * 5000), mime_type=CSV)
    drive.add("空的.csv", b"", mime_type=CSV)
    drive.add("太大的試算表", workbook().getvalue(), mime_type=SHEET)
    drive.fail("export", "exportSizeLimitExceeded", times=None)
    sync_drive()
    sync_drive()
    messages = dict(Job.objects.filter(status=Job.Status.FAILED).values_list("file_name", "message"))
    assert messages.keys() >= {"太大.csv", "空的.csv", "太大的試算表"}
    assert "檔案 → 下載" in messages["太大的試算表"]
    for job in Job.objects.filter(status=Job.Status.PENDING):
        run_job(job.pk)
    assert Job.objects.filter(status=Job.Status.FAILED).count() == Job.objects.count() == 4
    assert stock() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["GOOGLE_SERVICE_ACCOUNT_FILE", "GOOGLE_DRIVE_FOLDER_ID"])
def test_without_a_folder_nothing_is_asked(setting: str, drive: Drive, settings: Any) -> None:
    setattr(settings, setting, "")
    assert sync_drive() == []
    assert not drive.asked()


@pytest.mark.django_db(transaction=True)
def test_two_look_at_the_folder_at_once(drive: Drive) -> None:
    for number in range(20):
        drive.add(f"日報 {number}.csv", csv(number, 1), mime_type=CSV)
    drive.fail("media", "slow", times=4, delay=0.2)
    made = at_once(*[sync_drive] * 3)
    assert sum(map(len, made)) == 20
    assert len(set(versions())) == len(versions()) == 20

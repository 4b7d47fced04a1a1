"""Files of Google Drive become jobs, over real HTTP: chosen by people, and once each by the schedule."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.test import Client

from accounts.models import User
from momo.core.errors import NotFound, ServiceError
from momo.jobs import importers
from momo.jobs.drive import DriveClient
from momo.jobs.models import Job
from momo.jobs.services import cancel_job, import_from_drive, retry_job, run_job, sync_drive, undo_job
from momo.jobs.tasks import drive_sync
from momo.sheets.columns import Field, Kind
from tests.fakes.drive import SHEET, Drive
from tests.jobs.importer import StockImporter, stock, workbook
from tests.kit.threads import at_once
from tests.kit.users import token_client
from tests.rest.test_failures import check

pytestmark = pytest.mark.django_db

SYNC = importlib.import_module("momo.jobs.services.drive")


class OtherImporter(StockImporter):
    """Another kind of report, which needs columns of its own."""

    job_type: ClassVar[str] = "test_other"
    label: ClassVar[str] = "別的報表"
    fields: ClassVar[Any] = (
        Field("shelf", "櫃位", Kind.CODE, ("櫃位",), required=True),
        Field("quantity", "數量", Kind.INTEGER, ("數量",), required=True),
    )


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> StockImporter:
    """The one kind of report there is."""
    importer = StockImporter()
    monkeypatch.setattr(importers, "_registered", {importer.job_type: importer})
    return importer


@pytest.fixture
def both(only: StockImporter) -> None:
    importers.register(OtherImporter())


@pytest.fixture
def drive(settings: Any, tmp_path: Path, only: StockImporter) -> Iterator[Drive]:
    with Drive() as drive:
        drive.use(settings, tmp_path)
        yield drive


def run_all() -> list[str]:
    for job_id in Job.objects.filter(status="pending").order_by("pk").values_list("pk", flat=True):
        run_job(job_id)
    return list(Job.objects.order_by("pk").values_list("status", flat=True))


# --- By itself ------------------------------------------------------------------------------------------------------


def test_each_version_of_a_file_once(drive: Drive) -> None:
    one = drive.add("一.xlsx", workbook([(1, 1, None)]).getvalue())
    drive.add("二.xlsx", workbook([(2, 2, None)]).getvalue(), mime_type=SHEET)
    assert len(sync_drive()) == 2
    assert sync_drive() == []
    assert run_all() == ["succeeded"] * 2
    assert sync_drive() == []
    assert stock() == {"1": 1, "2": 2}
    drive.change(one, workbook([(1, 10, None)]).getvalue())
    (job,) = sync_drive()
    assert (job.source, job.automatic, job.created_by, job.drive_file_id) == ("drive", True, None, one.id)
    assert (job.file_name, job.job_type, job.on_error) == ("一.xlsx", "test_stock", "reject")
    assert run_all() == ["succeeded"] * 3
    assert stock() == {"1": 10, "2": 2}


def test_the_columns_decide_the_kind(drive: Drive, both: None) -> None:
    drive.add("庫存.xlsx", workbook().getvalue())
    drive.add("櫃位.xlsx", workbook([("A", 1)], header=("櫃位", "數量")).getvalue())
    drive.add("信.pdf", b"%PDF-1.7", mime_type="application/pdf")
    jobs = {job.file_name: job for job in sync_drive()}
    assert {name: job.job_type for name, job in jobs.items()} == {
        "庫存.xlsx": "test_stock",
        "櫃位.xlsx": "test_other",
        "信.pdf": "",
    }
    letter = jobs["信.pdf"]
    assert (letter.status, letter.stage, letter.error_count) == ("failed", "reading", 0)
    assert "PDF" in letter.message
    assert "不是試算表" in letter.message
    assert sync_drive() == [], "it is said once"


def test_one_kind_says_itself_what_is_missing(drive: Drive) -> None:
    drive.add("櫃位.xlsx", workbook([("A", 1)], header=("櫃位", "數量")).getvalue())
    sync_drive()
    assert run_all() == ["failed"]
    assert "代號" in Job.objects.get().message
    assert sync_drive() == []


def test_files_that_are_too_large_or_empty(drive: Drive, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 50_000
    drive.add("大.xlsx", b"x" * 50_001)
    drive.add("空.xlsx", b"")
    drive.add("好.xlsx", workbook().getvalue())
    jobs = {job.file_name: job for job in sync_drive()}
    assert {name: job.status for name, job in jobs.items()} == {
        "大.xlsx": "failed",
        "空.xlsx": "failed",
        "好.xlsx": "pending",
    }
    assert "上限" in jobs["大.xlsx"].message
    assert "空" in jobs["空.xlsx"].message
    assert sync_drive() == []


def test_a_file_that_cannot_be_fetched_now_is_for_the_next_time(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_RETRIES = 0
    for number in range(3):
        drive.add(f"{number}.xlsx", workbook([(number, 1, None)]).getvalue())
    drive.fail("media", "500", skip=1, times=1)
    # In the order in which they were changed, or an older report would take the days of a newer one.
    assert [job.file_name for job in sync_drive()] == ["0.xlsx"]
    assert [job.file_name for job in sync_drive()] == ["1.xlsx", "2.xlsx"]
    assert sync_drive() == []


def test_a_list_that_breaks_off(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_RETRIES = 0
    drive.add("一.xlsx", workbook().getvalue())
    drive.fail("list", "500", times=1)
    with pytest.raises(ServiceError):
        sync_drive()
    drive.fail("list", "500", times=1)
    drive_sync()
    assert not Job.objects.exists()
    drive_sync()
    assert Job.objects.count() == 1


def test_without_settings_nothing_happens(drive: Drive, settings: Any) -> None:
    drive.add("一.xlsx", workbook().getvalue())
    for name in ("GOOGLE_DRIVE_FOLDER_ID", "GOOGLE_SERVICE_ACCOUNT_FILE"):
        kept = getattr(settings, name)
        setattr(settings, name, "")
        assert sync_drive() == []
        drive_sync()
        setattr(settings, name, kept)
    assert drive.asked() == []


def test_what_people_decided_stays(drive: Drive, manager: User) -> None:
    entry = drive.add("一.xlsx", workbook().getvalue())
    job = import_from_drive(file_id=entry.id, job_type="test_stock", user=manager)
    assert sync_drive() == [], "another process was quicker"
    run_all()
    undo_job(job=Job.objects.get(pk=job.pk), user=manager)
    assert sync_drive() == []
    assert stock() == {}


def test_a_user_who_imported_by_hand_can_be_deleted(drive: Drive, manager: User) -> None:
    """The constraint of the schedule's own jobs is not about theirs."""
    entry = drive.add("一.xlsx", workbook().getvalue())
    sync_drive()
    for _ in range(2):
        import_from_drive(file_id=entry.id, job_type="test_stock", user=manager)
    manager.delete()
    assert Job.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_look_at_once(drive: Drive, settings: Any) -> None:
    for number in range(5):
        drive.add(f"{number}.xlsx", workbook([(number, 1, None)]).getvalue())
    made = at_once(*[sync_drive] * 2)
    assert sum(map(len, made)) == Job.objects.count() == 5
    assert len(list(Path(settings.MEDIA_ROOT).rglob("*.bin"))) == 5


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (DriveClient, "download"),
        (SYNC, "create_job"),
        (Job.objects, "create"),
    ],
    ids=["before the download", "after it", "as the row is written"],
)
def test_whatever_dies_in_between(drive: Drive, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """What died is not done; the next look does the rest."""
    for number in range(3):
        drive.add(f"{number}.xlsx", workbook([(number, 1, None)]).getvalue())
    first: Callable[..., Any] = getattr(owner, name)
    calls: list[int] = []

    def die(*args: Any, **values: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit
        return first(*args, **values)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die)
        with pytest.raises(SystemExit):
            sync_drive()
    assert Job.objects.count() == 1
    assert len(sync_drive()) == 2
    assert run_all() == ["succeeded"] * 3


# --- Chosen by people -----------------------------------------------------------------------------------------------


def test_the_worker_fetches_it(drive: Drive, manager: User) -> None:
    entry = drive.add("一.xlsx", workbook().getvalue())
    job = import_from_drive(file_id=entry.id, job_type="test_stock", user=manager, on_error="skip")
    assert (job.file.name, job.size, job.sha256) == ("", 0, "")
    assert (job.file_name, job.source, job.on_error, job.automatic) == ("一.xlsx", "drive", "skip", False)
    assert not drive.asked("media")
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.size, len(job.sha256)) == ("succeeded", len(entry.content), 64)
    assert Path(job.file.path).read_bytes() == entry.content
    assert len(drive.asked("media")) == 1


def test_a_file_that_changed_meanwhile_is_what_it_is_now(drive: Drive, manager: User) -> None:
    entry = drive.add("一.xlsx", workbook().getvalue())
    job = import_from_drive(file_id=entry.id, job_type="test_stock", user=manager)
    version = job.drive_version
    drive.change(entry, workbook([(9, 9, None)]).getvalue())
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, stock()) == ("succeeded", {"9": 9})
    assert job.drive_version != version


def test_a_file_that_is_gone_when_the_worker_comes(drive: Drive, manager: User) -> None:
    entry = drive.add("一.xlsx", workbook().getvalue())
    job = import_from_drive(file_id=entry.id, job_type="test_stock", user=manager)
    drive.remove(entry)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.stage) == ("failed", "reading")
    assert "Google 雲端硬碟" in job.message


def test_a_retry_fetches_again_what_was_never_fetched(drive: Drive, manager: User) -> None:
    entry = drive.add("一.xlsx", workbook().getvalue())
    job = cancel_job(job=import_from_drive(file_id=entry.id, job_type="test_stock", user=manager), user=manager)
    again = retry_job(job=job, user=manager)
    run_job(again.pk)
    again.refresh_from_db()
    assert (again.status, bool(again.file)) == ("succeeded", True)


def test_no_such_file(drive: Drive, manager: User) -> None:
    with pytest.raises(NotFound):
        import_from_drive(file_id="nothing", job_type="test_stock", user=manager)
    assert not Job.objects.exists()


# --- Over REST ------------------------------------------------------------------------------------------------------


@pytest.fixture
def api(drive: Drive, manager: User, settings: Any) -> Client:
    settings.ROOT_URLCONF = "tests.jobs.urls"
    return token_client(manager)


def test_files_over_rest(api: Client, drive: Drive) -> None:
    one = drive.add("一.xlsx", workbook().getvalue())
    two = drive.add("二", workbook().getvalue(), mime_type=SHEET)
    sync_drive()
    run_all()
    drive.change(one, workbook([(1, 1, None)]).getvalue())
    first = api.get("/api/import/drive/files?page_size=1").json()["data"]
    rest = api.get(f"/api/import/drive/files?page_token={first['next_page_token']}").json()["data"]
    assert rest["next_page_token"] is None
    found = {item["id"]: item for item in first["items"] + rest["items"]}
    assert set(found) == {one.id, two.id}
    assert set(found[one.id]) == {"id", "name", "mime_type", "modified_at", "size", "imported"}
    assert (found[one.id]["imported"], found[two.id]["imported"]) == (False, True)
    assert found[one.id]["modified_at"].endswith("+08:00")
    undone = Job.objects.get(drive_file_id=two.id)
    undo_job(job=undone)
    again = api.get("/api/import/drive/files").json()["data"]["items"]
    assert {item["imported"] for item in again} == {False}


def test_import_over_rest(api: Client, drive: Drive, manager: User) -> None:
    entry = drive.add("一.xlsx", workbook().getvalue())
    given = {"file_id": entry.id, "job_type": "test_stock"}
    response = api.post(
        "/api/import/drive/import", given, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    again = api.post(
        "/api/import/drive/import", given, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert (response.status_code, again.content) == (202, response.content)
    job = Job.objects.get()
    assert response.json()["data"] == {"job_id": job.pk}
    assert job.created_by == manager
    assert run_all() == ["succeeded"]


def test_failures_over_rest(api: Client, drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_RETRIES = 0
    body = {"job_type": "test_stock", "file_id": "nothing"}
    check(api.post("/api/import/drive/import", body, content_type="application/json"), 404, "NOT_FOUND")
    drive.fail("list", "500", times=1)
    assert "Google 雲端硬碟" in check(api.get("/api/import/drive/files"), 502, "UPSTREAM_ERROR")["error"]
    check(api.get("/api/import/drive/files?page_token=nonsense"), 400, "VALIDATION_ERROR")

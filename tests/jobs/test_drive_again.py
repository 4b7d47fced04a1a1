"""Files of Google Drive that come back to what they were, and files that it does not hand out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from momo.core.errors import Conflict
from momo.jobs import importers
from momo.jobs.models import Job
from momo.jobs.services import import_from_drive, retry_job, run_job, sync_drive, undo_job
from momo.jobs.services.drive import TRIES
from notifications.models import OutboxMessage
from tests.fakes.drive import SHEET, Drive
from tests.fakes.drive.state import Entry
from tests.jobs.importer import StockImporter, stock
from tests.jobs.test_drive_import import CSV, FILES, IMPORT, csv
from tests.jobs.test_notify_jobs import subscribe
from tests.jobs.test_sync import SYNC, OtherImporter
from tests.kit.threads import at_once
from tests.kit.users import token_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def drive(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drive]:
    """A stand-in that the settings use, for files of the one kind that there is."""
    importer = StockImporter()
    monkeypatch.setattr(importers, "_registered", {importer.job_type: importer})
    with Drive() as drive:
        drive.use(settings, tmp_path, GOOGLE_DRIVE_RETRIES=0)
        yield drive


@pytest.fixture
def api(manager: User) -> Client:
    return token_client(manager)


def synced() -> list[str]:
    """How the jobs of one look at the folder ended."""
    ends = []
    for job in sync_drive():
        done = run_job(job.pk) if job.status == Job.Status.PENDING else job
        assert done is not None
        ends.append(str(done.status))
    return ends


def touch(drive: Drive, entry: Entry) -> None:
    drive.change(entry, entry.content)


def imported(api: Client) -> list[bool]:
    return [item["imported"] for item in api.get(FILES).json()["data"]["items"]]


# --- Content that comes back ----------------------------------------------------------------------------------------


def test_restored_content_counts_again(drive: Drive, api: Client) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    assert (synced(), stock(), imported(api)) == (["succeeded"], {"1": 1}, [True])
    for quantity in (2, 1, 2, 1):
        drive.change(entry, csv(1, quantity))
        assert imported(api) == [False], "what is in force is another version"
        assert synced() == ["succeeded"]
        assert (stock(), imported(api)) == ({"1": quantity}, [True])
        assert synced() == []


def test_a_touch_is_no_new_version(drive: Drive, api: Client) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    synced()
    for _ in range(3):
        touch(drive, entry)
        assert synced() == []
        assert imported(api) == [True]
    assert Job.objects.count() == 1


def test_a_sheet_counts_whenever_it_changed(drive: Drive) -> None:
    """It has no MD5: only the import shows that the content is the same."""
    entry = drive.add("試算表", csv(1, 1), mime_type=SHEET)
    for _ in range(2):
        assert len(sync_drive()) == 1
        assert sync_drive() == []
        touch(drive, entry)
    assert len(set(Job.objects.values_list("drive_version", flat=True))) == 2


def test_an_older_version_that_people_retried_stays(drive: Drive, manager: User, api: Client) -> None:
    """The newest job is of another version than the file, which had its turn already."""
    entry = drive.add("庫存.csv", csv(1, -1), mime_type=CSV)
    assert synced() == ["failed"]
    drive.change(entry, csv(1, 2))
    assert synced() == ["succeeded"]
    again = retry_job(job=Job.objects.earliest("pk"), user=manager)
    run_job(again.pk)
    assert sync_drive() == []
    assert imported(api) == [True]


def test_a_version_that_was_taken_back_is_imported_when_it_comes_again(drive: Drive) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    synced()
    undo_job(job=Job.objects.get())
    touch(drive, entry)
    assert synced() == [], "what people decided stays"
    for quantity in (2, 1):
        drive.change(entry, csv(1, quantity))
        assert synced() == ["succeeded"]
    assert stock() == {"1": 1}


def test_what_people_imported_counts_as_the_newest(drive: Drive, manager: User) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    synced()
    drive.change(entry, csv(1, 2))
    run_job(import_from_drive(file_id=entry.id, job_type="test_stock", user=manager).pk)
    assert synced() == []
    drive.change(entry, csv(1, 1))
    assert synced() == ["succeeded"]
    assert stock() == {"1": 1}


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_see_it_return_import_it_once(drive: Drive, settings: Any) -> None:
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    synced()
    drive.change(entry, csv(1, 2))
    synced()
    drive.change(entry, csv(1, 1))
    drive.fail("media", "slow", times=2, delay=0.3)
    made = at_once(*[sync_drive] * 2)
    assert (sum(map(len, made)), Job.objects.count()) == (1, 3)
    assert len(list(Path(settings.MEDIA_ROOT).rglob("*.bin"))) == 3


# --- What Drive does not hand out -----------------------------------------------------------------------------------


@pytest.fixture
def stuck(drive: Drive) -> Entry:
    """The oldest of three files; Drive never hands it out."""
    entry = drive.add("壞.csv", csv(1, 1), mime_type=CSV)
    drive.fail("media", "500", file=entry.id, times=None)
    for number in (2, 3):
        drive.add(f"{number}.csv", csv(number, number), mime_type=CSV)
    return entry


def give_up() -> Job:
    for _ in range(TRIES - 1):
        assert synced() == []
    assert synced() == ["failed", "succeeded", "succeeded"]
    return Job.objects.get(status="failed")


def test_a_file_that_never_comes_holds_up_the_others_for_a_while_only(stuck: Entry) -> None:
    job = give_up()
    assert stock() == {"2": 2, "3": 3}
    assert (job.file_name, job.drive_file_id, job.automatic, job.stage) == ("壞.csv", stuck.id, True, "reading")
    assert "HTTP 500" in job.message
    assert f"連續 {TRIES} 次" in job.message
    assert "重試" in job.message
    assert synced() == [], "it is said once"


def test_a_file_that_is_too_slow_is_given_up_as_well(drive: Drive, settings: Any) -> None:
    settings.GOOGLE_DRIVE_TIMEOUT = 0.2
    entry = drive.add("慢.csv", csv(1, 1), mime_type=CSV)
    drive.fail("media", "slow", file=entry.id, times=None, delay=0.5)
    drive.add("快.csv", csv(2, 2), mime_type=CSV)
    for _ in range(TRIES - 1):
        assert synced() == []
    assert synced() == ["failed", "succeeded"]


def test_a_skipped_file_is_notified(stuck: Entry) -> None:
    subscribe("import_failed")
    give_up()
    message = OutboxMessage.objects.get()
    assert "壞.csv" in message.body
    assert "HTTP 500" in message.body


def test_a_file_that_works_again_before_that_keeps_its_place(drive: Drive, stuck: Entry) -> None:
    for _ in range(TRIES - 1):
        assert synced() == []
    drive.faults.clear()
    assert [job.file_name for job in sync_drive()] == ["壞.csv", "2.csv", "3.csv"]


def test_tries_are_counted_for_each_file(drive: Drive, stuck: Entry) -> None:
    second = drive.files[list(drive.files)[1]]
    drive.fail("media", "429", file=second.id, times=None)
    for _ in range(TRIES - 1):
        assert synced() == []
    assert synced() == ["failed"]
    for _ in range(TRIES - 2):
        assert synced() == []
    assert synced() == ["failed", "succeeded"]
    assert stock() == {"3": 3}


def test_another_version_of_a_file_that_was_given_up_is_tried_anew(drive: Drive, stuck: Entry) -> None:
    give_up()
    drive.change(stuck, csv(1, 9))
    assert synced() == []
    drive.faults.clear()
    assert synced() == ["succeeded"]
    assert stock()["1"] == 9


def test_people_try_it_again_from_its_job(drive: Drive, stuck: Entry, manager: User) -> None:
    job = give_up()
    again = run_job(retry_job(job=job, user=manager).pk)
    assert again is not None
    assert (again.status, "HTTP 500" in again.message) == ("failed", True)
    drive.faults.clear()
    again = run_job(retry_job(job=job, user=manager).pk)
    assert again is not None
    assert (again.status, stock()["1"]) == ("succeeded", 1)
    assert synced() == []


def test_people_try_it_again_over_rest(drive: Drive, stuck: Entry, api: Client) -> None:
    give_up()
    drive.faults.clear()
    answer = api.post(IMPORT, {"file_id": stuck.id, "job_type": "test_stock"}, content_type="application/json")
    run_job(answer.json()["data"]["job_id"])
    assert (stock()["1"], imported(api)) == (1, [True, True, True])


def test_the_kind_of_a_file_that_was_given_up_is_what_it_was_before(drive: Drive, manager: User) -> None:
    """Its content would decide, and that is what is missing."""
    known, new = (drive.add(f"{name}.csv", csv(1, 1), mime_type=CSV) for name in ("舊", "新"))
    importers.register(OtherImporter())
    sync_drive()
    Job.objects.filter(drive_file_id=new.id).delete()
    drive.change(known, csv(1, 2))
    drive.fail("media", "500", times=None)
    for _ in range(2 * TRIES):
        sync_drive()
    kinds = {job.file_name: job for job in Job.objects.filter(status="failed")}
    assert {name: job.job_type for name, job in kinds.items()} == {"舊.csv": "test_stock", "新.csv": ""}
    assert "重試" in kinds["舊.csv"].message
    assert IMPORT in kinds["新.csv"].message
    assert new.id in kinds["新.csv"].message
    with pytest.raises(Conflict):
        retry_job(job=kinds["新.csv"], user=manager)


def test_a_permanent_refusal_is_recorded_and_holds_up_no_file(drive: Drive) -> None:
    entry = drive.add("私人.csv", csv(1, 1), mime_type=CSV)
    drive.fail("media", "forbidden", file=entry.id, times=None)
    drive.add("好.csv", csv(2, 2), mime_type=CSV)
    assert synced() == ["succeeded"]
    for _ in range(TRIES - 2):
        assert synced() == []
    assert synced() == ["failed"]
    assert drive.email in Job.objects.get(status="failed").message
    assert synced() == []


def test_what_is_wrong_with_the_account_is_no_files_fault(drive: Drive) -> None:
    """The quota of the day is there again tomorrow; by then no file may have been given up."""
    for number in range(2):
        drive.add(f"{number}.csv", csv(number, 1), mime_type=CSV)
    drive.fail("media", "forbidden", reason="dailyLimitExceeded", times=None)
    for _ in range(2 * TRIES):
        assert synced() == []
    drive.faults.clear()
    assert synced() == ["succeeded"] * 2


class Away:
    """A cache whose server does not answer, or that has just lost what it held."""

    def __init__(self, found: ValueError | None) -> None:
        self.found = found

    def add(self, key: str, value: int, timeout: int) -> None:
        pass

    def incr(self, key: str) -> None:
        if self.found:
            raise self.found


@pytest.mark.parametrize("found", [None, ValueError("not found")], ids=["away", "lost"])
def test_without_the_cache_it_waits_longer(
    found: ValueError | None, stuck: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(SYNC, "cache", Away(found))
        for _ in range(2 * TRIES):
            assert synced() == []
    assert give_up().file_name == "壞.csv"


def test_a_version_with_another_time_is_another_revision(drive: Drive) -> None:
    """Each is written down, so that a look that comes late does not repeat one."""
    entry = drive.add("庫存.csv", csv(1, 1), mime_type=CSV)
    first = entry.modified
    synced()
    drive.change(entry, csv(1, 2))
    synced()
    entry.content, entry.modified = csv(1, 1), first
    assert synced() == [], "the same content with the same time had its turn"
    entry.modified = first + timedelta(seconds=1)
    assert synced() == ["succeeded"]

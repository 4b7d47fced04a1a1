"""kill -9 while a report is fetched from Google Drive: it is fetched again, and counts once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as project_settings
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from momo.jobs.models import Job
from momo.jobs.retention import expired
from momo.jobs.services import import_from_drive, sync_drive
from tests.fakes.drive import Drive, Entry
from tests.faults.harness import House
from tests.faults.imports import KILLS, ROWS, ImportWorld, import_settings, report, strike
from tests.kit.processes import wait_until

pytestmark = pytest.mark.faults

STALL = 2.0  # seconds that a stalled answer takes: long enough to strike meanwhile
TRICKLE = 0.0002  # seconds a byte, at least; the file has some thousand


@pytest.fixture
def drive() -> Iterator[Drive]:
    with Drive() as running:
        yield running


@pytest.fixture
def entry(drive: Drive) -> Entry:
    return drive.add("日報.xlsx", report(ROWS, 2))


@pytest.fixture
def world(
    house: House, drive: Drive, django_db_blocker: DjangoDbBlocker, settings: Any, tmp_path: Path
) -> Iterator[ImportWorld]:
    """A worker that knows the stand-in is starting in it."""
    drive.use(settings, tmp_path)
    with import_settings(house, django_db_blocker, settings):
        own = tmp_path / "media"  # of this test alone, to see what is left there
        # What several tests share is prepared in here, by the first of them, and keeps its files elsewhere.
        made = ImportWorld(house, more={**drive.settings(tmp_path), "MEDIA_ROOT": str(own)})
        settings.MEDIA_ROOT = own
        with made.opened(made.prepared.first, worker=True):
            yield made


def start(entry: Entry) -> Job:
    """As when somebody chose the file."""
    return import_from_drive(file_id=entry.id, job_type="daily_sales", user=None)


def assert_fetched(world: ImportWorld, job: Job, entry: Entry) -> None:
    """Imported once, and after the clean-up its file is the only one."""
    world.assert_as_if_nothing_had_happened(job)
    with job.file.open() as kept:
        assert kept.read() == entry.content
    assert job.size == len(entry.content)
    expired(now=timezone.now() + timedelta(days=1, minutes=1))["沒有紀錄的匯入檔案"].delete()
    media = Path(project_settings.MEDIA_ROOT)
    assert [str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()] == [job.file.name]


# Who asks for a token, for what the file is, and for the file itself.
@pytest.mark.parametrize(("operation", "kind"), [("token", "slow"), ("get", "slow"), ("media", "trickle")])
@pytest.mark.parametrize("how", KILLS)
def test_while_it_downloads(
    world: ImportWorld, drive: Drive, entry: Entry, operation: str, kind: str, how: str
) -> None:
    job = start(entry)
    already = len(drive.asked(operation))
    drive.fail(operation, kind, delay=TRICKLE if kind == "trickle" else STALL)
    wait_until(lambda: len(drive.asked(operation)) > already, f"somebody to ask for {operation}")
    strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    assert job.attempt >= 2
    assert_fetched(world, job, entry)


@pytest.mark.parametrize("how", KILLS)
def test_when_the_file_is_kept_and_the_job_does_not_know(
    world: ImportWorld, drive: Drive, entry: Entry, how: str
) -> None:
    drive.fail("media", "slow", delay=STALL)
    job = start(entry)
    wait_until(lambda: drive.asked("media"), "somebody to ask for the file")
    with world.elsewhere() as holder:
        holder.execute("SELECT 1 FROM jobs_job WHERE id = %s FOR UPDATE", [job.pk])
        wait_until(lambda: world.waits("query LIKE '%\"sha256\" =%'"), "the file to be recorded")
        strike(world, how)
    world.assert_nothing_counts()
    world.recover(job)
    assert job.attempt >= 2
    # The statement of a dead worker was sent, and counts as soon as it may; then nobody need ask again.
    assert len(drive.asked("media")) == (2 if how == "postgres" else 1)
    assert_fetched(world, job, entry)


@pytest.mark.parametrize("how", ["all", "pool"])
def test_while_the_schedule_downloads(world: ImportWorld, drive: Drive, entry: Entry, how: str) -> None:
    drive.fail("media", "trickle", delay=TRICKLE)
    current_app.send_task("jobs.drive_sync")
    wait_until(lambda: drive.asked("media"), "the schedule's task to ask for the file")
    strike(world, how)
    world.assert_nothing_counts()
    mine = Job.objects.filter(drive_file_id=entry.id)
    # The next time that it is due; the task itself may have come back as well.
    sync_drive()
    job = mine.get()
    world.recover(job)
    assert sync_drive() == []
    assert mine.get() == job
    assert_fetched(world, job, entry)

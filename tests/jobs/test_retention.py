"""Files go after their time; the rows stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from momo.core.retention import Expired
from momo.jobs.models import Job
from momo.jobs.retention import OldFiles, expired
from momo.jobs.services import retry_job, run_job
from tests.jobs.importer import workbook

pytestmark = pytest.mark.django_db


def files(days: int) -> OldFiles:
    old = expired(now=timezone.now() + dt.timedelta(days=days))["匯入的檔案"]
    assert isinstance(old, OldFiles)
    return old


def test_old_files_go(job_of: Callable[..., Job]) -> None:
    job, waiting = job_of(), job_of()
    run_job(job.pk)
    assert (files(89).count(), files(89).size()) == (0, 0)
    assert (files(91).count(), files(91).size()) == (1, job.size)
    path = Path(job.file.path)
    assert files(91).delete() == (1, {"jobs.Job.file": 1})
    assert not path.exists()
    job.refresh_from_db()
    assert (job.file.name, job.status, len(job.sha256)) == ("", "succeeded", 64)
    assert Path(waiting.file.path).exists(), "the queue may be long"
    assert (files(91).count(), files(91).delete()[0]) == (0, 0)


def test_a_file_that_is_tried_again_stays(job_of: Callable[..., Job]) -> None:
    job = job_of(workbook([("x", "x", None)]))
    run_job(job.pk)
    job.refresh_from_db()
    again = retry_job(job=job)
    assert files(91).count() == 0
    run_job(again.pk)
    assert (files(91).count(), files(91).size()) == (1, job.size)
    assert files(91).delete()[0] == 1
    assert set(Job.objects.values_list("file", flat=True)) == {""}


def test_a_file_that_went_by_itself(job_of: Callable[..., Job]) -> None:
    job = job_of()
    run_job(job.pk)
    Path(job.file.path).unlink()
    assert files(91).delete()[0] == 1


def test_files_of_no_job(job_of: Callable[..., Job], settings: Any) -> None:
    def stray(hours: int) -> Expired:
        return expired(now=timezone.now() + dt.timedelta(hours=hours))["沒有紀錄的匯入檔案"]

    assert stray(25).count() == 0, "there is no folder yet"
    kept, gone = job_of(), job_of()
    Job.objects.filter(pk=gone.pk).delete()
    other = Path(settings.MEDIA_ROOT) / "other.bin"
    other.write_bytes(b"x")
    assert stray(23).count() == 0
    assert (stray(25).count(), stray(25).size()) == (1, gone.size)
    assert stray(25).delete()[0] == 1
    assert not Path(gone.file.path).exists()
    assert Path(kept.file.path).exists()
    assert other.exists()

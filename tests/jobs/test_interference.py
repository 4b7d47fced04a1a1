"""Jobs that are cancelled, taken over, or released from silent workers: nothing of these attempts counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Conflict
from momo.core.work import claim
from momo.jobs.models import Job, JobError
from momo.jobs.services import cancel_job, release_silent_jobs, run_job
from tests.jobs.importer import StockImporter, stock

pytestmark = pytest.mark.django_db

Make = Callable[..., Job]


def ended(job: Job) -> Job:
    """Run it."""
    assert run_job(job.pk) is not None
    job.refresh_from_db()
    return job


# --- Cancelling -----------------------------------------------------------------------------------------------------


def test_a_waiting_job_is_cancelled_at_once(job_of: Make, manager: User) -> None:
    job = cancel_job(job=job_of(), user=manager)
    assert (job.status, job.message, job.result) == ("cancelled", "已取消", {"cancelled_by": "max"})
    assert job.finished_at is not None
    assert run_job(job.pk) is None
    with pytest.raises(Conflict, match="已取消"):
        cancel_job(job=job, user=manager)


@pytest.mark.parametrize("stage", ["reading", "checking", "publishing"])
def test_a_running_job_ends_before_its_rows_count(job_of: Make, stage: str) -> None:
    job = job_of()

    def cancel(now: Job) -> None:
        if now.stage == stage:
            assert cancel_job(job=Job.objects.get(pk=job.pk)).status == "running"

    run_job(job.pk, on_progress=cancel)
    job.refresh_from_db()
    assert (job.status, job.stage, job.message) == ("cancelled", stage, "已取消")
    assert stock() == {}


def test_the_last_moment_to_cancel(job_of: Make, stock_importer: StockImporter) -> None:
    stock_importer.after_publish = lambda job: cancel_job(job=job)
    job = ended(job_of())
    assert (job.status, stock()) == ("cancelled", {})


@pytest.mark.parametrize("status", ["succeeded", "failed", "undone"])
def test_what_has_ended_is_not_cancelled(job_of: Make, status: str) -> None:
    job = job_of()
    Job.objects.update(status=status)
    with pytest.raises(Conflict):
        cancel_job(job=job)
    job.refresh_from_db()
    assert (job.status, job.cancel_requested) == (status, False)


# --- Silence --------------------------------------------------------------------------------------------------------


def silent(job: Job, **values: Any) -> Job:
    """As a worker leaves a job that dies."""
    claim(Job.objects.all(), job.pk)
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=61), **values)
    return job


def test_stale_jobs_are_taken_up_again(job_of: Make) -> None:
    job = silent(job_of())
    fresh = job_of()
    claim(Job.objects.all(), fresh.pk)
    assert release_silent_jobs() == [job]
    job.refresh_from_db()
    assert (job.status, job.stage, job.attempt, job.heartbeat_at) == ("pending", "queued", 1, None)
    assert ended(job).status == "succeeded"
    assert job.attempt == 2


def test_stale_jobs_fail_in_the_end(job_of: Make, settings: Any) -> None:
    job = silent(job_of(), attempt=settings.IMPORT_ATTEMPTS)
    assert release_silent_jobs() == [job]
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("failed", 3)
    assert "3 次" in job.message
    assert release_silent_jobs() == []


def test_a_stale_job_that_was_to_be_cancelled(job_of: Make) -> None:
    job = silent(job_of(), cancel_requested=True)
    release_silent_jobs()
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_a_slow_worker_publishes_nothing_after_its_job_was_released(
    job_of: Make, stock_importer: StockImporter
) -> None:
    def fall_asleep(job: Job) -> None:
        with transaction.atomic():
            Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=61))
        release_silent_jobs()

    stock_importer.after_publish = fall_asleep
    job = job_of()
    assert run_job(job.pk) is None
    assert stock() == {}
    assert JobError.objects.count() == 0

"""Undo and retry."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from momo.core.errors import Conflict
from momo.jobs import importers
from momo.jobs.models import Job
from momo.jobs.services import retry_job, run_job, undo_job
from tests.jobs.importer import StockImporter, stock, workbook

pytestmark = pytest.mark.django_db

Make = Callable[..., Job]


def imported(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == "succeeded"
    return job


def test_undo_brings_back_what_was(job_of: Make, manager: User) -> None:
    imported(job_of())
    before = stock()
    job = imported(job_of(workbook([(1001, 30, None), (1009, 1, None)])))
    assert stock() == before | {"1001": 30, "1009": 1}
    undone = undo_job(job=job, user=manager)
    assert undone.status == "undone"
    assert undone.result["before"] == {"1001": 3, "1009": None}
    assert {"by": "max", "codes": 2}.items() <= undone.result["undo"].items()
    assert "at" in undone.result["undo"]
    assert stock() == before


def test_undo_twice(job_of: Make, manager: User) -> None:
    job = imported(job_of())
    undo_job(job=job, user=manager)
    with pytest.raises(Conflict, match="已經復原"):
        undo_job(job=job, user=manager)
    job.refresh_from_db()
    assert job.status == "undone"


@pytest.mark.parametrize("status", ["pending", "running", "failed", "cancelled"])
def test_only_what_succeeded_is_undone(job_of: Make, status: str) -> None:
    job = job_of()
    Job.objects.update(status=status)
    with pytest.raises(Conflict, match=job.Status(status).label):
        undo_job(job=job)
    job.refresh_from_db()
    assert job.status == status


def test_what_the_importer_forbids(job_of: Make) -> None:
    job = imported(job_of())
    imported(job_of(workbook([("locked", 1, None)])))
    before = stock()
    with pytest.raises(Conflict, match="鎖定"):
        undo_job(job=job)
    job.refresh_from_db()
    assert (job.status, stock()) == ("succeeded", before)


def test_a_kind_that_is_gone(job_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    job = imported(job_of())
    monkeypatch.delitem(importers._registered, "test_stock")
    with pytest.raises(Conflict):
        undo_job(job=job)
    Job.objects.update(status="failed")
    job.refresh_from_db()
    with pytest.raises(Conflict):
        retry_job(job=job)


@pytest.mark.django_db(transaction=True)
def test_two_undo_at_once(job_of: Make, stock_importer: StockImporter, monkeypatch: pytest.MonkeyPatch) -> None:
    job = imported(job_of())
    both = threading.Barrier(2, timeout=10)
    outcomes: list[Any] = []

    def undo() -> None:
        both.wait()
        try:
            outcomes.append(undo_job(job=Job.objects.get(pk=job.pk)).status)
        except Conflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=undo) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(outcomes) == ["conflict", "undone"]
    assert stock() == {}


def test_retry_may_treat_errors_another_way(job_of: Make) -> None:
    job = job_of()
    Job.objects.update(status="failed")
    job.refresh_from_db()
    assert [retry_job(job=job).on_error, retry_job(job=job, on_error="skip").on_error] == ["reject", "skip"]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_retry_is_a_new_job_on_the_same_file(
    job_of: Make, manager: User, status: str, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueued: list[int] = []
    monkeypatch.setattr(Job, "enqueue", lambda job: enqueued.append(job.pk))
    job = job_of(on_error="skip")
    Job.objects.update(status=status)
    job.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        again = retry_job(job=job, user=manager)
    assert enqueued == [again.pk]
    assert (again.retry_of, again.created_by, again.status, again.on_error) == (job, manager, "pending", "skip")
    assert again.token != job.token
    assert (again.file.name, again.sha256, again.file_name) == (job.file.name, job.sha256, job.file_name)
    imported(again)
    job.refresh_from_db()
    assert job.status == status


@pytest.mark.parametrize("status", ["pending", "running", "succeeded", "undone"])
def test_what_is_not_tried_again(job_of: Make, status: str) -> None:
    job = job_of()
    Job.objects.update(status=status)
    job.refresh_from_db()
    with pytest.raises(Conflict):
        retry_job(job=job)
    assert Job.objects.count() == 1


def test_a_file_that_is_no_longer_kept(job_of: Make) -> None:
    job = job_of()
    Job.objects.update(status="failed", file="")
    job.refresh_from_db()
    with pytest.raises(Conflict, match="重新上傳"):
        retry_job(job=job)

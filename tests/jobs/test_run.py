"""A job from claim to end: what counts, the messages, and what may interfere when."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from momo.core.errors import Conflict
from momo.core.work import claim
from momo.jobs.importers import Table
from momo.jobs.models import ColumnAlias, Job
from momo.jobs.services import run_job
from tests.jobs.importer import ROWS, StockImporter, stock, workbook

pytestmark = pytest.mark.django_db

BAD = ((1001, 3, "甲"), (1002, "三", "乙"), (1003, -1, None), (1004, None, "丁"))
Make = Callable[..., Job]


def ended(job: Job) -> Job:
    """Run it."""
    assert run_job(job.pk) is not None
    job.refresh_from_db()
    return job


def test_a_good_file(job_of: Make) -> None:
    job = ended(job_of())
    assert (job.status, job.stage, job.progress, job.attempt) == ("succeeded", "done", 100, 1)
    assert (job.total_rows, job.processed_rows, job.created, job.updated, job.skipped) == (3, 3, 3, 0, 0)
    assert (job.error_count, job.message) == (0, "匯入 3 列")
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at
    assert stock() == {"1001": 3, "1002": 5, "1003": 7}


def test_again_it_updates(job_of: Make) -> None:
    ended(job_of())
    job = ended(job_of(workbook([(1001, 4, "甲"), (1009, 1, None)])))
    assert (job.created, job.updated) == (1, 1)
    assert stock() == {"1001": 4, "1002": 5, "1003": 7, "1009": 1}


def test_headers_that_staff_have_taught(job_of: Make) -> None:
    header = ("貨號", "數量", "備註")
    assert ended(job_of(workbook(header=header))).status == "failed"
    ColumnAlias.objects.create(job_type="test_stock", field="code", alias="貨號")
    assert ended(job_of(workbook(header=header))).status == "succeeded"


def test_bad_rows_reject_the_file(job_of: Make) -> None:
    job = ended(job_of(workbook(BAD)))
    assert (job.status, job.stage, job.error_count, job.total_rows) == ("failed", "checking", 3, 4)
    assert "3 個錯誤" in job.message
    assert stock() == {}
    errors = list(job.errors.values_list("row", "column", "value"))
    assert errors == [(3, "數量", "三"), (4, "數量", "-1"), (5, "數量", "")]
    assert all(job.errors.values_list("message", flat=True))


def test_bad_rows_are_skipped(job_of: Make) -> None:
    job = ended(job_of(workbook(BAD), on_error="skip"))
    assert (job.status, job.created, job.skipped, job.error_count) == ("succeeded", 1, 3, 3)
    assert job.message == "匯入 1 列，略過 3 列有錯的資料"
    assert (job.total_rows, job.processed_rows) == (4, 4)
    assert stock() == {"1001": 3}
    assert job.errors.count() == 3


def test_nothing_is_left_to_import(job_of: Make) -> None:
    job = ended(job_of(workbook([(1001, "三", None)]), on_error="skip"))
    assert (job.status, job.message) == ("failed", "每一列都有錯，沒有可以匯入的資料")
    assert job.errors.count() == 1


def test_only_so_many_errors_are_kept(job_of: Make, settings: Any) -> None:
    settings.IMPORT_MAX_ERRORS = 5
    job = ended(job_of(workbook([(code, "x", None) for code in range(1, 21)])))
    assert (job.error_count, job.errors.count()) == (20, 5)
    assert list(job.errors.values_list("row", flat=True)) == [2, 3, 4, 5, 6]


def test_texts_that_no_database_takes(job_of: Make, stock_importer: StockImporter) -> None:
    def complain(table: Table) -> None:
        table.columns["note"][0] = "a\0b\ud800" + "長" * 500
        table.fail(0, "note", "不\0好" * 200)
        table.fail(0, "note", "the same cell again")

    stock_importer.on_check = complain
    job = ended(job_of())
    error = job.errors.get()
    assert error.value.startswith("ab長")
    assert (len(error.value), len(error.message)) == (200, 300)
    assert job.error_count == 1


def test_notes_that_no_database_takes(job_of: Make) -> None:
    """A note quotes the file."""
    job = ended(job_of(io.BytesIO("代號,數量\n1001,3\n製表人：\0王,\n".encode())))
    assert (job.status, job.created) == ("succeeded", 1)
    assert job.result["notes"] == ["不是資料、沒有匯入的列：第 3 列「製表人：王」（1 列）"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"%PDF-1.7 nothing of a sheet", "PDF"),
        (b"PK\x03\x04 cut off", ""),
        (workbook(header=("a", "b", "c")).getvalue(), ""),
        (workbook(header=("代號", "備註", "x")).getvalue(), "數量"),
        (workbook([]).getvalue(), ""),
    ],
    ids=["pdf", "corrupt", "no header", "column missing", "no rows"],
)
def test_files_that_cannot_be_read(job_of: Make, content: bytes, text: str) -> None:
    job = ended(job_of(io.BytesIO(content)))
    assert job.status == "failed"
    assert text in job.message
    assert job.message
    assert "系統發生錯誤" not in job.message


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValidationError(["一", "二"]), "一；二"),
        (Conflict("同一天正在匯入"), "同一天正在匯入"),
    ],
)
def test_refusals_are_the_message(job_of: Make, stock_importer: StockImporter, error: Exception, text: str) -> None:
    def refuse(job: Job) -> None:
        raise error

    stock_importer.after_publish = refuse
    job = ended(job_of())
    assert (job.status, job.stage, job.message) == ("failed", "publishing", text)
    assert stock() == {}


def test_an_importer_refuses(job_of: Make) -> None:
    job = ended(job_of(workbook([(1, 1, None), (2, 999, None)])))
    assert (job.status, job.message) == ("failed", "數量 999 是保留的")
    assert stock() == {}


@pytest.mark.parametrize("where", ["on_check", "before_publish", "after_publish"])
def test_nothing_of_an_exception_leaks(
    job_of: Make, stock_importer: StockImporter, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(_: Any) -> None:
        raise RuntimeError("secret /etc/path")

    setattr(stock_importer, where, crash)
    with caplog.at_level(logging.ERROR):
        job = ended(job_of())
    assert (job.status, job.attempt) == ("failed", 1)
    assert "secret" not in job.message
    assert str(job.pk) in job.message
    assert stock() == {}
    assert f"import {job.pk}" in caplog.text
    assert "secret /etc/path" in caplog.text


def test_a_type_that_is_gone(job_of: Make) -> None:
    job = job_of()
    Job.objects.update(job_type="gone")
    assert ended(job).status == "failed"
    assert "gone" in job.message


def test_a_file_that_is_gone(job_of: Make) -> None:
    job = job_of()
    job.file.storage.delete(job.file.name)
    assert ended(job).status == "failed"
    assert "重新上傳" in job.message
    other = job_of()
    Job.objects.filter(pk=other.pk).update(file="")
    assert "重新上傳" in ended(other).message


def test_a_job_is_claimed_once(job_of: Make) -> None:
    job = job_of()
    claimed = claim(Job.objects.all(), job.pk)
    assert claimed is not None
    assert (claimed.status, claimed.attempt, claimed.stage) == ("running", 1, "reading")
    assert claim(Job.objects.all(), job.pk) is None
    assert run_job(job.pk) is None
    assert run_job(0) is None
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    again = claim(Job.objects.all(), job.pk)
    assert again is not None
    assert again.attempt == 2


def test_nothing_to_do_for_a_job_that_has_ended(job_of: Make) -> None:
    job = ended(job_of())
    finished = job.finished_at
    assert run_job(job.pk) is None
    job.refresh_from_db()
    assert job.finished_at == finished


@pytest.mark.parametrize("where", ["on_check", "before_publish", "after_publish"])
def test_a_worker_that_is_taken_over_publishes_nothing(job_of: Make, stock_importer: StockImporter, where: str) -> None:
    job = job_of()

    def take_over(_: Any) -> None:
        Job.objects.filter(pk=job.pk).update(attempt=F("attempt") + 1)

    setattr(stock_importer, where, take_over)
    assert run_job(job.pk) is None
    job.refresh_from_db()
    assert (job.status, stock()) == ("running", {})


@pytest.mark.parametrize("failures", [1, 2])
def test_a_deadlock_is_tried_again(job_of: Make, stock_importer: StockImporter, failures: int) -> None:
    left = [OperationalError("deadlock detected"), psycopg.OperationalError("connection lost")][:failures]

    def fail(_: Job) -> None:
        if left:
            raise left.pop()

    stock_importer.after_publish = fail
    job = ended(job_of())
    assert (job.status, job.attempt) == ("succeeded", failures + 1)
    assert stock() == {"1001": 3, "1002": 5, "1003": 7}


def test_trying_again_ends(job_of: Make, stock_importer: StockImporter, settings: Any) -> None:
    def fail(_: Job) -> None:
        raise OperationalError("deadlock detected")

    settings.IMPORT_ATTEMPTS = 2
    stock_importer.after_publish = fail
    job = ended(job_of())
    assert (job.status, job.attempt) == ("failed", 3)
    assert "2 次" in job.message
    assert stock() == {}


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_worker_that_is_stopped_gives_the_job_back(
    job_of: Make, stock_importer: StockImporter, signal: type[BaseException]
) -> None:
    def stop(_: Job) -> None:
        raise signal

    stock_importer.before_publish = stop
    job = job_of()
    with pytest.raises(signal):
        run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.stage, job.attempt, job.heartbeat_at) == ("pending", "queued", 1, None)
    stock_importer.before_publish = lambda job: None
    assert ended(job).status == "succeeded"


def test_queries(job_of: Make, django_assert_num_queries: Any) -> None:
    """However many rows a file has: claim, aliases, three looks, the end, and what the importer asks."""
    job = job_of(workbook([(code, 1, None) for code in range(40)]))
    small = job_of(workbook(ROWS[:1]))
    for one in (job, small):
        with django_assert_num_queries(16):
            run_job(one.pk)

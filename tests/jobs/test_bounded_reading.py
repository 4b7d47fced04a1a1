"""What an import may take: its reading process is bounded, and only so many errors are kept."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable
from typing import Any

import openpyxl
import psutil
import pytest

from momo.jobs.importers import Table
from momo.jobs.marked import errors_workbook
from momo.jobs.models import Job
from momo.jobs.services import run_job
from momo.sheets.bounded import warm
from momo.sheets.process.pool import pool
from tests.jobs.importer import StockImporter, workbook

pytestmark = pytest.mark.django_db

Make = Callable[..., Job]


def ended(job: Job) -> Job:
    """Run it."""
    assert run_job(job.pk) is not None
    job.refresh_from_db()
    return job


def test_errors_beyond_those_kept_take_no_memory(job_of: Make, stock_importer: StockImporter, settings: Any) -> None:
    settings.IMPORT_MAX_ERRORS = 5
    seen: list[Table] = []
    stock_importer.on_check = seen.append
    # Wrong in one column for the reader, in another for the importer.
    rows = [(code, "x" if code % 2 else -code, None) for code in range(1, 401)]
    job = ended(job_of(workbook([*rows, (1001, 3, None)]), on_error="skip"))
    (table,) = seen
    assert (job.error_count, job.errors.count(), job.skipped) == (400, 5, 400)
    assert list(job.errors.values_list("row", "value")) == [(2, "x"), (3, "-2"), (4, "x"), (5, "-4"), (6, "x")]
    assert len(table.errors) <= 10


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("SHEET_MEMORY_MIB", 1, "記憶體超過 1 MB 的上限"), ("SHEET_SECONDS", 0.001, "超過 0.001 秒還沒完成")],
)
def test_reading_is_bounded(job_of: Make, settings: Any, name: str, value: float, text: str) -> None:
    setattr(settings, name, value)
    job = ended(job_of(workbook([(code, 1, "x" * 100) for code in range(5_000)])))
    assert (job.status, job.stage, job.attempt) == ("failed", "reading", 1)
    assert text in job.message
    assert "庫存.xlsx" in job.message


@pytest.mark.parametrize(("kills", "status"), [(1, "succeeded"), (2, "failed")])
def test_a_reading_process_that_is_killed(job_of: Make, kills: int, status: str) -> None:
    """Once it may be chance, as when the system is short of memory; twice it is the file."""
    warm()
    over = threading.Event()
    killed = 0

    def kill() -> None:
        nonlocal killed
        server = psutil.Process(pool._process.pid) if pool._process else None
        while server and killed < kills and not over.is_set():
            for reader in server.children()[:1]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    reader.kill()
                    reader.wait(5)
                    killed += 1

    killer = threading.Thread(target=kill)
    killer.start()
    job = ended(job_of(workbook([(code, 1, "x") for code in range(5_000)])))
    over.set()
    killer.join()
    assert (job.status, job.attempt, killed) == (status, 1, kills)
    assert ("2 次都意外結束" in job.message) == (kills == 2)


@pytest.mark.parametrize("own_file", [True, False])
def test_the_workbook_of_errors_says_that_it_is_cut(job_of: Make, settings: Any, own_file: bool) -> None:
    settings.IMPORT_MAX_ERRORS = 5
    job = ended(job_of(workbook([(code, "x", None) for code in range(1, 21)])))
    _, handle, _ = errors_workbook(job, own_file=own_file)
    with handle:
        book = openpyxl.load_workbook(io.BytesIO(handle.read()))
    page = book["匯入錯誤"]
    texts = [str(cell) for row in page.iter_rows(max_row=2, values_only=True) for cell in row]
    assert any("共有 20 個錯誤，這裡只有前 5 個" in text for text in texts), texts
    assert (page.max_row, book["匯入錯誤明細"].max_row) == (1 + 1 + 1, 1 + 5)

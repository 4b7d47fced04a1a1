"""A look at a file before anything is written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import User
from momo.core.errors import ValidationFailed
from momo.jobs.models import ColumnAlias, Job
from momo.jobs.services import create_job, preview, run_job
from momo.sheets.errors import SheetError
from tests.jobs.importer import StockImporter, workbook
from tests.kit.users import session_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.bin"


def test_what_is_shown(stock_importer: StockImporter, path: Path) -> None:
    rows = [(1000 + number, number, None) for number in range(30)] + [(1, "三", "x"), (2, -2, None)]
    path.write_bytes(workbook([(*row, "?") for row in rows], header=("代號", "數量", "備註", "別的")).getvalue())
    seen = preview(path, name="庫存.xlsx", job_type="test_stock")
    assert seen.matched == [("代號", "代號"), ("數量", "數量"), ("備註", "備註")]
    assert (seen.labels, seen.unknown, seen.header_row) == (["代號", "數量", "備註"], ["別的"], 1)
    assert (seen.total, seen.error_count, len(seen.errors), seen.bad) == (32, 2, 2, 2)
    assert [(error.row, error.column, error.value) for error in seen.errors] == [(32, "數量", "三"), (33, "數量", "-2")]
    assert len(seen.rows) == len(seen.raw) == 20
    assert seen.rows[1] == (3, ["1001", "1", ""])
    assert seen.raw[1] == (3, ["1001", "1", ""])
    assert seen.note == "30 個代號"
    assert not Job.objects.exists()
    assert not ColumnAlias.objects.exists()


def test_columns_that_mean_the_same_are_shown(stock_importer: StockImporter, path: Path) -> None:
    path.write_bytes(workbook([(1, 2, 3)], header=("編號", "數量", "代號")).getvalue())
    seen = preview(path, name="庫存.xlsx", job_type="test_stock")
    assert seen.matched == [("數量", "數量"), ("代號", "代號")]
    assert list(seen.spare) == [("代號", "代號", "編號")]
    assert (list(seen.unknown), list(seen.kinds)) == ([], ["integer", "code"])


def test_what_was_filled_or_left_out_is_said(
    stock_importer: StockImporter, path: Path, manager: User, settings: Any
) -> None:
    """Before the import in the preview, and afterwards in its result and on its page."""
    settings.ROOT_URLCONF = "momo.urls"
    client = session_client(manager)
    content = workbook([(1, 2, "x"), ("合計", 2, None), ("製表人：王小明", None, None)]).getvalue()
    path.write_bytes(content)
    wanted = "不是資料、沒有匯入的列：第 3 列「合計」、第 4 列「製表人：王小明」（2 列）"
    assert [note.text for note in preview(path, name="庫存.xlsx", job_type="test_stock").notes] == [wanted]
    file = SimpleUploadedFile("庫存.xlsx", content)
    shown = client.post(reverse("admin:jobs_job_preview"), {"job_type": "test_stock", "file": file})
    assert wanted in shown.content.decode()
    job = create_job(
        job_type="test_stock",
        source="upload",
        file_name="庫存.xlsx",
        content=io.BytesIO(content),
        user=None,
        dispatch=False,
    )
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.message, job.result["notes"]) == ("succeeded", "匯入 1 列", [wanted])
    assert wanted in client.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()


def test_a_preview_asks_once(stock_importer: StockImporter, path: Path, django_assert_num_queries: object) -> None:
    path.write_bytes(workbook().getvalue())
    with django_assert_num_queries(1):  # type: ignore[operator]
        preview(path, name="庫存.xlsx", job_type="test_stock")


def test_what_cannot_be_read(stock_importer: StockImporter, path: Path) -> None:
    path.write_bytes(b"%PDF-1.7")
    with pytest.raises(SheetError):
        preview(path, name="庫存.xlsx", job_type="test_stock")


def test_an_unknown_type(stock_importer: StockImporter, path: Path) -> None:
    with pytest.raises(ValidationFailed):
        preview(path, name="庫存.xlsx", job_type="other")


def test_another_sheet_of_the_same_report_is_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for number, name in enumerate(("一月", "二月")):
        sheet = book.active if number == 0 else book.create_sheet()
        sheet.title = name
        sheet.append(["日期", "品號", "數量", "業績"])
        sheet.append(["2026/11/01", f"100{number}", 1, 100])
    path = tmp_path / "兩張.xlsx"
    book.save(path)
    assert list(preview(path, name="兩張.xlsx", job_type="daily_sales").others) == ["二月"]
    with path.open("rb") as content:
        job = create_job(
            job_type="daily_sales",
            source="upload",
            file_name="兩張.xlsx",
            content=content,
            user=None,
            dispatch=False,
        )
    done = run_job(job.pk)
    assert done is not None
    assert (done.status, done.created) == ("succeeded", 1)
    assert "工作表「二月」沒有匯入" in done.message

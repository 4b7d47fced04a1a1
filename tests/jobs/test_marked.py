"""All errors of a job, in the user's own workbook."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

import openpyxl
import pytest

from momo.core.errors import NotFound
from momo.jobs.marked import errors_workbook
from momo.jobs.models import Job
from momo.jobs.retention import OldFiles
from momo.jobs.services import run_job
from momo.sheets import marks
from momo.sheets.write import XLSX
from tests.jobs.importer import stock, workbook

pytestmark = pytest.mark.django_db

ROWS = ((1001, 3, "甲"), (1002, "三", "-乙"), (1003, -1, None))


@pytest.fixture
def failed(job_of: Callable[..., Job]) -> Job:
    job = job_of(workbook(ROWS), file_name="庫存 1.xlsx")
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.error_count, job.sheet) == (2, "Sheet")
    return job


def read(handle: BinaryIO) -> openpyxl.Workbook:
    with handle:
        return openpyxl.load_workbook(io.BytesIO(handle.read()))


def test_the_users_own_workbook(failed: Job) -> None:
    name, handle, content_type = errors_workbook(failed, own_file=True)
    assert (name, content_type) == ("庫存 1_錯誤.xlsx", XLSX)
    sheet = read(handle)["Sheet"]
    assert [cell.value for cell in sheet[2]] == [1001, 3, "甲"]
    commented = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    assert set(commented) == {"B3", "B4"}
    assert "數量不可為負數" in commented["B4"]


def test_a_user_without_permission_for_the_file_gets_the_list(failed: Job) -> None:
    name, handle, content_type = errors_workbook(failed, own_file=False)
    assert (name, content_type) == ("庫存 1_錯誤清單.xlsx", XLSX)
    book = read(handle)
    assert book.sheetnames == ["匯入錯誤"]
    cells = [value for row in book["匯入錯誤"].iter_rows(values_only=True) for value in row]
    assert "三" in cells
    assert not {"甲", 1001} & set(cells)


@pytest.mark.parametrize("own_file", [True, False])
def test_equal_errors_are_one_line(job_of: Callable[..., Job], own_file: bool) -> None:
    """The sheet behind the groups has each error; in the user's own workbook both lead to the cells."""
    job = job_of(workbook([(1, 1, None), *((code, f"x{code}", None) for code in range(2, 7)), (9, -1, None)]))
    run_job(job.pk)
    job.refresh_from_db()
    book = read(errors_workbook(job, own_file=own_file)[1])
    assert book.sheetnames == ["匯入錯誤", "匯入錯誤明細", *(["Sheet"] if own_file else [])]
    groups, singles = book.worksheets[:2]
    headings, first, second = groups.iter_rows(values_only=True)
    assert headings == ("列", "欄位", "內容", "問題", "個數")
    assert first == ("3–7", "數量", "x2、x3、x4", "「…」不是數字；請改成像 1234 或 1,234.50 這樣的數字。", 5)
    assert second == ("8", "數量", "'-1", "數量不可為負數", 1)
    assert [row[0] for row in singles.iter_rows(min_row=2, values_only=True)] == [3, 4, 5, 6, 7, 8]
    links = [link.location for page in (groups, singles) for row in page.iter_rows() if (link := row[0].hyperlink)]
    assert links == (["'Sheet'!B3", "'Sheet'!B8", *(f"'Sheet'!B{row}" for row in range(3, 9))] if own_file else [])


def test_without_the_file_a_list(failed: Job) -> None:
    assert failed.finished_at is not None
    OldFiles(failed.finished_at + (failed.finished_at - failed.created_at)).delete()
    failed.refresh_from_db()
    name, handle, _ = errors_workbook(failed, own_file=True)
    assert name == "庫存 1_錯誤清單.xlsx"
    sheet = read(handle).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("列", "欄位", "內容", "問題")
    assert rows[2] == (4, "數量", "'-1", "數量不可為負數")
    assert len(rows) == 3


def test_a_file_that_went_by_itself(failed: Job) -> None:
    failed.file.storage.delete(failed.file.name)
    assert errors_workbook(failed, own_file=True)[0] == "庫存 1_錯誤清單.xlsx"


def test_the_bad_rows_of_a_large_file_are_not_taken_for_a_correction(
    job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "WHOLE_ROWS", 3)
    job = job_of(workbook(ROWS), file_name="庫存.xlsx", on_error=Job.OnError.SKIP)
    run_job(job.pk)
    before = stock()
    job.refresh_from_db()
    name, handle, _ = errors_workbook(job, own_file=True)
    book = read(handle)
    book["Sheet"]["C2"], book["Sheet"]["C3"] = 4, 5
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    again = job_of(content, file_name=name)
    run_job(again.pk)
    again.refresh_from_db()
    assert again.status == Job.Status.FAILED
    assert "只含有錯的列；請在原檔修正後重新上傳。" in again.message
    assert stock() == before


def test_a_job_without_errors(job_of: Callable[..., Job]) -> None:
    job = job_of()
    run_job(job.pk)
    job.refresh_from_db()
    with pytest.raises(NotFound):
        errors_workbook(job, own_file=True)

"""Several sheets of one report, and rows that are not shown: said before an import, and chosen."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from momo.jobs.marked import errors_workbook
from momo.jobs.models import Job
from momo.jobs.services import create_job, preview, retry_job, run_job
from momo.sheets.errors import SheetError
from sales.models import DayTotal
from tests.kit.users import token_client

pytestmark = pytest.mark.django_db

HEADER = ("日期", "品號", "數量", "業績")


def book(hide: tuple[int, ...] = (), **sheets: list[tuple[Any, ...]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for number in hide:
            sheet.row_dimensions[number].hidden = True
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


MONTHS = {
    "一月": [HEADER, ("2026/01/05", "P1", 1, 100), ("2026/01/06", "P2", 1, 100)],
    "說明": [("這是說明",)],
    "二月": [("月報",), (*HEADER[:2], "銷量", "業績", "品牌"), ("2026/02/05", "P1", 2, 300, "水潤")],
}


def imported(content: bytes, **values: Any) -> Job:
    job = create_job(
        job_type="daily_sales",
        source=Job.Source.UPLOAD,
        file_name="月.xlsx",
        content=io.BytesIO(content),
        user=None,
        dispatch=False,
        **values,
    )
    run_job(job.pk)
    job.refresh_from_db()
    return job


def days() -> dict[str, int]:
    totals = DayTotal.objects.filter(dimension="all").order_by("date")
    return {f"{total.date:%m-%d}": int(total.amount) for total in totals}


def test_each_sheet_of_a_month_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(book(**MONTHS))

    def seen(*sheets: str) -> Any:
        return preview(path, name="月.xlsx", job_type="daily_sales", sheets=sheets)

    assert list(seen().sheets) == [("一月", False), ("二月", True)], "that with the most columns, if nothing is chosen"
    both = seen("一月", "二月")
    assert (list(both.sheets), list(both.others), both.total) == ([("一月", True), ("二月", True)], [], 3)
    assert [(day["date"], day["amount"]) for day in both.days] == [
        ("2026-01-05", 100),
        ("2026-01-06", 100),
        ("2026-02-05", 300),
    ]
    with pytest.raises(SheetError, match="沒有工作表「三月」"):
        seen("三月")

    job = imported(path.read_bytes(), wanted_sheets=["一月", "二月"])

    assert (job.status, job.created, days()) == ("succeeded", 3, {"01-05": 100, "01-06": 100, "02-05": 300})
    assert "沒有匯入" not in job.message
    assert DayTotal.objects.get(dimension="brand", key="水潤").lines == 1


def test_errors_of_several_sheets_name_the_sheet() -> None:
    sheets = {**MONTHS, "一月": [HEADER, ("2026/01/05", "P1", "三", 100)], "二月": MONTHS["二月"] + [("x", "P2", 1, 1)]}
    job = imported(book(**sheets), wanted_sheets=["一月", "二月"])
    assert list(job.errors.values_list("sheet", "row", "column")) == [("一月", 2, "數量"), ("二月", 4, "日期")]
    _, handle, _ = errors_workbook(job, own_file=True)
    listed = openpyxl.load_workbook(handle).worksheets[0]
    assert [row[:2] for row in listed.iter_rows(min_row=2, values_only=True)] == [("一月", 2), ("二月", 4)]
    again = retry_job(job=job, on_error="skip")
    assert again.wanted_sheets == ["一月", "二月"]


def test_notes_of_several_sheets_name_the_sheet() -> None:
    sheets = {name: [*rows, ("合計", None, 3, 300)] for name, rows in MONTHS.items() if name != "說明"}
    job = imported(book(**sheets), wanted_sheets=["一月", "二月"])
    assert job.result["notes"] == [
        "不是資料、沒有匯入的列：「一月」第 4 列「合計」（1 列）",
        "不是資料、沒有匯入的列：「二月」第 4 列「合計」（1 列）",
    ]


def test_too_many_rows_together_are_refused(settings: Any) -> None:
    settings.IMPORT_MAX_ROWS = 2
    assert "超過 2 列" in imported(book(**MONTHS), wanted_sheets=["一月", "二月"]).message


def test_hidden_rows_are_counted_and_can_be_left_out(tmp_path: Path) -> None:
    content = book((3, 4), 日報=[HEADER, *(("2026/01/05", f"P{n}", 1, 100) for n in range(4))])
    path = tmp_path / "some.bin"
    path.write_bytes(content)
    seen = preview(path, name="日.xlsx", job_type="daily_sales")
    assert (seen.hidden, seen.total) == (2, 4)
    seen = preview(path, name="日.xlsx", job_type="daily_sales", skip_hidden=True)
    assert (seen.hidden, seen.total, [number for number, _ in seen.rows]) == (2, 2, [2, 5])
    job = imported(content, skip_hidden=True)
    assert (job.created, days(), "沒有匯入隱藏的 2 列" in job.message) == (2, {"01-05": 200}, True)
    job = imported(content)
    assert (days(), "含隱藏的 2 列" in job.message) == ({"01-05": 400}, True)


def test_the_api_and_the_command_choose_too(manager: User, settings: Any, tmp_path: Path) -> None:
    settings.ROOT_URLCONF = "tests.jobs.urls"
    api: Client = token_client(manager)
    form = {
        "job_type": "daily_sales",
        "file": SimpleUploadedFile("月.xlsx", book(**{" 一月": MONTHS["一月"], "二月": MONTHS["二月"]})),
        "sheets": ["二月", " 一月"],
        "skip_hidden": "true",
    }
    started = api.post("/api/import/upload", form)
    job = Job.objects.get(pk=started.json()["data"]["job_id"])
    assert (job.wanted_sheets, job.skip_hidden) == (["二月", " 一月"], True)
    run_job(job.pk)
    assert set(days()) == {"01-05", "01-06", "02-05"}
    path = tmp_path / "月.xlsx"
    path.write_bytes(book(**MONTHS))
    choices = ("--sheet", "一月", "--skip-hidden")
    call_command("import_file", str(path), "--type", "daily_sales", *choices, stdout=io.StringIO())
    assert (Job.objects.latest("pk").wanted_sheets, Job.objects.latest("pk").sheet) == (["一月"], "一月")


def test_a_name_of_a_sheet_that_no_database_takes() -> None:
    """As the form of the upload page may bring it."""
    job = imported(book(**MONTHS), wanted_sheets=["\0三月"])
    assert (job.status, "沒有工作表「三月」" in job.message) == ("failed", True)

"""One report by upload, by Drive and by command: it counts once, and the second and third say so."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from momo.jobs.models import Job
from momo.jobs.services import run_job, sync_drive
from tests.fakes.drive import Drive
from tests.jobs.importer import workbook
from tests.kit.users import token_client
from tests.rest.test_failures import check

pytestmark = pytest.mark.django_db

HEADER = ("日期", "品號", "數量", "業績", "成本", "品牌", "PM")
REPORT = [("2026/01/05", f"P{number:03}", 1, 100 + number, 60, f"B{number % 3}", "Amy") for number in range(30)]


def file_of(rows: list[Any]) -> bytes:
    return workbook(rows, header=HEADER).getvalue()


def totals() -> list[tuple[Any, ...]]:
    """All that is summed up, to the byte."""
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for table, first in (("sales_daytotal", "date"), ("sales_monthtotal", "month")):
            cursor.execute(
                f"SELECT {first}, dimension, key, lines, quantity, amount::text, cost::text, gross_profit::text"
                f" FROM {table} ORDER BY 1, 2, 3"
            )
            found += cursor.fetchall()
    return found


def newest() -> Job:
    """The last job, ended."""
    job = Job.objects.latest("pk")
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == "succeeded", job.message
    return job


def test_counts_once_is_corrected_and_taken_back(manager: User, settings: Any, tmp_path: Path) -> None:
    settings.ROOT_URLCONF = "tests.jobs.urls"
    api = token_client(manager)

    def upload(rows: list[Any]) -> Job:
        file = SimpleUploadedFile("日報.xlsx", file_of(rows))
        assert api.post("/api/import/upload", {"file": file, "job_type": "daily_sales"}).status_code == 202
        return newest()

    first = upload(REPORT)
    assert (first.created, first.skipped) == (30, 0)
    before = totals()
    assert before

    with Drive() as drive:
        drive.use(settings, tmp_path)
        drive.add("日報.xlsx", file_of(REPORT))
        assert len(sync_drive()) == 1
        from_drive = newest()
    path = tmp_path / "日報.xlsx"
    path.write_bytes(file_of(REPORT))
    printed = io.StringIO()
    call_command("import_file", str(path), "--type", "daily_sales", stdout=printed)
    by_command = Job.objects.get(source="command")
    for job in (from_drive, by_command):
        assert (job.created, job.updated, job.skipped) == (0, 0, 30)
        assert f"#{first.pk}" in job.message
        assert "沒有變動" in job.message
    assert "沒有變動" in printed.getvalue()
    assert totals() == before

    corrected = upload([(*row[:3], row[3] + 1, *row[4:]) for row in REPORT])
    assert (corrected.created, corrected.updated) == (0, 30)
    (day,) = corrected.result["days"]
    assert (day["status"], day["before"]["job_id"]) == ("changed", by_command.pk)
    assert totals() != before

    undone = api.post(f"/api/import/jobs/{corrected.pk}/undo").json()["data"]
    assert undone["status"] == "undone"
    assert totals() == before
    check(api.post(f"/api/import/jobs/{corrected.pk}/undo"), 409, "CONFLICT")
    assert totals() == before

"""``manage.py import_file``, as people see it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from momo.jobs.models import Job
from tests.jobs.importer import StockImporter, stock, workbook

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path: Path, stock_importer: StockImporter) -> Path:
    path = tmp_path / "庫存.xlsx"
    path.write_bytes(workbook().getvalue())
    return path


def command(path: Path, *options: str, job_type: str = "test_stock") -> str:
    """What is printed."""
    output = io.StringIO()
    try:
        call_command("import_file", str(path), "--type", job_type, *options, stdout=output)
    except CommandError as error:
        output.write(f"CommandError {error.returncode}: {error}")
    return output.getvalue()


def test_a_good_file(path: Path) -> None:
    printed = command(path)
    job = Job.objects.get()
    assert (job.source, job.file_name, job.created_by, job.status) == ("command", "庫存.xlsx", None, "succeeded")
    for word in (
        f"匯入 #{job.pk}",
        "庫存.xlsx",
        "完成",
        "總列數",
        "新增",
        "略過",
        "100%",
        "3／3 列",
        "匯入 3 列",
        "結束",
    ):
        assert word in printed, word
    assert "CommandError" not in printed
    assert stock()


def test_bad_rows(path: Path) -> None:
    path.write_bytes(workbook([(1, 1, None), *((code, "三", None) for code in range(2, 32))]).getvalue())
    printed = command(path)
    for word in ("失敗", "30 個錯誤，1 種", "3–32", "數量", "三", "CommandError 1: 有 30 個錯誤"):
        assert word in printed, word
    assert stock() == {}
    printed = command(path, "--on-error", "skip")
    for word in ("完成", "匯入 1 列，略過 30 列有錯的資料", "30 個錯誤，1 種"):
        assert word in printed, word
    assert stock() == {"1": 1}


@pytest.mark.parametrize(
    ("given", "job_type", "message"),
    [("庫存.xlsx", "other", "test_stock"), ("none.xlsx", "test_stock", "讀不到"), ("", "test_stock", "讀不到")],
)
def test_what_is_refused(path: Path, given: str, job_type: str, message: str) -> None:
    assert message in command(path.parent / given, job_type=job_type)
    assert not Job.objects.exists()


def test_what_cells_and_names_hold_is_no_markup(path: Path) -> None:
    odd = path.rename(path.with_name("[red]庫存[bold].xlsx"))
    odd.write_bytes(workbook([(1, "[/green]:smile:", None)]).getvalue())
    printed = command(odd)
    assert "[red]庫存[bold].xlsx" in printed
    assert "[/green]:smile:" in printed


def test_an_empty_file(path: Path) -> None:
    path.write_bytes(b"")
    assert "檔案是空的" in command(path)


def test_interrupted(path: Path, stock_importer: StockImporter) -> None:
    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    stock_importer.before_publish = interrupt
    assert "已取消" in command(path)
    assert (Job.objects.get().status, stock()) == ("cancelled", {})


def test_a_worker_was_quicker(path: Path, stock_importer: StockImporter, monkeypatch: pytest.MonkeyPatch) -> None:
    from momo.jobs.management.commands import import_file

    first = import_file.run_job
    monkeypatch.setattr(import_file, "run_job", lambda pk, on_progress: first(pk) and None)
    assert "匯入 3 列" in command(path)

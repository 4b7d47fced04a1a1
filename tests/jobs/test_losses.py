"""A file that would take away much of a day waits for a person, by whichever way it came; nothing is lost before."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from momo.jobs.models import Job
from momo.jobs.selectors import open_failure_count
from momo.jobs.services import create_job, mark_seen, preview, retry_job, run_job, sync_drive
from notifications.models import Channel, OutboxMessage, Subscription
from sales.models import DayTotal
from tests.fakes.drive import Drive
from tests.jobs.importer import workbook
from tests.kit.users import token_client

pytestmark = pytest.mark.django_db

HEADER = ("日期", "品號", "數量", "售價")  # the amount is computed
DAY, NEXT = "2026-01-05", "2026-01-06"


def rows(day: str, number: int, price: int = 100) -> list[Any]:
    return [(day.replace("-", "/"), f"P{code:03}", 2, price) for code in range(number)]


def file_of(*days: list[Any]) -> bytes:
    return workbook([row for day in days for row in day], header=HEADER).getvalue()


def imported(content: bytes, **values: Any) -> Job:
    job = create_job(
        job_type="daily_sales",
        source=Job.Source.UPLOAD,
        file_name="日報.xlsx",
        content=io.BytesIO(content),
        user=None,
        dispatch=False,
        **values,
    )
    return ran(job)


def ran(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    return job


def lines_of(day: str) -> int:
    return DayTotal.objects.get(date=day, dimension="all").lines


@pytest.fixture
def day() -> Job:
    """A day of 10 lines, NT$ 2,000."""
    return imported(file_of(rows(DAY, 10)))


@pytest.mark.parametrize(
    ("number", "price", "held"),
    [(7, 100, False), (6, 200, True), (10, 70, False), (10, 69, True), (20, 100, False)],
)
def test_more_than_thirty_percent_of_lines_or_amount_asks(number: int, price: int, held: bool, day: Job) -> None:
    job = imported(file_of(rows(DAY, number, price)))
    assert (job.status, job.held) == (("failed", True) if held else ("succeeded", False))
    assert lines_of(DAY) == (10 if held else number)


def test_the_bound_is_a_setting(day: Job, settings: Any) -> None:
    settings.IMPORT_LOSS_PERCENT = 95
    assert imported(file_of(rows(DAY, 1))).status == "succeeded"


def test_a_straggler_of_yesterday_replaces_nothing_unasked(day: Job) -> None:
    job = imported(file_of(rows(DAY, 1), rows(NEXT, 8)))
    assert (job.status, job.held, job.error_count) == ("failed", True, 0)
    assert "2026-01-05 由 10 列變成 1 列、業績由 $2,000 變成 $200" in job.message
    first, second = job.result["days"]
    assert first == {
        "date": DAY,
        "status": "changed",
        "lines": 1,
        "quantity": 2,
        "amount": 200,
        "before": {"job_id": day.pk, "lines": 10, "quantity": 20, "amount": 2000},
        "loss": True,
    }
    assert (second["date"], second["status"], second["lines"]) == (NEXT, "new", 8)
    assert not DayTotal.objects.filter(date=NEXT).exists()

    again = ran(retry_job(job=job, confirm_loss=True))

    assert (again.status, lines_of(DAY), lines_of(NEXT)) == ("succeeded", 1, 8)


def test_a_held_import_shows_what_may_explain_the_loss(day: Job) -> None:
    """Rows that are skipped as bad, and lines that are taken for no data: whoever decides has to know of them."""
    bad = [(DAY.replace("-", "/"), f"P9{number}", "三", 100) for number in range(3)]
    job = imported(file_of(rows(DAY, 6), bad, [("合計", None, 12, 600)]), on_error=Job.OnError.SKIP)
    assert (job.held, job.error_count, job.errors.count()) == (True, 3, 3)
    assert "讀檔時略過 3 列有錯的資料。" in job.message
    assert job.result["notes"] == ["不是資料、沒有匯入的列：第 11 列「合計」（1 列）"]
    assert job.result["days"][0]["loss"] is True


def test_the_preview_has_the_figures_of_the_import(day: Job, tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(file_of(rows(DAY, 1), rows(NEXT, 8)))
    seen = preview(path, name="日報.xlsx", job_type="daily_sales")
    assert list(seen.days) == imported(path.read_bytes()).result["days"]
    path.write_bytes(file_of(rows(DAY, 10)))
    assert [entry["status"] for entry in preview(path, name="日報.xlsx", job_type="daily_sales").days] == ["unchanged"]


def test_what_counts_is_what_is_in_force_when_it_is_published(day: Job, tmp_path: Path) -> None:
    """A preview that showed no loss does not let one through that came about since."""
    content = file_of(rows(DAY, 9))
    path = tmp_path / "some.bin"
    path.write_bytes(content)
    assert not any(entry.get("loss") for entry in preview(path, name="日報.xlsx", job_type="daily_sales").days)
    imported(file_of(rows(DAY, 30)))
    assert imported(content).held


def test_the_api_says_how_to_go_on(day: Job, manager: User, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.jobs.urls"
    api: Client = token_client(manager)

    def answered(path: str, given: Any, **more: Any) -> Any:
        started = api.post(path, given, **more)
        assert started.status_code == 202
        ran(Job.objects.get(pk=started.json()["data"]["job_id"]))
        return api.get(f"/api/import/jobs/{started.json()['data']['job_id']}").json()["data"]

    def form(**values: Any) -> dict[str, Any]:
        return {"job_type": "daily_sales", "file": SimpleUploadedFile("日報.xlsx", file_of(rows(DAY, 1))), **values}

    held = answered("/api/import/upload", form())
    assert (held["status"], held["held"], held["confirm_loss"]) == ("failed", True, False)
    assert "confirm_loss" in held["message"]
    assert held["result"]["days"][0]["loss"] is True
    body = {"confirm_loss": True, "on_error": "skip"}
    done = answered(f"/api/import/jobs/{held['id']}/retry", body, content_type="application/json")
    assert (done["status"], done["confirm_loss"], lines_of(DAY)) == ("succeeded", True, 1)
    imported(file_of(rows(DAY, 10)))
    assert answered("/api/import/upload", form(confirm_loss="true"))["status"] == "succeeded"


def test_the_command_shows_the_days_and_takes_a_confirmation(day: Job, tmp_path: Path) -> None:
    path = tmp_path / "日報.xlsx"
    path.write_bytes(file_of(rows(DAY, 1)))
    printed = io.StringIO()
    with pytest.raises(CommandError, match="--confirm-loss"):
        call_command("import_file", str(path), "--type", "daily_sales", stdout=printed)
    for word in ("會取代的現有資料", DAY, "-9", "2,000", "-1,800"):
        assert word in printed.getvalue(), word
    call_command("import_file", str(path), "--type", "daily_sales", "--confirm-loss", stdout=printed)
    assert lines_of(DAY) == 1


def test_a_file_of_the_schedule_waits_and_is_notified_once(day: Job, settings: Any, tmp_path: Path) -> None:
    Subscription.objects.create(name="x", event="import_failed", channel=Channel.EMAIL, address="a@example.com")
    with Drive() as drive:
        drive.use(settings, tmp_path)
        drive.add("雲端.xlsx", file_of(rows(DAY, 1)))
        (job,) = sync_drive()
        assert (ran(job).held, lines_of(DAY), open_failure_count()) == (True, 10, 1)
        assert sync_drive() == []
    assert OutboxMessage.objects.get().subject == "匯入待確認：雲端.xlsx"
    assert "2026-01-05 由 10 列變成 1 列" in OutboxMessage.objects.get().body
    again = retry_job(job=job, confirm_loss=True)
    assert open_failure_count() == 0
    assert (ran(again).status, lines_of(DAY)) == ("succeeded", 1)


def test_a_failure_is_open_until_it_is_seen_or_replaced() -> None:
    bad = imported(b"%PDF")
    other = imported(b"%PDF-1")
    assert (bad.status, open_failure_count()) == ("failed", 2)
    mark_seen(job=other)
    assert open_failure_count() == 1
    imported(file_of(rows(DAY, 1)))  # a good file of the same name
    assert open_failure_count() == 0

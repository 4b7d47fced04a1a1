"""The clean-up deletes what its preview counts, once at a time, goes on after a kill, and never deletes prices."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from accounts.models import LoginAttempt, User
from ai.models import Call
from momo.core.errors import Conflict
from momo.core.retention import OldRows, all_expired
from momo.jobs.models import Job
from momo.jobs.services import run_job
from momo.system.models import Cleanup, Rollout
from momo.system.services.cleanup import Line, lines_of, preview_cleanup, run_cleanup, start_cleanup, sweep_cleanups
from momo.system.tasks import clean_up_by_schedule
from products.models import CategoryResult, CrawlError, PriceEvent, PriceSpan
from tests.admin import makers
from tests.ai.makers import generation
from tests.kit.users import token_client
from tests.notifications.outbox_world import mail
from vendors.models import VendorSending

pytestmark = pytest.mark.django_db
PATH = "/api/system/cleanup"
LATER = dt.timedelta(days=4000)


@pytest.fixture
def boss(admin: User) -> Client:
    return token_client(admin)


@pytest.fixture
def logins() -> int:
    """Seven attempts to log in, which are expired."""
    LoginAttempt.objects.bulk_create(
        LoginAttempt(username=f"甲{number}", address="::1", success=False) for number in range(7)
    )
    LoginAttempt.objects.update(time=timezone.now() - LATER)
    return 7


def amounts(lines: list[Line]) -> dict[str, tuple[int, int]]:
    return {line.name: (line.found.rows, line.found.bytes) for line in lines if line.rows}


def clean(client: Client, **body: Any) -> Any:
    return client.post(PATH, body, content_type="application/json")


def waiting_run() -> Cleanup:
    run = start_cleanup(trigger=Cleanup.Trigger.ADMIN)
    assert run.status == "pending"
    return run


def test_a_clean_up_deletes_what_its_preview_counted(user: User, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    makers.full_run()
    makers.events(2)
    product = PriceEvent.objects.earliest("pk").product
    makers.spans(product, [100, 200])
    PriceEvent.objects.update(told_at=timezone.now())
    makers.trail(2)
    generation(user)
    mail("a")
    job = makers.waiting(makers.workbook())
    run_job(job.pk)
    stray = tmp_path / "jobs" / "stray.bin"
    stray.write_bytes(b"12345")
    VendorSending.objects.create(status="done", finished_at=timezone.now())
    LoginAttempt.objects.create(username="甲", address="::1", success=False)
    spans = PriceSpan.objects.count()

    with time_machine.travel(timezone.now() + LATER):
        counted = amounts(preview_cleanup())
        run = waiting_run()
        assert run_cleanup(run.pk) is not None
        run.refresh_from_db()
        again = amounts(preview_cleanup())

    assert run.status == "done", run.message
    assert {line.name: (line.deleted.rows, line.deleted.bytes) for line in lines_of(run) if line.rows} == counted
    assert all(size > 0 for _, size in counted.values())
    assert counted.keys() >= {"登入紀錄", "商品事件", "異動紀錄", "產生的文案", "匯入的檔案", "沒有郵件的寄送"}
    assert counted["沒有紀錄的匯入檔案"] == (1, 5)
    assert again.keys() == {"AI 使用紀錄"}, "freed by the text that was deleted, and deleted the next time"
    assert (Call.objects.count(), PriceEvent.objects.count(), CrawlError.objects.count()) == (1, 0, 0)
    assert not CategoryResult.objects.exists()
    assert (PriceSpan.objects.count(), Job.objects.get().file.name, stray.exists()) == (spans, "", False)


def test_prices_sales_and_what_staff_wrote_are_never_declared() -> None:
    tables = {what.table for what in all_expired(now=timezone.now()).values()}
    assert len(tables) >= 18
    kept = {"PriceSpan", "Product", "CrawlRun", "SalesLine", "DayOwner", "User", "ApiToken", "Vendor", "Stockout"}
    assert not kept & {table.split(".")[1] for table in tables}
    cascades = [what.rows.model for what in all_expired(now=timezone.now()).values() if isinstance(what, OldRows)]
    followers = {related.related_model for model in cascades for related in model._meta.related_objects}
    assert PriceSpan not in followers


class Killed(BaseException):
    """As kill -9 between two transactions: nothing of ours runs any more."""


@pytest.mark.usefixtures("logins")
def test_a_killed_clean_up_goes_on_and_its_counts_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("momo.core.retention.BATCH", 2)
    run = waiting_run()
    seen: list[int] = []

    def kill(lines: Any) -> None:
        seen.append(LoginAttempt.objects.count())
        if seen[-1] == 3:
            raise Killed

    with pytest.raises(Killed):
        run_cleanup(run.pk, on_progress=kill)
    assert seen == [7, 5, 3]
    silent = timezone.now() - dt.timedelta(seconds=project.SYSTEM_HEARTBEAT_TIMEOUT + 1)
    Cleanup.objects.update(heartbeat_at=silent)
    sweep_cleanups()
    done = run_cleanup(run.pk)
    assert done is not None
    assert (done.status, done.attempt, done.message) == ("done", 2, "刪除 7 筆")
    assert LoginAttempt.objects.count() == 0


@pytest.mark.usefixtures("logins")
def test_a_request_ends_in_time_and_the_rest_follows(boss: Client, settings: Any) -> None:
    assert clean(boss, dry_run=True).json()["data"]["rows"] == 7
    settings.CLEANUP_REQUEST_SECONDS = 0
    assert clean(boss, dry_run=True).json()["code"] == "UNAVAILABLE"
    first = clean(boss).json()["data"]
    assert (first["finished"], first["rows"], first["tables"]) == (False, 0, [])
    clean_up_by_schedule()
    settings.CLEANUP_REQUEST_SECONDS = 20
    second = clean(boss).json()["data"]
    assert (second["cleanup_id"], second["finished"], second["rows"]) == (first["cleanup_id"], True, 7)
    (table,) = (table for table in second["tables"] if table["rows"])
    assert (table["name"], table["table"], table["left_rows"]) == ("登入紀錄", "accounts.LoginAttempt", 0)
    assert LoginAttempt.objects.count() == 0


def test_one_at_a_time(boss: Client) -> None:
    run = waiting_run()
    with pytest.raises(Conflict, match=str(run)):
        start_cleanup(trigger=Cleanup.Trigger.ADMIN)
    Cleanup.objects.update(status="running", attempt=1, heartbeat_at=timezone.now())
    answer = clean(boss)
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


def test_a_file_that_cannot_be_deleted_keeps_no_other_from_it(settings: Any, tmp_path: Path, logins: int) -> None:
    settings.MEDIA_ROOT = tmp_path
    job = makers.waiting(makers.workbook())
    run_job(job.pk)
    Job.objects.update(finished_at=timezone.now() - LATER)
    file = Path(job.file.path)
    file.unlink()
    (file / "not-a-file").mkdir(parents=True)
    done = run_cleanup(waiting_run().pk)
    assert done is not None
    assert (done.status, LoginAttempt.objects.count()) == ("failed", 0)
    assert "匯入的檔案" in done.message


@pytest.mark.django_db(transaction=True)
def test_a_row_in_use_is_left_for_the_next_time(logins: int) -> None:
    used = LoginAttempt.objects.earliest("pk").pk
    other = connection.copy()
    other.set_autocommit(False)
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_loginattempt WHERE id = %s FOR UPDATE", [used])
        done = run_cleanup(waiting_run().pk)
    assert done is not None
    (line,) = (line for line in lines_of(done) if line.rows)
    assert (done.status, line.deleted.rows, line.left_rows, bool(line.problem)) == ("done", 6, 1, True)
    assert LoginAttempt.objects.get().pk == used


def test_the_command(logins: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*args: str) -> str:
        out = StringIO()
        call_command("cleanup", *args, stdout=out)
        return out.getvalue()

    with pytest.raises(CommandError, match=r"可用：.*登入紀錄"):
        run("--only", "別的")
    assert "登入紀錄" in run("--dry-run", "--only", "登入紀錄")
    assert LoginAttempt.objects.count() == logins
    run("--only", "過期的登入")
    assert LoginAttempt.objects.count() == logins
    assert "7" in run()
    assert LoginAttempt.objects.count() == 0


def test_the_schedule_names_tasks_that_exist() -> None:
    tasks = {task.task: task for task in PeriodicTask.objects.filter(task__startswith="system.")}
    assert (tasks["system.clean_up"].crontab.hour, tasks["system.sweep"].interval.every) == ("3", 30)
    assert {"system.clean_up", "system.sweep", Cleanup.task, Rollout.task} <= set(current_app.tasks)

"""Notifications of an import's end: in the transaction in which it ends, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from momo.jobs.drive import DriveFile
from momo.jobs.importers import RowError
from momo.jobs.models import Job
from momo.jobs.services import cancel_job, release_silent_jobs, run_job, undo_job
from momo.jobs.services import run as service
from momo.jobs.services.drive import _failed
from momo.jobs.services.notify import job_variables
from notifications.events import event_kind
from notifications.models import Channel, OutboxMessage, Subscription
from notifications.services.templates import render_template, template_by_code
from notifications.templating.variables import declared
from tests.jobs.importer import StockImporter, workbook

pytestmark = pytest.mark.django_db
Make = Callable[..., Job]
BAD = [(1001 + n, "三", None) for n in range(7)]


def subscribe(event: str, address: str = "", **filters: Any) -> Subscription:
    return Subscription.objects.create(
        name=event, event=event, channel=Channel.EMAIL, address=address or f"{event}@example.com", filters=filters
    )


@pytest.fixture(autouse=True)
def subscriptions(db: None) -> dict[str, Subscription]:
    return {event: subscribe(event) for event in ("import_finished", "import_failed")}


def notified() -> OutboxMessage:
    """The one message."""
    return OutboxMessage.objects.get()


def test_a_good_file(job_of: Make, subscriptions: dict[str, Subscription]) -> None:
    job = job_of()
    run_job(job.pk)
    message = notified()
    assert message.key == f"import:{job.pk}:succeeded:{subscriptions['import_finished'].pk}"
    assert message.subject == "匯入完成：庫存.xlsx"
    for part in ("測試庫存", "上傳", "新增 3 列", "匯入 3 列"):
        assert part in message.body
    assert f"/admin/jobs/job/{job.pk}/change/" in message.body_html
    assert message.template_version


def test_a_bad_file_names_its_errors_and_equal_ones_once(job_of: Make) -> None:
    run_job(job_of(workbook(BAD)).pk)
    message = notified()
    assert message.event == "import_failed"
    assert message.subject == "匯入失敗：庫存.xlsx"
    assert "錯誤 7 個" in message.body
    assert "第 2–8 列" in message.body
    assert message.body.count("數量") == 1
    assert "其餘" not in message.body


def test_of_many_kinds_of_errors_the_first_are_named() -> None:
    errors = [RowError(row, f"欄{row // 2}", str(row), f"「{row}」不是數字", sheet="一月") for row in range(2, 16)]
    variables = job_variables(Job(file_name="庫存.xlsx", status="failed", error_count=14), errors)
    assert [(error["row"], error["rows"], error["count"]) for error in variables["errors"]] == [
        (row, f"一月！{row}–{row + 1}", 2) for row in range(2, 12, 2)
    ]
    assert (variables["errors"][0]["value"], variables["errors"][0]["message"]) == ("2、3", "「…」不是數字")
    assert variables["errors_left"] == 4
    for code in ("import_failed", "import_failed_mail", "import_finished", "import_finished_mail"):
        body = render_template(template_by_code(code), variables | {"job_id": 1}, strict=False).body
        assert "一月！10–11 列" in body
        assert "其餘請看" in body


def test_a_fault_of_ours(job_of: Make, stock_importer: StockImporter) -> None:
    def explode(job: Job) -> None:
        raise KeyError("secret")

    stock_importer.before_publish = explode
    run_job(job_of().pk)
    assert "系統發生錯誤" in notified().body
    assert "secret" not in notified().body


def test_a_name_full_of_markup(job_of: Make) -> None:
    run_job(job_of(file_name='<b>"報表" & 🎉.xlsx').pk)
    assert notified().subject == '匯入完成：<b>"報表" & 🎉.xlsx'
    assert "&lt;b&gt;" in notified().body_html


def test_attempts_exhausted_at_the_sweep(job_of: Make, settings: Any) -> None:
    job = job_of()
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(
        status="running", attempt=settings.IMPORT_ATTEMPTS, heartbeat_at=long_ago, started_at=long_ago
    )
    release_silent_jobs()
    release_silent_jobs()
    assert notified().event == "import_failed"
    assert "都沒有完成" in notified().body


def test_taken_up_again_says_nothing(job_of: Make) -> None:
    job = job_of()
    Job.objects.filter(pk=job.pk).update(status="running", attempt=1, heartbeat_at=timezone.now() - timedelta(hours=1))
    assert release_silent_jobs() == [job]
    assert not OutboxMessage.objects.exists()


def test_a_file_of_drive_that_is_no_report() -> None:
    file = DriveFile(id="x1", name="照片.png", mime_type="image/png", modified_at=timezone.now(), size=9, md5=None)
    job = _failed(file, "不是試算表")
    assert job is not None
    assert _failed(file, "不是試算表") is None
    assert notified().key.startswith(f"import:{job.pk}:failed:")
    for part in ("不是試算表", "Google 雲端硬碟", "無法辨識的檔案"):
        assert part in notified().body


def test_cancelled_says_nothing(job_of: Make, stock_importer: StockImporter) -> None:
    cancel_job(job=job_of())
    other = job_of()
    stock_importer.on_check = lambda table: cancel_job(job=Job.objects.get(pk=other.pk))
    run_job(other.pk)
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not OutboxMessage.objects.exists()


def test_undone_says_nothing_more(job_of: Make) -> None:
    job = job_of()
    run_job(job.pk)
    undo_job(job=Job.objects.get(pk=job.pk))
    assert notified().event == "import_finished"


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"job_types": ["test_stock"]}, 2),
        ({"job_types": ["daily_sales"]}, 1),
        ({"sources": ["upload", "drive"]}, 2),
        ({"sources": ["drive"]}, 1),
        ({"job_types": ["test_stock"], "sources": ["drive"]}, 1),
    ],
)
def test_only_those_asked_for(filters: dict[str, Any], count: int, job_of: Make) -> None:
    subscribe("import_finished", "other@example.com", **filters)
    run_job(job_of().pk)
    assert OutboxMessage.objects.count() == count


def test_a_lost_connection_while_notifying_is_retried(job_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = service.notify_end

    def lost_once(job: Job, errors: Any = ()) -> int:
        calls.append(job.pk)
        if len(calls) == 1:
            raise OperationalError("server closed the connection")
        return real(job, errors)

    monkeypatch.setattr(service, "notify_end", lost_once)
    job = job_of()
    assert run_job(job.pk) is not None
    job.refresh_from_db()
    assert (job.status, job.attempt, len(calls)) == ("succeeded", 2, 2)
    assert notified().event == "import_finished"


def test_a_fault_in_notifying_leaves_the_import_alone(job_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise KeyError("oops")

    monkeypatch.setattr("notifications.services.notify.enqueue_many", broken)
    job = job_of()
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == "succeeded"
    assert not OutboxMessage.objects.exists()


def test_an_end_that_is_not_committed_is_not_seen(
    job_of: Make, monkeypatch: pytest.MonkeyPatch, stock_importer: StockImporter
) -> None:
    seen: list[str] = []
    given: list[Job] = []
    real = service.notify_end

    def look(job: Job, errors: Any = ()) -> int:
        seen.append(job.status)
        seen.append(given[0].status)
        return real(job, errors)

    stock_importer.before_publish = given.append
    monkeypatch.setattr(service, "notify_end", look)
    run_job(job_of().pk)
    assert seen == ["succeeded", "running"]


def test_the_last_ones_for_previews(job_of: Make) -> None:
    good = [job_of() for _ in range(2)]
    bad = [job_of(workbook(BAD)) for _ in range(2)]
    for job in (*good, *bad):
        run_job(job.pk)
    failed, finished = event_kind("import_failed"), event_kind("import_finished")
    assert failed is not None
    assert finished is not None

    with CaptureQueriesContext(connection) as queries:
        shown = failed.recent(5)

    assert len(queries) == 2
    assert [one["variables"]["job_id"] for one in shown] == [bad[1].pk, bad[0].pk]
    assert [error["rows"] for error in shown[0]["variables"]["errors"]] == ["2–8"]
    assert "第 2–8 列" in render_template(template_by_code("import_failed"), shown[0]["variables"]).body
    (one,) = finished.recent(1)
    for code, variables in (("import_failed", shown[0]["variables"]), ("import_finished", one["variables"])):
        assert variables.keys() == {each.name for each in declared(template_by_code(code).variables)}
    assert one["label"] == str(good[1])
    assert "庫存.xlsx" in render_template(template_by_code("import_finished"), one["variables"]).body


def test_what_a_subscription_can_choose(stock_importer: StockImporter) -> None:
    kind = event_kind("import_failed")
    assert kind is not None
    choices = {field.name: dict(field.choices()) for field in kind.filters}
    assert choices["job_types"]["test_stock"] == "測試庫存"
    assert set(choices["sources"]) == set(Job.Source.values)

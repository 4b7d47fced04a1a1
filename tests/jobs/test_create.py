"""Creating jobs: what is stored, what is refused, and how the task is started."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from django_celery_beat.models import PeriodicTask

from accounts.models import User
from momo.core.errors import PayloadTooLarge, ValidationFailed
from momo.core.work import enqueue_waiting
from momo.jobs.models import Job
from momo.jobs.services import create_job
from momo.jobs.services.files import shown_name
from momo.jobs.tasks import run, sweep
from tests.jobs.importer import StockImporter, stock, workbook

pytestmark = pytest.mark.django_db

Make = Callable[..., Job]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int], str]]:
    """What the broker was given."""
    enqueued: list[tuple[str, list[int], str]] = []

    def send_task(name: str, args: list[int], task_id: str) -> None:
        enqueued.append((name, args, task_id))

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)  # type: ignore[attr-defined]
    return enqueued


def kept(settings: Any) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_the_file_is_kept_under_a_name_of_ours(job_of: Make, manager: User, settings: Any) -> None:
    content = workbook()
    content.read()
    job = job_of(content, file_name="../../etc/庫存 1.xlsx", user=manager, on_error="skip")
    assert (job.file_name, job.created_by, job.on_error, job.status) == ("庫存 1.xlsx", manager, "skip", "pending")
    assert (job.stage, job.progress, job.automatic) == ("queued", 0, False)
    (path,) = kept(settings)
    assert path == Path(job.file.path)
    assert path.name == f"{job.token}.bin"
    assert path.read_bytes() == content.getvalue()
    assert (job.size, job.sha256) == (path.stat().st_size, hashlib.sha256(content.getvalue()).hexdigest())


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.xlsx", "a.xlsx"),
        ("C:\\Users\\amy\\a.xlsx", "a.xlsx"),
        ("/etc/passwd", "passwd"),
        ("..", ".."),
        ("", "未命名"),
        ("/", "未命名"),
        ("a\0b\n.csv", "a b .csv"),
        ("長" * 300 + ".xlsx", "長" * 250 + ".xlsx"),
    ],
)
def test_names(given: str, name: str) -> None:
    assert shown_name(given) == name


def test_too_large(job_of: Make, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1000
    job_of(io.BytesIO(b"x" * 1000))
    with pytest.raises(PayloadTooLarge, match="上限"):
        job_of(io.BytesIO(b"x" * 1001))
    assert Job.objects.count() == 1
    assert len(kept(settings)) == 1


def test_empty(job_of: Make, settings: Any) -> None:
    with pytest.raises(ValidationFailed) as caught:
        job_of(io.BytesIO())
    assert caught.value.fields == {"file": ["檔案是空的"]}
    assert not kept(settings)


def test_unknown_type_and_way(job_of: Make, settings: Any) -> None:
    with pytest.raises(ValidationFailed) as caught:
        job_of(job_type="other", on_error="ignore")
    assert set(caught.value.fields) == {"job_type", "on_error"}
    assert "test_stock" in caught.value.fields["job_type"][0]
    assert not kept(settings)


def test_a_job_that_cannot_be_made_leaves_no_file(job_of: Make, settings: Any) -> None:
    values = {"source": "drive", "drive_file_id": "f", "drive_version": "1", "automatic": True}
    job_of(**values)
    with pytest.raises(IntegrityError):
        job_of(**values)
    assert len(kept(settings)) == Job.objects.count() == 1
    # People may import it again, and another version is another matter.
    job_of(**(values | {"automatic": False}))
    job_of(**(values | {"drive_version": "2"}))


def test_a_job_is_enqueued_on_commit(
    job_of: Make, sent: list[Any], django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = job_of(dispatch=True)
        assert (sent, job.heartbeat_at) == ([], None)
    assert sent == [("jobs.run", [job.pk], f"import-{job.pk}-1")]
    job.refresh_from_db()
    assert (job.status, job.heartbeat_at is not None) == ("pending", True)
    assert settings.CELERY_TASK_ROUTES["jobs.run"] == {"queue": "imports"}
    assert enqueue_waiting(Job.objects.all()) == 0, "it was sent just now"
    run(job.pk)
    job.refresh_from_db()
    assert (job.status, stock()) == ("succeeded", {"1001": 3, "1002": 5, "1003": 7})


def test_a_rollback_enqueues_nothing(job_of: Make, sent: list[Any], django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        job_of(dispatch=True)
        transaction.set_rollback(True)
    assert (sent, Job.objects.count()) == ([], 0)


def test_a_job_without_dispatch_is_its_callers(job_of: Make, sent: list[Any]) -> None:
    job_of()
    sweep()
    assert sent == []


@pytest.mark.usefixtures("no_broker")
def test_a_broker_that_is_away(job_of: Make, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = job_of(dispatch=True)
    job.refresh_from_db()
    assert (job.status, job.heartbeat_at) == ("pending", None)
    assert enqueue_waiting(Job.objects.all()) == 0


def test_the_sweep_enqueues_jobs_that_were_never_sent(job_of: Make, sent: list[Any]) -> None:
    job = job_of()
    Job.objects.update(heartbeat_at=None)
    sweep()
    assert sent == [("jobs.run", [job.pk], f"import-{job.pk}-1")]
    sweep()
    assert len(sent) == 1, "once, until the message must be lost"


def test_a_task_that_was_lost(job_of: Make, sent: list[Any], settings: Any) -> None:
    job = job_of()
    settings.IMPORT_HEARTBEAT_TIMEOUT = 0
    sweep()
    assert sent == [("jobs.run", [job.pk], f"import-{job.pk}-1")]


def test_a_stale_job_is_sent_again_at_once(job_of: Make, sent: list[Any], settings: Any) -> None:
    job = job_of()
    Job.objects.update(status="running", attempt=1)
    settings.IMPORT_HEARTBEAT_TIMEOUT = -1
    sweep()
    assert sent == [("jobs.run", [job.pk], f"import-{job.pk}-2")]


def test_the_schedule() -> None:
    tasks = {task.task: task for task in PeriodicTask.objects.filter(task__startswith="jobs.")}
    assert set(tasks) == {"jobs.watch", "jobs.drive_sync"}
    assert str(tasks["jobs.watch"].interval) == "每 30 秒"
    assert str(tasks["jobs.drive_sync"].interval) == "每 10 分鐘"
    assert all(task.enabled for task in tasks.values())


def test_a_file_named_by_a_token_cannot_be_guessed(stock_importer: StockImporter) -> None:
    one, other = (
        create_job(
            job_type="test_stock",
            source="command",
            file_name="a.xlsx",
            content=workbook(),
            user=None,
            dispatch=False,
        )
        for _ in range(2)
    )
    assert one.file.name != other.file.name
    assert uuid.UUID(str(one.token)).version == 4

"""Schedules: several beats start each run once, what did not run is noticed once, what is switched off is shown so."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from celery.beat import SchedulingError
from celery.signals import heartbeat_sent
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from redis import Redis

from momo.admin.packages.schedules import state_badge
from momo.celery import app
from momo.local.processes import free_port
from momo.system.beat import ClaimingScheduler
from momo.system.selectors.schedules import missed_runs
from momo.system.services import schedules
from momo.system.services.schedules import alert_overdue
from notifications.models import OutboxMessage
from tests.admin import makers_notifications as messages
from tests.admin.conftest import as_boss, boss  # noqa: F401
from tests.faults.harness import connected_to
from tests.kit.forks import fork
from tests.kit.processes import kill_session, wait_until

SERVER = os.environ["DATABASE_URL"].rpartition("/")[0]


def every(seconds: int, *, ran: timedelta | None = None, **values: Any) -> PeriodicTask:
    """A schedule whose last run is so long ago."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")
    last = None if ran is None else timezone.now() - ran
    values = {"name": f"每 {seconds} 秒", "task": "products.start_crawl", **values}
    task = PeriodicTask.objects.create(interval=interval, last_run_at=last, **values)
    return written_long_ago(task)


def written_long_ago(task: PeriodicTask) -> PeriodicTask:
    """The schedule, as if nobody had changed it lately."""
    PeriodicTask.objects.filter(pk=task.pk).update(date_changed=timezone.now() - timedelta(days=9))
    task.refresh_from_db()
    return task


@pytest.fixture
def only(db: None) -> None:
    """No schedules but those of the test."""
    PeriodicTask.objects.all().delete()


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_two_beats_start_each_run_once_and_one_goes_on_alone(tmp_path: Path) -> None:
    PeriodicTask.objects.all().delete()
    task = every(1, task="tests.nothing", queue="slots")
    broker = Redis.from_url(settings.CELERY_BROKER_URL)
    broker.delete("slots")
    environment = os.environ | {"DATABASE_URL": f"{SERVER}/{connection.settings_dict['NAME']}"}
    beat = ["-m", "celery", "--app", "momo", "beat", "--pidfile", "", "--loglevel", "INFO"]

    def stored() -> int:
        task.refresh_from_db()
        return task.total_run_count

    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    beats = [fork(beat, environment=environment, log=log) for log in logs]
    try:
        wait_until(lambda: all("Sending due task" in log.read_text() for log in logs), "both beats run")
        begun, before = time.monotonic(), broker.llen("slots")
        wait_until(lambda: stored() >= before + 3, "three runs with two beats")
        kill_session(beats[0])
        both = broker.llen("slots")
        wait_until(lambda: stored() >= both + 2, "two runs with one beat")
        sent, seconds = broker.llen("slots") - before, time.monotonic() - begun
    finally:
        for process in beats:
            kill_session(process)
    assert sent <= seconds + 1, "a run was started twice"
    assert stored() == broker.llen("slots")
    broker.delete("slots")


@pytest.mark.usefixtures("only")
def test_a_run_that_the_broker_refuses_stays_due(no_broker: None) -> None:
    task = every(60, ran=timedelta(hours=1))
    scheduler = ClaimingScheduler(app=current_app._get_current_object(), lazy=True)
    (entry,) = scheduler.all_as_schedule().values()
    with pytest.raises(SchedulingError):
        scheduler.apply_async(entry)
    before = task.last_run_at
    task.refresh_from_db()
    assert (task.last_run_at, task.total_run_count) == (before, 0)


@pytest.mark.django_db(transaction=True)
def test_beat_keeps_its_schedules_while_the_database_is_away() -> None:
    scheduler = ClaimingScheduler(app=app, lazy=True)
    known = dict(scheduler.schedule)
    assert known
    scheduler._last_full_sync -= timedelta(minutes=6)  # it reads all of them again after five
    with connected_to(f"postgresql://momo:x@127.0.0.1:{free_port()}/momo"):
        assert scheduler.schedule == known
    scheduler._last_full_sync -= timedelta(minutes=6)
    PeriodicTask.objects.update(enabled=False)
    assert scheduler.schedule == {}


@pytest.mark.usefixtures("only")
def test_a_run_of_the_morning_is_made_up_for_in_the_evening() -> None:
    clock = timezone.localtime() - timedelta(hours=7)
    crontab = CrontabSchedule.objects.create(minute=clock.minute, hour=clock.hour, timezone="Asia/Taipei")
    last = timezone.now() - timedelta(hours=31)
    daily = PeriodicTask.objects.create(name="每天", task="vendors.remind", crontab=crontab, last_run_at=last)
    assert not missed_runs().runs, "somebody is changing it just now"
    written_long_ago(daily)
    (entry,) = ClaimingScheduler(app=app, lazy=True).all_as_schedule().values()
    assert entry.is_due().is_due
    (missed,) = missed_runs().runs
    assert missed.due == clock.replace(second=0, microsecond=0)


@pytest.mark.usefixtures("only")
def test_one_schedule_that_does_not_run_is_notified_once() -> None:
    messages.subscription(event="system_alert")
    messages_before = OutboxMessage.objects.count()
    every(30, ran=timedelta(seconds=20))
    late = every(7200, ran=timedelta(hours=3), name="更新全部分類的價格")
    every(60, ran=timedelta(days=3), enabled=False, name="停用的")
    every(90, ran=timedelta(minutes=5), name="剛過")

    assert [one.task.name for one in missed_runs().runs] == ["更新全部分類的價格"]
    assert not missed_runs().beat_stopped
    assert (alert_overdue(), alert_overdue()) == (1, 0)
    text = OutboxMessage.objects.latest("pk")
    assert "排程沒有執行：更新全部分類的價格" in f"{text.subject}{text.body}"
    late.last_run_at = timezone.now()
    late.save()
    assert (alert_overdue(), OutboxMessage.objects.count()) == (0, messages_before + 1)


@pytest.mark.usefixtures("only")
def test_a_beat_that_stopped_is_one_alert_and_a_notice(as_boss: Client) -> None:  # noqa: F811
    messages.subscription(event="system_alert")
    every(30, ran=timedelta(minutes=11))
    every(600, ran=timedelta(minutes=25))
    every(86400, ran=timedelta(hours=2))
    assert missed_runs().beat_stopped
    assert (alert_overdue(), alert_overdue()) == (1, 0)
    assert "排程沒有在執行" in as_boss.get(reverse("admin:index")).content.decode()
    PeriodicTask.objects.update(last_run_at=timezone.now())
    assert "排程沒有在執行" not in as_boss.get(reverse("admin:index")).content.decode()


@pytest.mark.usefixtures("only")
def test_states_of_schedules_are_shown() -> None:
    tasks = [every(30, enabled=False), every(60, ran=timedelta(hours=1)), every(90, ran=timedelta(0))]
    assert [state_badge(task).split(">")[1].split("<")[0] for task in tasks] == ["已停用", "沒有執行", "正常"]


def test_workers_ask_for_the_check_once_in_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(schedules, "start_task", started.append)
    heartbeat_sent.send(sender=None)
    heartbeat_sent.send(sender=None)
    assert started == ["system.check_schedules"]
    cache.delete(schedules.CHECKED_KEY)
    heartbeat_sent.send(sender=None)
    assert len(started) == 2


@pytest.mark.django_db
def test_every_schedule_is_named_in_chinese_and_its_task_exists() -> None:
    app.loader.import_default_modules()
    for task in PeriodicTask.objects.all():
        assert not task.name.isascii()
        assert task.description
        assert task.task in app.tasks
        if task.interval and task.interval.period == "seconds":
            assert task.expire_seconds == 2 * task.interval.every, "it would pile up while no worker runs"

"""Times and periodic tasks of the scheduler."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask
from playwright.sync_api import Page

from tests.admin import makers
from tests.browser.clicks import Click, Clicks, gone

MOMENT = datetime(2030, 1, 2, 1, 30, tzinfo=UTC)  # 9:30 in Taipei


def _clocked() -> Any:
    return ClockedSchedule.objects.create(clocked_time=MOMENT)


def _crontab() -> Any:
    return CrontabSchedule.objects.create(minute="17", hour="5", timezone="Asia/Taipei")


def _interval() -> Any:
    return IntervalSchedule.objects.create(every=77, period="minutes")


def _task(**values: Any) -> Any:
    makers.tasks(1)
    task = PeriodicTask.objects.get(name__startswith="工作")
    PeriodicTask.objects.filter(pk=task.pk).update(**values)
    return task


def _new_moment(page: Page) -> None:
    page.locator("[name=clocked_time_0]").fill("2031-05-06")
    page.locator("[name=clocked_time_1]").fill("07:08:09")


def _new_crontab(page: Page) -> None:
    page.locator("[name=minute]").fill("45")
    page.locator("[name=hour]").fill("6")


def _new_interval(page: Page) -> None:
    page.locator("[name=every]").fill("99")
    page.locator("[name=period]").select_option("hours")


def _new_task(page: Page) -> None:
    page.locator("[name=name]").fill("每 77 分鐘更新")
    page.locator("[name=regtask]").select_option("products.start_crawl")
    page.locator("[name=interval]").select_option(index=1)


SCHEDULES: Clicks = {
    ("django_celery_beat.clockedschedule", "add"): Click(
        make=lambda: None,
        fill=_new_moment,
        says="已新增單次時間「2031-05-06 07:08:09」",
        done=lambda _: ClockedSchedule.objects.filter(clocked_time=datetime(2031, 5, 5, 23, 8, 9, tzinfo=UTC)).exists(),
    ),
    ("django_celery_beat.clockedschedule", "change"): Click(
        make=_clocked,
        fill=_new_moment,
        says="已儲存單次時間「2031-05-06 07:08:09」",
        done=lambda row: ClockedSchedule.objects.get(pk=row.pk).clocked_time.year == 2031,
    ),
    ("django_celery_beat.clockedschedule", "delete"): Click(
        make=_clocked, says="已刪除單次時間「2030-01-02 09:30:00」", done=gone
    ),
    ("django_celery_beat.crontabschedule", "add"): Click(
        make=lambda: None,
        fill=_new_crontab,
        says="已新增定時「每天 06:45」",
        done=lambda _: CrontabSchedule.objects.filter(minute="45", hour="6", timezone="Asia/Taipei").exists(),
    ),
    ("django_celery_beat.crontabschedule", "change"): Click(
        make=_crontab,
        fill=_new_crontab,
        says="已儲存定時「每天 06:45」",
        done=lambda row: CrontabSchedule.objects.get(pk=row.pk).minute == "45",
    ),
    ("django_celery_beat.crontabschedule", "delete"): Click(make=_crontab, says="已刪除定時「每天 05:17」", done=gone),
    ("django_celery_beat.intervalschedule", "add"): Click(
        make=lambda: None,
        fill=_new_interval,
        says="已新增間隔「每 99 小時」",
        done=lambda _: IntervalSchedule.objects.filter(every=99, period="hours").exists(),
    ),
    ("django_celery_beat.intervalschedule", "change"): Click(
        make=_interval,
        fill=_new_interval,
        says="已儲存間隔「每 99 小時」",
        done=lambda row: IntervalSchedule.objects.get(pk=row.pk).every == 99,
    ),
    ("django_celery_beat.intervalschedule", "delete"): Click(
        make=_interval, says="已刪除間隔「每 77 分鐘」", done=gone
    ),
    ("django_celery_beat.periodictask", "add"): Click(
        make=lambda: None,
        fill=_new_task,
        says="已新增排程「每 77 分鐘更新」",
        done=lambda _: PeriodicTask.objects.get(name="每 77 分鐘更新").task == "products.start_crawl",
    ),
    ("django_celery_beat.periodictask", "change"): Click(
        make=_task,
        fill=lambda page: page.locator("[name=description]").fill("週末不跑"),
        says="已儲存排程「工作 ",
        done=lambda row: PeriodicTask.objects.get(pk=row.pk).description == "週末不跑",
    ),
    ("django_celery_beat.periodictask", "delete"): Click(make=_task, says="已刪除排程「工作 ", done=gone),
    ("django_celery_beat.periodictask", "disable"): Click(
        make=_task, says="已停用 1 個排程", done=lambda row: not PeriodicTask.objects.get(pk=row.pk).enabled
    ),
    ("django_celery_beat.periodictask", "enable"): Click(
        make=lambda: _task(enabled=False),
        says="已啟用 1 個排程",
        done=lambda row: PeriodicTask.objects.get(pk=row.pk).enabled,
    ),
}

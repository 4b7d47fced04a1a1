"""When reports go out: at their time if the data are in, else when they arrive, at the latest at the named hour."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
import time_machine

from momo.core.days import start_of_day
from momo.reports.models import Report, ReportRun
from momo.reports.services.runs import advance_reports, run_report
from notifications.models import Chat, OutboxMessage
from tests.sales.factories import DAY, publish, sale

pytestmark = pytest.mark.django_db
TAIPEI = ZoneInfo("Asia/Taipei")
# When the report of each day of the week arrives on the day after; None is never.
ARRIVALS = ("07:00", "08:30", "10:20", "11:30", None, "08:00", "10:50")
SENT = ("08:30", "08:30", "10:20", "11:00", "11:00", "08:30", "10:50")
MISSING = {3, 4}  # places of ARRIVALS
SECTIONS = ["sales_summary", "sales_missing_days"]


def moment(day: dt.date, time: str) -> dt.datetime:
    return start_of_day(day).replace(hour=int(time[:2]), minute=int(time[3:]))


def make(name: str, kind: str) -> Report:
    made = Report.objects.create(name=name, kind=kind, sections=SECTIONS, with_workbook=False, with_slides=False)
    made.chats.add(Chat.objects.get_or_create(chat_id="-1001", title="業務")[0])
    return made


def live(first: dt.date, days: int, arrivals: dict[dt.datetime, int]) -> None:
    """Let time pass in steps of ten minutes, from 06:50 to 12:00 of each day, and work as the tasks do."""
    for day in (first + dt.timedelta(days=number) for number in range(days)):
        for step in range(32):
            now = moment(day, "06:50") + dt.timedelta(minutes=10 * step)
            with time_machine.travel(now, tick=False):
                if now in arrivals:
                    publish([sale(arrivals[now], amount=100 + arrivals[now])])
                advance_reports()
                for pk in ReportRun.objects.filter(status="pending").values_list("pk", flat=True):
                    run_report(pk)
                advance_reports()


def test_a_week_in_which_data_come_late() -> None:
    tuesday = DAY + dt.timedelta(days=1)
    days = [DAY + dt.timedelta(days=number) for number in range(7)]
    arrivals = {
        moment(day + dt.timedelta(days=1), time): number
        for number, (day, time) in enumerate(zip(days, ARRIVALS, strict=True))
        if time
    }
    with time_machine.travel(moment(DAY, "12:00"), tick=False):
        publish([sale(-1)])
        daily, weekly = make("日報", "daily"), make("週報", "weekly")

    live(tuesday, 7, arrivals)

    runs = list(daily.runs.order_by("day"))
    assert [run.day for run in runs] == days
    assert [f"{run.finished_at.astimezone(TAIPEI):%H:%M}" for run in runs if run.finished_at] == list(SENT)
    assert {number for number, run in enumerate(runs) if run.missing} == MISSING
    (whole,) = weekly.runs.all()
    # It waits for the last day of the week alone, and says that a day of it is not counted.
    assert (whole.day, whole.missing) == (days[-1], [])
    assert whole.finished_at == moment(days[-1] + dt.timedelta(days=1), "10:50")
    texts = list(OutboxMessage.objects.order_by("pk").values_list("body", flat=True))
    assert len(texts) == 8
    assert ["還沒有匯入" in text for text in texts if "日報</b>" in text.splitlines()[0]] == [
        number in MISSING for number in range(7)
    ]
    assert {run.status for run in ReportRun.objects.all()} == {"done"}


def test_what_is_new_or_switched_off_sends_nothing_of_before() -> None:
    monday = DAY + dt.timedelta(days=7)
    with time_machine.travel(moment(monday, "09:00"), tick=False):
        late, off = make("今天新增", "weekly"), make("停用", "daily")
        advance_reports()
        assert not ReportRun.objects.exists()
    with time_machine.travel(moment(monday + dt.timedelta(days=1), "08:30"), tick=False):
        advance_reports()
        assert [run.report for run in ReportRun.objects.all()] == [off]
        Report.objects.filter(pk=off.pk).update(is_active=False)
        advance_reports()
        run = ReportRun.objects.get()
        assert (run.status, run.message) == ("skipped", "報表已停用，沒有寄出")
    assert not OutboxMessage.objects.exists()
    # Down for less than a day: it is made up for; for longer: it is not.
    for hours, made in ((23, 1), (25, 0)):
        late.runs.all().delete()
        with time_machine.travel(moment(monday + dt.timedelta(days=7), "08:30") + dt.timedelta(hours=hours)):
            advance_reports()
            assert late.runs.count() == made

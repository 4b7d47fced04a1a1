"""When reports are due: creates their runs, and lets those go that wait for data. Called every minute."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction
from django.utils import timezone

from momo.core.days import start_of_day
from momo.core.periods import month_of, week_of
from momo.reports.models import Report, ReportRun
from momo.reports.selectors import missing_data

# A report whose time passed while nothing ran is made up for within this.
CATCH_UP = dt.timedelta(hours=24)
# A report that is saved in its minute is due in that minute.
SAVED_BEFORE = dt.timedelta(minutes=2)
Kind, Status = Report.Kind, ReportRun.Status


def last_due(report: Report, *, now: dt.datetime) -> dt.datetime:
    """The latest moment up to `now` at which the report is due."""
    today = timezone.localdate(now)
    first = _first_day(report, today)
    moment = _at(first, report.at)
    return moment if moment <= now else _at(_first_day(report, first - dt.timedelta(days=1)), report.at)


def create_due(*, now: dt.datetime) -> list[ReportRun]:
    """Create the runs that are due and not there yet. Of two processes that do so at once, one creates them."""
    created = []
    for report in Report.objects.filter(is_active=True).order_by("pk"):
        due = last_due(report, now=now)
        if due <= now - CATCH_UP or due < report.changed_at - SAVED_BEFORE:
            continue
        day = timezone.localdate(due) - dt.timedelta(days=1)
        run, is_new = ReportRun.objects.get_or_create(report=report, day=day, defaults={"due_at": due})
        created += [run] if is_new else []
    return created


def release_waiting(*, now: dt.datetime) -> None:
    """Start the runs whose data have arrived, or whose report waits no longer. Those of reports switched off end."""
    for run in ReportRun.objects.filter(status=Status.WAITING).select_related("report").order_by("pk"):
        if not run.report.is_active:
            _move(run, status=Status.SKIPPED, message="報表已停用，沒有寄出", finished_at=now)
            continue
        missing = missing_data(run.report, run.report.period(run.day))
        if missing and now < waits_until(run):
            _move(run, message=f"等待：{'；'.join(missing)}", missing=missing)
        else:
            _move(run, status=Status.PENDING, message="", missing=missing)


def waits_until(run: ReportRun) -> dt.datetime:
    """The moment at which a run starts whatever is missing."""
    end = run.report.wait_until
    return run.due_at if end is None else max(run.due_at, _at(timezone.localdate(run.due_at), end))


def _first_day(report: Report, day: dt.date) -> dt.date:
    """The day of the last time of the report up to `day`."""
    if report.kind == Kind.WEEKLY:
        return week_of(day).first
    return month_of(day).first if report.kind == Kind.MONTHLY else day


def _at(day: dt.date, time: dt.time) -> dt.datetime:
    return start_of_day(day).replace(hour=time.hour, minute=time.minute)


@transaction.atomic
def _move(run: ReportRun, **values: object) -> None:
    """Change a run that still waits; enqueue it if it waits no longer."""
    moved = ReportRun.objects.filter(pk=run.pk, status=Status.WAITING).update(**values)
    if moved and values.get("status") == Status.PENDING:
        transaction.on_commit(partial(_enqueue, run.pk))


def _enqueue(pk: int) -> None:
    ReportRun.objects.get(pk=pk).enqueue()

"""Schedules (django-celery-beat) and whether their last run is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

GRACE = timedelta(minutes=10)  # how late a run may start
TIMES = ("interval", "crontab", "clocked", "solar")


@dataclass(frozen=True)
class Overdue:
    """A schedule whose run should have started at `due`, more than GRACE ago, and did not."""

    task: PeriodicTask
    due: datetime


@dataclass(frozen=True)
class Missed:
    """Runs that did not start, the longest overdue first. `beat_stopped`: no schedule at all ran for GRACE."""

    runs: list[Overdue]
    beat_stopped: bool


def due_at(task: PeriodicTask, *, now: datetime) -> datetime | None:
    """When the run after the last one is due; None for a schedule that is switched off, has not begun or is over."""
    if not task.enabled or (task.start_time and task.start_time > now) or (task.expires and task.expires <= now):
        return None
    last: datetime = task.last_run_at or task.date_changed
    if task.clocked is not None:
        moment: datetime = task.clocked.clocked_time
        return None if task.last_run_at else moment
    if task.interval is not None:
        every: timedelta = task.schedule.run_every
        return last + every
    # A time of the day: full minutes, whatever the reading of two clocks added.
    due: datetime = timezone.now() + task.schedule.remaining_estimate(last) + timedelta(seconds=30)
    return due.replace(second=0, microsecond=0)


def overdue_since(task: PeriodicTask, *, now: datetime) -> datetime | None:
    """When the run was due that should have started more than GRACE ago; a change of the schedule begins GRACE anew."""
    due = due_at(task, now=now)
    return due if due is not None and max(due, task.date_changed) < now - GRACE else None


def missed_runs(*, now: datetime | None = None) -> Missed:
    """Every run that did not start, in one query."""
    now = now or timezone.now()
    tasks = PeriodicTask.objects.filter(enabled=True).select_related(*TIMES)
    found = [Overdue(task, due) for task in tasks if (due := overdue_since(task, now=now))]
    last = max((task.last_run_at for task in tasks if task.last_run_at), default=None)
    stopped = bool(found) and (last is None or last < now - GRACE)
    return Missed(sorted(found, key=lambda one: one.due), stopped)

"""The state of crawling: the running and the last run, and the next start."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from products.models import Category, CrawlRun, Observation

START_TASK = "products.start_crawl"
KEEP_OBSERVATIONS_OF = 3  # runs, for examining what they saw


def running_run() -> CrawlRun | None:
    """The active run."""
    return CrawlRun.objects.filter(status=CrawlRun.Status.RUNNING).first()


def last_run() -> CrawlRun | None:
    """The run that ended last, however it ended."""
    return CrawlRun.objects.exclude(status=CrawlRun.Status.RUNNING).order_by("-finished_at").first()


def progress_of(run: CrawlRun) -> dict[str, int]:
    """Pages, items and percent (0–100) of a run, summed over its shards."""
    sums = run.shards.aggregate(
        pages=Sum("pages", default=0), expected=Sum("pages_expected", default=0), items=Sum("items", default=0)
    )
    if run.status == CrawlRun.Status.APPLIED:
        percent = 100
    else:
        percent = min(99, round(100 * sums["pages"] / sums["expected"])) if sums["expected"] else 0
    return {"pages": sums["pages"], "pages_expected": sums["expected"], "items": sums["items"], "percent": percent}


def run_as_dict(run: CrawlRun) -> dict[str, Any]:
    """A run as the API shows it; `duration` in seconds."""
    end = run.finished_at or timezone.now()
    return {
        "run_id": run.pk,
        "status": run.status,
        "verdict": run.verdict or None,
        "message": run.message,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration": round((end - run.started_at).total_seconds(), 1),
        "progress": progress_of(run),
        "counts": {
            "categories": run.categories,
            "seen": run.seen,
            "new": run.new,
            "increase": run.increased,
            "decrease": run.decreased,
            "delisted": run.delisted,
            "relisted": run.relisted,
            "out_of_stock": run.sold_out,
            "back_in_stock": run.restocked,
            "quarantined": run.quarantined,
            "errors": run.error_count,
        },
    }


def enabled_category_count() -> int:
    """How many categories a crawl walks."""
    return Category.objects.filter(enabled=True).count()


def last_applied_at() -> datetime | None:
    """When prices were last updated: the end of the last run that was applied."""
    applied = CrawlRun.objects.filter(status=CrawlRun.Status.APPLIED).order_by("-pk")
    return applied.values_list("finished_at", flat=True).first()


def next_scheduled_run() -> datetime | None:
    """When celery-beat starts the next crawl; None if the schedule is switched off."""
    task = (
        PeriodicTask.objects.filter(task=START_TASK, enabled=True)
        .select_related("interval", "crontab", "clocked", "solar")
        .first()
    )
    if task is None:
        return None
    now = timezone.now()
    last = task.last_run_at or task.date_changed
    wait: timedelta = task.schedule.remaining_estimate(last)
    return now + max(wait, timedelta())


def old_observations() -> QuerySet[Observation]:
    """The observations of all but the last KEEP_OBSERVATIONS_OF runs."""
    kept = CrawlRun.objects.order_by("-pk").values_list("pk", flat=True)[:KEEP_OBSERVATIONS_OF]
    return Observation.objects.filter(run_id__lt=min(kept, default=0))

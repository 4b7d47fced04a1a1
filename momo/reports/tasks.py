"""Celery tasks of reports. Each takes ids, may run twice, and only calls services."""

from __future__ import annotations

from celery import shared_task

from momo.reports.services.runs import advance_reports, run_report


@shared_task(name="reports.run", time_limit=900)
def run(run_id: int) -> None:
    """Make and send one report."""
    run_report(run_id)


@shared_task(name="reports.sweep")
def sweep_reports() -> None:
    """Every minute: see `advance_reports`."""
    advance_reports()

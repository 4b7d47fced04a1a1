"""Celery tasks of imports. Each may run twice, and does nothing that its service does not do."""

from __future__ import annotations

import logging

from celery import shared_task

from momo.jobs.services import close_stale_jobs, run_job, send_waiting_jobs, sync_drive
from momo.rest.errors import ApiError

logger = logging.getLogger(__name__)

LONGEST = 3600  # seconds that a worker may take for one job


@shared_task(name="jobs.run", time_limit=LONGEST)
def run(job_id: int) -> None:
    """Run one job to its end."""
    run_job(job_id)


@shared_task(name="jobs.watch")
def watch() -> None:
    """Every half minute: take up what a dead worker left, send what waits."""
    close_stale_jobs()
    send_waiting_jobs()


@shared_task(name="jobs.drive_sync", time_limit=LONGEST)
def drive_sync() -> None:
    """Every ten minutes: import what is new in the folder of Google Drive."""
    try:
        sync_drive()
    except ApiError as error:
        logger.warning("Google Drive is not looked at: %s", error)

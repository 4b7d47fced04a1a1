"""Celery tasks of imports. Each may run twice, and calls one service."""

from __future__ import annotations

import logging

from celery import shared_task

from momo.core.errors import ServiceError
from momo.jobs.services import run_job, sweep_jobs, sync_drive

logger = logging.getLogger(__name__)

LONGEST = 3600  # seconds that a task may take


@shared_task(name="jobs.run", time_limit=LONGEST)
def run(job_id: int) -> None:
    """Run one job to its end."""
    run_job(job_id)


# The stored schedule has this name.
@shared_task(name="jobs.watch")
def sweep() -> None:
    """Every half minute: release the jobs of silent workers, and enqueue those that wait."""
    sweep_jobs()


@shared_task(name="jobs.drive_sync", time_limit=LONGEST)
def drive_sync() -> None:
    """Every ten minutes: import new files of the Google Drive folder."""
    try:
        sync_drive()
    except ServiceError as error:
        logger.warning("the Drive folder is not synchronised: %s", error)

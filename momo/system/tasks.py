"""Celery tasks of clean-ups, restarts and schedules. Each takes ids, may run twice, and only calls services."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from momo.core.errors import Conflict
from momo.system.models import Cleanup
from momo.system.services.cleanup import run_cleanup, start_cleanup, sweep_cleanups
from momo.system.services.freshness import alert_stale
from momo.system.services.rollouts import run_rollout, sweep_rollouts
from momo.system.services.schedules import CHECK_TASK, alert_overdue

logger = logging.getLogger(__name__)


@shared_task(name="system.clean_up")
def clean_up_by_schedule() -> None:
    """Start a clean-up, unless one is unfinished; called by the schedule."""
    try:
        start_cleanup(trigger=Cleanup.Trigger.SCHEDULE)
    except Conflict as error:
        logger.info("scheduled clean-up: %s", error)


@shared_task(name="system.cleanup", time_limit=6 * 3600)
def cleanup(cleanup_id: int) -> None:
    """Work on one clean-up."""
    run_cleanup(cleanup_id)


@shared_task(name="system.rollout", time_limit=settings.ROLLOUT_TIMEOUT + 300)
def rollout(rollout_id: int) -> None:
    """Watch one restart."""
    run_rollout(rollout_id)


@shared_task(name="system.sweep")
def sweep_all() -> None:
    """Every half minute: continue what a dead worker left."""
    sweep_cleanups()
    sweep_rollouts()


@shared_task(name=CHECK_TASK)
def check_schedules() -> None:
    """Alert of schedules whose run did not start; workers start this every five minutes, with or without beat."""
    alert_overdue()


@shared_task(name="system.check_freshness")
def check_freshness() -> None:
    """Alert about data that are older than their objective."""
    alert_stale()

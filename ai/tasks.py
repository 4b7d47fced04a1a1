"""Celery tasks of AI. Each may run twice, and only calls services."""

from __future__ import annotations

import logging

from celery import shared_task

from ai.services.budget import sweep_calls
from ai.services.trends import refresh_trends
from momo.core.errors import Conflict, NotFound

logger = logging.getLogger(__name__)


@shared_task(name="ai.sweep")
def sweep() -> None:
    """Every minute: end the calls of dead processes, which releases what they reserved."""
    sweep_calls()


@shared_task(name="ai.refresh_trends", time_limit=3500)
def refresh_trends_task(source: str = "", trend_id: int | None = None) -> None:
    """Refresh lists of trends; a second one at the same time has nothing to do."""
    try:
        done = refresh_trends(source=source, trend_id=trend_id)
    except (Conflict, NotFound) as reason:
        logger.info("Trends were not refreshed: %s", reason)
        return
    failed = [each for each in done if each.error]
    logger.info("Refreshed %d lists of trends, %d failed", len(done), len(failed))

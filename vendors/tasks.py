"""Celery tasks of vendors. Each may run twice, and calls one service."""

from __future__ import annotations

from celery import shared_task

from vendors.services.closing import close_restocked as close
from vendors.services.prepare import run_sending, sweep_sendings
from vendors.services.reminders import remind_vendors

LONGEST = 3600  # seconds that a task may take


@shared_task(name="vendors.prepare", time_limit=LONGEST)
def prepare(sending_id: int) -> None:
    """Prepare the mails of one sending."""
    run_sending(sending_id)


@shared_task(name="vendors.sweep")
def sweep() -> None:
    """Every half minute: release the sendings of silent workers, and enqueue those that wait."""
    sweep_sendings()


@shared_task(name="vendors.remind")
def remind() -> None:
    """Every morning: write to vendors that did not answer, and to whoever is above them."""
    remind_vendors()


@shared_task(name="vendors.close_restocked")
def close_restocked() -> None:
    """Every ten minutes: resolve what the catalogue sees on sale again."""
    close()

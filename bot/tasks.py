"""Celery tasks of the bot. Each may run twice, and only calls services."""

from __future__ import annotations

from celery import shared_task

from bot.services.menus import sync_menus
from bot.services.updates import run_update, sweep_updates

LONGEST = 900  # seconds; a command that waits for a model takes minutes


@shared_task(name="bot.update", time_limit=LONGEST)
def update(update_id: int) -> None:
    """Handle one update and answer it."""
    run_update(update_id)


@shared_task(name="bot.menus")
def menus() -> None:
    """Show the commands that each role may give."""
    sync_menus()


@shared_task(name="bot.sweep")
def sweep() -> None:
    """Every half minute: release updates of silent workers, end links of users who are gone, set menus."""
    sweep_updates()

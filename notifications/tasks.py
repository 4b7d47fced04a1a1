"""Celery tasks of messages. Each may run twice, and does nothing that its service does not do."""

from __future__ import annotations

from celery import shared_task

from notifications.services.alerts import tell_troubles
from notifications.services.sending import drain, pass_on_due
from notifications.services.sweep import sweep

LONGEST = 600  # seconds; a drain ends itself long before, one that hangs on a server is killed and swept


@shared_task(name="notifications.send", time_limit=LONGEST)
def send(channel: str) -> None:
    """Send what is due by one channel."""
    drain(channel)


@shared_task(name="notifications.watch")
def watch() -> None:
    """Every half minute: take messages from senders that died, have sent what is due, tell of what is in the way."""
    sweep()
    pass_on_due()
    tell_troubles()

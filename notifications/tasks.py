"""Celery tasks of messages. Each may run twice, and only calls services."""

from __future__ import annotations

from celery import shared_task

from notifications.services.alerts import enqueue_alerts
from notifications.services.sending import drain, pass_on_due
from notifications.services.sweep import sweep

LONGEST = 600  # seconds; a drain ends itself long before, one that hangs on a server is killed and swept


@shared_task(name="notifications.send", time_limit=LONGEST)
def send(channel: str) -> None:
    """Send what is due by one channel."""
    drain(channel)


# The stored schedule has this name.
@shared_task(name="notifications.watch")
def sweep_messages() -> None:
    """Every half minute: release the messages of silent senders, start sending what is due, enqueue alerts."""
    sweep()
    pass_on_due()
    enqueue_alerts()

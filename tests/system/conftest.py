"""Workers that are none: their heartbeats, as Celery sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from celery.signals import worker_ready

from momo.celery import app


class Worker:
    """What Celery sends a worker's signals with."""

    def __init__(self, hostname: str) -> None:
        self.hostname = hostname


@pytest.fixture
def beat() -> Iterator[Callable[..., None]]:
    """Sends the heartbeat of a worker with these queues, as Celery does."""
    known = app.amqp.queues

    def send(name: str, *consumed: str) -> None:
        known.select(consumed)
        worker_ready.send(sender=Worker(name))

    yield send
    known._consume_from = None

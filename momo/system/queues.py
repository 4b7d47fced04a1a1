"""What waits in the broker's queues, and how tasks ended, counted there by all workers together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from momo.celery import queues

logger = logging.getLogger(__name__)

OUTCOMES_KEY = "momo:task_outcomes"  # a hash: "task outcome" → how often
TAKEN = "unacked"  # Celery's own: tasks that a worker has and has not finished


def broker() -> redis.Redis:
    """The broker's Redis, which answers within a second or raises RedisError."""
    return _client(settings.CELERY_BROKER_URL)


@cache
def _client(url: str) -> redis.Redis:
    # Without retries, which would wait longer than whoever asks.
    return redis.Redis.from_url(
        url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


def queue_lengths() -> dict[str, int]:
    """Tasks that wait in each queue, and those that workers have (`unacked`). Raises RedisError."""
    names = queues()
    with broker().pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.llen(name)
        pipeline.hlen(TAKEN)
        return dict(zip([*names, TAKEN], pipeline.execute(), strict=True))


def task_outcomes() -> Mapping[tuple[str, str], int]:
    """How often tasks have ended, by name and outcome (`success`, `failure`, `retry`, …). Raises RedisError."""
    counted: Any = broker().hgetall(OUTCOMES_KEY)
    return {(name, outcome): int(times) for key, times in counted.items() for name, _, outcome in [key.partition(" ")]}


def count_outcome(task: Any = None, state: str | None = None, **_: Any) -> None:
    """Count the end of a task. In Redis, since a worker's own figures would end with its processes."""
    try:
        broker().hincrby(OUTCOMES_KEY, f"{task.name} {(state or 'unknown').lower()}", 1)
    except RedisError as error:
        logger.warning("the end of %s is not counted: %s", task.name, error)

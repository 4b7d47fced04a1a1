"""The Celery application, and a record of the workers' heartbeats for status pages."""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, worker_ready, worker_shutdown
from django.core.cache import cache
from django_redis import get_redis_connection
from redis.exceptions import RedisError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "momo.settings")

app = Celery("momo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

WORKERS_KEY = "celery:worker_queues"
WORKER_SECONDS = 30  # without a heartbeat for this long a worker counts as gone
Workers = dict[str, tuple[float, list[str]]]  # by name: the time of the last heartbeat, the queues that it consumes


@worker_ready.connect
@heartbeat_sent.connect
def _record_heartbeat(sender: Any = None, **_: Any) -> None:
    """Store the time of the heartbeat; the worker's main process sends one every 2 seconds."""
    name = getattr(sender, "hostname", None) or getattr(getattr(sender, "eventer", None), "hostname", "worker")
    own: Workers = {str(name): (time.time(), sorted(app.amqp.queues.consume_from))}
    cache.set(WORKERS_KEY, _workers() | own, WORKER_SECONDS)


@worker_shutdown.connect
def _remove_worker(sender: Any = None, **_: Any) -> None:
    workers = _workers()
    workers.pop(getattr(sender, "hostname", ""), None)
    cache.set(WORKERS_KEY, workers, WORKER_SECONDS)


def _workers() -> Workers:
    """The workers with a heartbeat within WORKER_SECONDS."""
    known: Workers = cache.get(WORKERS_KEY) or {}
    return {name: worker for name, worker in known.items() if worker[0] > time.time() - WORKER_SECONDS}


def workers_alive() -> list[str]:
    """Names of the workers with a heartbeat within WORKER_SECONDS."""
    return sorted(_workers())


def queues() -> list[str]:
    """All queues that tasks are sent to."""
    routes = app.conf.task_routes or {}
    return sorted({app.conf.task_default_queue, *(route["queue"] for route in routes.values())})


def idle_queues() -> list[str]:
    """Queues that no living worker consumes, from the heartbeats that workers store: one look into the cache.

    None of them while the cache does not answer, which says nothing about the workers.
    """
    if not _cache_answers():
        return []
    consumed = {queue for _, names in _workers().values() for queue in names}
    return [queue for queue in queues() if queue not in consumed]


def _cache_answers() -> bool:
    """Whether Redis answers; the cache itself reads like an empty one when it does not."""
    try:
        return bool(get_redis_connection("default").ping())
    except RedisError:
        return False

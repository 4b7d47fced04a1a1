"""The Celery application, and a record of the workers' heartbeats for status pages."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.core.cache import cache
from django_redis import get_redis_connection
from redis.exceptions import RedisError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "momo.settings")

logger = logging.getLogger(__name__)

app = Celery("momo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

WORKERS_KEY = "celery:workers"
WORKER_SECONDS = 30  # without a heartbeat for this long a worker counts as gone
Workers = dict[str, tuple[float, list[str]]]  # by name: the time of the last heartbeat, the queues that it consumes


def _name(sender: Any) -> str:
    return str(getattr(sender, "hostname", None) or getattr(getattr(sender, "eventer", None), "hostname", "worker"))


@worker_ready.connect
@heartbeat_sent.connect
def _record_heartbeat(sender: Any = None, **_: Any) -> None:
    """Store the time of the heartbeat; the worker's main process sends one every 2 seconds.

    Each worker writes a field of its own, so that no worker overwrites what another one wrote meanwhile.
    """
    key = cache.make_key(WORKERS_KEY)
    try:
        with get_redis_connection("default").pipeline() as pipeline:
            pipeline.hset(key, _name(sender), json.dumps([time.time(), sorted(app.amqp.queues.consume_from)]))
            pipeline.expire(key, WORKER_SECONDS)
            pipeline.hgetall(key)
            *_, stored = pipeline.execute()
        if gone := [name for name, worker in stored.items() if not _is_alive(json.loads(worker)[0])]:
            get_redis_connection("default").hdel(key, *gone)
    except RedisError as error:
        logger.warning("heartbeat is not stored: %s", error)


@worker_shutdown.connect
def _remove_worker(sender: Any = None, **_: Any) -> None:
    with contextlib.suppress(RedisError):
        get_redis_connection("default").hdel(cache.make_key(WORKERS_KEY), _name(sender))


def _is_alive(heartbeat: float) -> bool:
    return heartbeat > time.time() - WORKER_SECONDS


def workers() -> Workers:
    """The workers with a heartbeat within WORKER_SECONDS; none while Redis does not answer."""
    try:
        stored = get_redis_connection("default").hgetall(cache.make_key(WORKERS_KEY))
    except RedisError:
        return {}
    known = {name.decode(): json.loads(worker) for name, worker in stored.items()}
    return {name: (beat, queues) for name, (beat, queues) in known.items() if _is_alive(beat)}


def workers_alive() -> list[str]:
    """Names of the workers with a heartbeat within WORKER_SECONDS."""
    return sorted(workers())


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
    consumed = {queue for _, names in workers().values() for queue in names}
    return [queue for queue in queues() if queue not in consumed]


def _cache_answers() -> bool:
    """Whether Redis answers; the cache itself reads like an empty one when it does not."""
    try:
        return bool(get_redis_connection("default").ping())
    except RedisError:
        return False


@worker_ready.connect
@heartbeat_sent.connect
def _touch_heartbeat(**_: Any) -> None:
    """Show what restarts containers that the main process lives; it sends no heartbeats while the broker is away."""
    if settings.WORKER_HEARTBEAT_FILE:
        Path(settings.WORKER_HEARTBEAT_FILE).touch()


# --- Stopping -------------------------------------------------------------------------------------------------------


@worker_shutting_down.connect
def _bound_warm_shutdown(how: str = "", **_: Any) -> None:
    """After SIGTERM a worker ends as soon as its tasks do; after WORKER_STOP_SECONDS it ends those that still run.

    SIGQUIT turns Celery's warm shutdown into a cold one. Tasks get a SystemExit, at which `run_work` gives their rows
    back, and their messages return to the broker.
    """
    if how == "Warm":
        timer = threading.Timer(settings.WORKER_STOP_SECONDS, os.kill, (os.getpid(), signal.SIGQUIT))
        timer.daemon = True
        timer.start()

"""The Celery application, and a record of the workers' heartbeats for status pages."""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, worker_ready, worker_shutdown
from django.core.cache import cache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "momo.settings")

app = Celery("momo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

WORKERS_KEY = "celery:workers"
WORKER_SECONDS = 30  # without a heartbeat for this long a worker counts as gone


@worker_ready.connect
@heartbeat_sent.connect
def _record_heartbeat(sender: Any = None, **_: Any) -> None:
    """Store the time of the heartbeat; the worker's main process sends one every 2 seconds."""
    name = getattr(sender, "hostname", None) or getattr(getattr(sender, "eventer", None), "hostname", "worker")
    workers = {k: v for k, v in (cache.get(WORKERS_KEY) or {}).items() if v > time.time() - WORKER_SECONDS}
    cache.set(WORKERS_KEY, workers | {name: time.time()}, WORKER_SECONDS)


@worker_shutdown.connect
def _remove_worker(sender: Any = None, **_: Any) -> None:
    workers = cache.get(WORKERS_KEY) or {}
    workers.pop(getattr(sender, "hostname", ""), None)
    cache.set(WORKERS_KEY, workers, WORKER_SECONDS)


def workers_alive() -> list[str]:
    """Names of the workers with a heartbeat within WORKER_SECONDS."""
    return sorted(k for k, v in (cache.get(WORKERS_KEY) or {}).items() if v > time.time() - WORKER_SECONDS)

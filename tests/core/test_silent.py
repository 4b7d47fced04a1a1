"""A Redis that takes connections and never answers, as one that is frozen: it costs one wait, not one a command."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as project
from django_prometheus.cache.backends.redis import RedisCache

from momo.celery import app as own_app
from momo.core import work
from momo.core.errors import Unavailable
from momo.core.work import require_task, start_task

WAIT = 0.3  # seconds that an answer may take here


@pytest.fixture
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def seconds(ask: Any) -> float:
    begun = time.monotonic()
    ask()
    return time.monotonic() - begun


def test_the_cache_waits_once(silent: str) -> None:
    place = project.CACHES["default"]
    cache = RedisCache(silent, {**place, "OPTIONS": {**place["OPTIONS"], "SOCKET_TIMEOUT": WAIT}})
    assert seconds(lambda: cache.get("a", 1)) >= WAIT
    assert seconds(lambda: [cache.get("a"), cache.get_many(["a", "b"]), cache.set("a", 1), cache.add("b", 1)]) < WAIT
    assert cache.get("a", 1) == 1


def test_a_task_waits_once(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "SILENT", WAIT)
    app = Celery("silent")
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = silent
    app.conf.broker_transport_options = {"socket_timeout": WAIT}
    try:
        assert seconds(lambda: start_task("a.task")) >= WAIT
        assert seconds(lambda: [start_task("a.task") for _ in range(10)]) < WAIT
        with pytest.raises(Unavailable, match="訊息佇列"):
            require_task("a.task")
    finally:
        own_app.set_current()
        app.close()

"""How many generations run at once in this process: each takes a thread of the web server for minutes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from momo.core.errors import RateLimited

RETRY_SECONDS = 10
_lock = threading.Lock()
_taken = 0


@contextmanager
def slot() -> Iterator[None]:
    """One of AI_MAX_STREAMS places. Raises RateLimited at once when all are taken: waiting would take a thread too."""
    global _taken
    with _lock:
        if _taken >= settings.AI_MAX_STREAMS:
            raise RateLimited(f"目前有太多 AI 文案正在產生，請於 {RETRY_SECONDS} 秒後再試", retry_after=RETRY_SECONDS)
        _taken += 1
    try:
        yield
    finally:
        with _lock:
            _taken -= 1

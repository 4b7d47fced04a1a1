"""The cache's client of Redis: a Redis that takes connections and never answers costs one wait, not one a command."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

PAUSE = 5.0  # seconds


class CacheClient(redis.Redis):
    """Fails at once for PAUSE seconds after a command of this process was not answered within `SOCKET_TIMEOUT`.

    A page reads the cache several times, and each of them would wait. A Redis that refuses connections needs no pause.
    """

    silent_until: ClassVar[float] = 0.0  # as time.monotonic() counts

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if time.monotonic() < CacheClient.silent_until:
            raise RedisConnectionError("Redis did not answer a moment ago")
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call] # of redis
        except RedisTimeoutError:
            CacheClient.silent_until = time.monotonic() + PAUSE
            raise

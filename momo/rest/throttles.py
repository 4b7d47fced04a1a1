"""How often somebody may ask: by token, else by user, else by address; counted in Redis, open when Redis is away."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from momo.rest.address import client_address
from momo.rest.errors import RateLimited

logger = logging.getLogger("momo.rest")

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# After Redis failed, requests go uncounted this long (seconds) instead of each waiting for its time limit.
PAUSE = 5.0
_paused_until = 0.0


def parse_rate(rate: str) -> tuple[int, int]:
    """`"20/min"` as (requests, seconds)."""
    number, _, period = rate.partition("/")
    return int(number), PERIODS[period[0]]


def count(*, scope: str, identity: str, weight: int = 1) -> float | None:
    """Count one request of `identity` in `scope`; with `weight` 0 only ask whether one more is allowed.

    Returns None while it is allowed, else the seconds until it is again. A rate that is empty or not set allows
    everything. When Redis is away everything is allowed, with a warning in the log: a cache must not close the shop.
    """
    global _paused_until
    rates: dict[str, str] = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]  # type: ignore[assignment]
    rate = rates.get(scope)
    if not rate or time.monotonic() < _paused_until:
        return None
    limit, seconds = parse_rate(rate)
    now = time.time()
    key = caches["default"].make_key(f"throttle:{scope}:{identity}:{int(now // seconds)}")
    try:
        pipeline = get_redis_connection("default").pipeline()
        pipeline.incrby(key, weight)
        pipeline.expire(key, seconds + 1)
        used = pipeline.execute()[0]
    except RedisError as error:
        _paused_until = time.monotonic() + PAUSE
        logger.warning("Requests are not counted, Redis is away: %s", error)
        return None
    return None if used + 1 - weight <= limit else seconds - now % seconds


def throttle(*, scope: str, identity: str, weight: int = 1) -> None:
    """`count` for views outside of REST framework. Raises RateLimited."""
    wait = count(scope=scope, identity=identity, weight=weight)
    if wait is not None:
        raise RateLimited(retry_after=wait)


def throttle_address(request: HttpRequest, *, scope: str, weight: int = 1) -> None:
    """Count by address. Raises RateLimited."""
    throttle(scope=scope, identity=f"address:{client_address(request)}", weight=weight)


def user_identity(user: Any) -> str:
    """How somebody inside is counted who did not come with a token."""
    return f"user:{user.pk}"


def identity_of(request: Request) -> str:
    """Who is counted: each token for itself, so one wild program does not stop its owner's browser."""
    if getattr(request.auth, "pk", None) is not None:
        return f"token:{request.auth.pk}"
    if request.user is not None and request.user.is_authenticated:
        return user_identity(request.user)
    return f"address:{client_address(request._request)}"


class ScopeThrottle(BaseThrottle):
    """Counts in `default`, and in the view's `throttle_scope` (a name, or a name for each method) when it has one."""

    def __init__(self) -> None:
        self.seconds: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        own = getattr(view, "throttle_scope", None)
        if isinstance(own, dict):
            own = own.get(request.method)
        for scope in filter(None, (own, "default")):
            self.seconds = count(scope=scope, identity=identity_of(request))
            if self.seconds is not None:
                return False
        return True

    def wait(self) -> float | None:
        return self.seconds

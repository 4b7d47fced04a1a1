"""Rate limits by token, else user, else address: one counter in Redis for each throttle key and period.

Without Redis requests are not limited.
"""

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

from momo.core.address import client_address
from momo.core.errors import RateLimited

logger = logging.getLogger("momo.rest")

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Seconds without counting after Redis failed; else each request would wait for the socket's time limit.
PAUSE = 5.0
_paused_until = 0.0


def parse_rate(rate: str) -> tuple[int, int]:
    """`"20/min"` as (requests, seconds)."""
    number, _, period = rate.partition("/")
    return int(number), PERIODS[period[0]]


def throttle_key(*, scope: str, identity: str, period: int) -> str:
    """The Redis key that counts the requests of `identity` in `scope` during one period, which is numbered."""
    return str(caches["default"].make_key(f"throttle:{scope}:{identity}:{period}"))


def count(*, scope: str, identity: str, weight: int = 1) -> float | None:
    """Count one request of `identity` in `scope`; with `weight` 0 only check whether one more is allowed.

    Returns None if the request is allowed, else the seconds until the next period. A rate that is empty or not set
    allows all requests. So does a Redis that does not answer, with a warning in the log: the site works without it.
    """
    global _paused_until
    rates: dict[str, str] = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]  # type: ignore[assignment]
    rate = rates.get(scope)
    if not rate or time.monotonic() < _paused_until:
        return None
    limit, seconds = parse_rate(rate)
    now = time.time()
    key = throttle_key(scope=scope, identity=identity, period=int(now // seconds))
    try:
        pipeline = get_redis_connection("default").pipeline(transaction=False)
        pipeline.incrby(key, weight)
        pipeline.expire(key, seconds + 1)
        used = pipeline.execute()[0]
    except RedisError as error:
        _paused_until = time.monotonic() + PAUSE
        logger.warning("Requests are not counted, Redis does not answer: %s", error)
        return None
    return None if used + 1 - weight <= limit else seconds - now % seconds


def throttle(*, scope: str, identity: str, weight: int = 1) -> None:
    """`count` for views outside of REST framework. Raises RateLimited."""
    wait = count(scope=scope, identity=identity, weight=weight)
    if wait is not None:
        raise RateLimited(retry_after=wait)


def throttle_address(request: HttpRequest, *, scope: str, weight: int = 1) -> None:
    """Count one request of the client's address. Raises RateLimited."""
    throttle(scope=scope, identity=f"address:{client_address(request)}", weight=weight)


def user_identity(user: Any) -> str:
    """The identity of a user without a token in throttle keys."""
    return f"user:{user.pk}"


def identity_of(request: Request) -> str:
    """The identity in throttle keys. Each token counts separately, so that no program blocks its owner's browser."""
    if getattr(request.auth, "pk", None) is not None:
        return f"token:{request.auth.pk}"
    if request.user is not None and request.user.is_authenticated:
        return user_identity(request.user)
    return f"address:{client_address(request._request)}"


class ScopeThrottle(BaseThrottle):
    """Counts in the scope `default` and in the view's `throttle_scope`, if any (a name, or a name for each method)."""

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

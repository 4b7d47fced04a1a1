"""What counting costs: a page of products with the metrics of requests, queries and cache, beside the same without.

Processor time, since the difference is smaller than what a database's answer varies by. Both ways take turns, and turns
at being first, which warms the caches of the processor for the second. Counters are in files, as with several web
processes.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache, caches
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import override_settings
from django_redis.cache import RedisCache

from accounts.services import create_token, create_user
from momo.system.metrics import FOLDER, scrape
from momo.system.middleware import measure_queries
from tests.benchmarks import catalogue
from tests.benchmarks.caller import Caller, warm
from tests.benchmarks.context import Context
from tests.benchmarks.report import Row

SIZE = 5_600
PRODUCTS = "/api/products"
OURS = "momo.system.middleware.Metrics"


class Way:
    """The site with middleware, connection and cache that count, or those that do not."""

    def __init__(self, connection: Any, cache: Any, middleware: list[str]) -> None:
        self.connection, self.cache = connection, cache
        with override_settings(MIDDLEWARE=middleware):
            self.caller = Caller()

    def get(self, token: str) -> float:
        """Milliseconds of processor time."""
        connections["default"], caches["default"] = self.connection, self.cache
        began = time.thread_time()
        self.caller.get(PRODUCTS, token)
        return 1000 * (time.thread_time() - began)


def run(context: Context) -> list[Row]:
    """The cost of a request's metrics and the time of a scrape (milliseconds)."""
    if not os.environ.get(FOLDER):
        raise RuntimeError(f"{FOLDER} is not set")
    with context.database("bench_metrics"):
        context.use("bench_metrics")
        catalogue.fill(300 if context.quick else SIZE)
        user = create_user(username="bench", password="a long enough passphrase", email="bench@example.com")
        token = create_token(user=user, name="bench").text
        counting = connections["default"], caches["default"]
        place = settings.CACHES["default"]
        quiet = (
            DatabaseWrapper(counting[0].settings_dict, "default"),
            RedisCache(place["LOCATION"], {**place, "KEY_PREFIX": cache.key_prefix}),
        )
        middleware = list(settings.MIDDLEWARE)
        ways = Way(*counting, middleware), Way(*quiet, [name for name in middleware if not name.startswith(OURS)])
        # The site's middleware has each new connection measured: this one is not, the other was open before.
        quiet[0].ensure_connection()
        quiet[0].execute_wrappers.clear()
        measure_queries(counting[0])
        try:
            return _rows(ways, token, 20 if context.quick else 1_500)
        finally:
            quiet[0].close()
            connections["default"], caches["default"] = counting


def _rows(ways: tuple[Way, Way], token: str, repeats: int) -> list[Row]:
    for way in ways:
        warm(lambda way=way: way.get(token), 20)
    counting, plain = ways
    differences, floor = [], []
    for number in range(repeats):
        took = {way: way.get(token) for way in (ways if number % 2 else reversed(ways))}
        differences.append(took[counting] - took[plain])
        floor.append(took[plain])
    cost = max(0.0, statistics.median(differences))
    scrapes = []
    for _ in range(5):
        began = time.perf_counter()
        scrape()
        scrapes.append(1000 * (time.perf_counter() - began))
    return [
        Row("metrics of a request", "a page of products", statistics.median(floor), cost, "ms", 0.03),
        Row("metrics, a scrape", "", None, statistics.median(scrapes), "ms"),
    ]

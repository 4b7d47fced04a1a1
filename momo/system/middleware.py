"""Answers probes and scrapes before all else, and measures requests and queries."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django_prometheus.db import errors_total, query_duration_seconds
from django_prometheus.middleware import Metrics

from momo.system.probes import PROBES

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ProbesMiddleware:
    """Answers /health and /metrics itself.

    Kubernetes and Prometheus send the pod's address as `Host`, over plain http: other middleware would refuse the host
    or redirect. Nothing in front of these pages reads a session or a user, which would need the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        return self.get_response(request) if probe is None else probe(request)


class RequestMetrics(Metrics):
    """The metrics of django-prometheus that tell requests apart; the others are sums of them, or shown nowhere."""

    KEPT = frozenset(
        {
            "django_http_responses_total_by_status_view_method",
            "django_http_requests_latency_seconds_by_view_method",
        }
    )

    def register_metric(self, metric_cls: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        return super().register_metric(metric_cls, name, *args, **kwargs) if name in self.KEPT else None


class MetricsMiddleware:
    """Counts answers by view, method and status, measures views with their middleware, and queries.

    Own code, since the package's middleware and database backend took a tenth of the processor time of a page of
    products: they look up the labels of some 20 metrics with each request, and of 3 with each query. The metrics
    themselves, with names that dashboards know, are the package's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.metrics = RequestMetrics.get_instance()
        # By view, method and status: the counter, and the histogram of view and method.
        self.known: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        connection_created.connect(measure_queries, dispatch_uid="momo.system.queries")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = perf_counter()
        took: list[float] = []
        _queries.took = took
        try:
            response = self.get_response(request)
        finally:
            _queries.took = None
            if took:
                observe_all(_seconds, took)
        match = request.resolver_match
        key = (match.view_name if match else "", request.method or "", response.status_code)
        counter, histogram = self.known.get(key) or self._labelled(*key)
        counter.inc()
        _observe(histogram, perf_counter() - begun)
        return response

    def _labelled(self, view: str, method: str, status: int) -> tuple[Any, Any]:
        """One series for all methods that nobody knows, or a client could invent ever more."""
        known = method in METHODS
        labels = {"view": view or "<unnamed view>", "method": method if known else "<invalid method>"}
        found = (
            self.metrics.responses_by_status_view_method.labels(**labels, status=str(status)),
            self.metrics.requests_latency_by_view_method.labels(**labels),
        )
        if known:
            self.known[view, method, status] = found
        return found


def measure_queries(connection: Any, **_: Any) -> None:
    """Measure what a new connection executes; a receiver of Django's `connection_created`.

    First of the wrappers: `execute_wrapper` takes the last one away at its end.
    """
    if _measured not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _measured)


class _Queries(threading.local):
    """Seconds that each query of a thread's request took; None outside of requests, as while a stream is written."""

    took: list[float] | None = None


_queries = _Queries()
_seconds = query_duration_seconds.labels("default", "postgresql")


def _observe(histogram: Any, amount: float) -> None:
    """The same as `histogram.observe`, which takes a third longer: it asks for exemplars and tries each bucket."""
    histogram._sum.inc(amount)
    histogram._buckets[bisect_left(histogram._upper_bounds, amount)].inc(1)


def observe_all(histogram: Any, amounts: Sequence[float]) -> None:
    """The same as `histogram.observe` of each amount, with one write of the sum and one of each bucket.

    prometheus_client has no such method, so this uses the values that its own `observe` writes.
    """
    times: dict[int, int] = {}
    for amount in amounts:
        bucket = bisect_left(histogram._upper_bounds, amount)
        times[bucket] = times.get(bucket, 0) + 1
    histogram._sum.inc(sum(amounts))
    for bucket, number in times.items():
        histogram._buckets[bucket].inc(number)


def _measured(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    begun = perf_counter()
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        errors_total.labels("default", "postgresql", type(error).__name__).inc()
        raise
    finally:
        seconds = perf_counter() - begun
        if _queries.took is None:
            _seconds.observe(seconds)
        else:
            _queries.took.append(seconds)

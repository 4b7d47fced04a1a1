"""What /metrics answers: requests, queries and cache as django-prometheus counts them, and figures read at the scrape.

Figures of the business come from the database and from Redis, so that every process says the same and nothing is lost
with a process. Rows are deleted after a while, so what is counted of them is a gauge over a stated time, not a counter.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from accounts.models import LoginAttempt
from ai.models import Call
from ai.selectors.budgets import budget_states
from momo.celery import queues, workers
from momo.jobs.models import Job
from momo.system.health import servers
from momo.system.queues import queue_lengths, task_outcomes
from momo.system.selectors.freshness import freshness
from notifications.metrics import OutboxCollector
from products.models import CrawlRun
from products.selectors.crawls import last_run, progress_of

logger = logging.getLogger(__name__)

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
RECENT_IMPORTS = 1_000  # that are looked at: the table has no index by time
STATEMENT_MS = 2_000  # that one statement of a scrape may take
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
Part = Callable[[], Iterable[Metric]]


def scrape() -> bytes:
    """All figures in Prometheus's text format. Without database or Redis theirs are missing, and `momo_up` says so."""
    registry = CollectorRegistry()
    registry.register(Figures())
    return _own() + generate_latest(registry)


def _own() -> bytes:
    """What web processes count themselves: of all of them where gunicorn has a folder for it (gunicorn.conf.py)."""
    if not os.environ.get(FOLDER):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # of prometheus_client
    return generate_latest(registry)


class Figures(Collector):
    """Figures that are read at each scrape."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not query anything."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Asks each server first whether it answers at all, for 2 seconds at most."""
        checks = servers()
        up = GaugeMetricFamily("momo_up", "1 while this server answers", labels=["server"])
        for name, check in checks.items():
            up.add_metric([name], float(check.ok))
        yield up
        version = GaugeMetricFamily("momo_info", "1, with the version that runs", labels=["version"])
        version.add_metric([str(settings.SPECTACULAR_SETTINGS["VERSION"])], 1)
        yield version
        if checks["broker"].ok:
            for part in (_queues, _tasks):
                yield from _without(RedisError, part)
        if checks["database"].ok:
            for part in (_crawl, _freshness, _imports, _calls, _budgets, _logins):
                yield from _without(DatabaseError, partial(_bounded, part))
            yield from OutboxCollector().collect()


def _without(error: type[Exception], part: Part) -> list[Metric]:
    """The metrics of a part; none of them when it fails, since the others are still worth having."""
    try:
        return list(part())
    except error as reason:
        logger.warning("figures are missing from the scrape: %s", reason)
        return []


def _bounded(part: Part) -> list[Metric]:
    """A part in a transaction whose statements have a time limit."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(STATEMENT_MS)])
        return list(part())


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


# --- Redis ------------------------------------------------------------------------------------------------------------


def _queues() -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "momo_queue_tasks", "Tasks that wait in a queue; unacked are those that workers have", labels=["queue"]
    )
    for name, tasks in queue_lengths().items():
        waiting.add_metric([name], tasks)
    yield waiting
    consumed = [name for _, names in workers().values() for name in names]
    living = GaugeMetricFamily("momo_workers", "Workers with a heartbeat that consume a queue", labels=["queue"])
    for name in queues():
        living.add_metric([name], consumed.count(name))
    yield living


def _tasks() -> Iterator[Metric]:
    ended = CounterMetricFamily("momo_tasks", "Tasks that have ended, of all workers", labels=["task", "outcome"])
    for (name, outcome), times in sorted(task_outcomes().items()):
        ended.add_metric([name, outcome], times)
    yield ended


# --- Database ---------------------------------------------------------------------------------------------------------


def _crawl() -> Iterator[Metric]:
    running = CrawlRun.objects.filter(status=CrawlRun.Status.RUNNING).exists()
    yield _gauge("momo_crawl_running", "1 while a crawl runs", float(running))
    ages = GaugeMetricFamily(
        "momo_crawl_age_seconds", "Time since the last applied crawl ended with this verdict", labels=["verdict"]
    )
    applied = CrawlRun.objects.filter(status=CrawlRun.Status.APPLIED)
    for verdict in (CrawlRun.Verdict.OK, CrawlRun.Verdict.SUSPECT):
        run = applied.filter(verdict=verdict).order_by("-id").first()
        if run is not None and run.finished_at is not None:
            ages.add_metric([verdict.value], (timezone.now() - run.finished_at).total_seconds())
    yield ages
    last = last_run()
    if last is None or last.finished_at is None:
        return
    progress = progress_of(last)
    yield _gauge("momo_crawl_last_pages", "Pages that the last crawl read", progress["pages"])
    yield _gauge("momo_crawl_last_items", "Goods that the last crawl read", progress["items"])
    yield _gauge("momo_crawl_last_errors", "What the last crawl could not read", last.error_count)
    took = (last.finished_at - last.started_at).total_seconds()
    yield _gauge("momo_crawl_last_duration_seconds", "Time that the last crawl took", took)


def _freshness() -> Iterator[Metric]:
    ages = GaugeMetricFamily("momo_freshness_seconds", "Age of the newest data", labels=["kind"])
    objectives = GaugeMetricFamily("momo_freshness_objective_seconds", "The oldest they may be", labels=["kind"])
    for kind in freshness():
        if kind.age is not None:
            ages.add_metric([kind.kind], kind.age.total_seconds())
        if kind.objective is not None:
            objectives.add_metric([kind.kind], kind.objective.total_seconds())
    yield from (ages, objectives)


def _imports() -> Iterator[Metric]:
    recent = Job.objects.order_by("-id").values("pk")[:RECENT_IMPORTS]
    found = Job.objects.filter(pk__in=recent, created_at__gte=timezone.now() - DAY)
    counted = dict(found.order_by().values_list("status").annotate(imports=Count("pk")))
    imports = GaugeMetricFamily("momo_imports", "Imports of the last 24 hours", labels=["status"])
    for status in Job.Status.values:
        imports.add_metric([status], counted.get(status, 0))
    yield imports


def _calls() -> Iterator[Metric]:
    calls = GaugeMetricFamily("momo_ai_calls", "Calls of models in 24 hours", labels=["provider", "status"])
    tokens = GaugeMetricFamily("momo_ai_tokens", "Their tokens", labels=["provider", "direction"])
    costs = GaugeMetricFamily("momo_ai_cost", "What they have cost or reserved", labels=["provider", "currency"])
    recent = Call.objects.filter(started_at__gte=timezone.now() - DAY).order_by()
    for provider, status, number in recent.values_list("provider", "status").annotate(calls=Count("pk")):
        calls.add_metric([provider, status], number)
    sums = recent.values_list("provider", "currency").annotate(Sum("cost"), Sum("input_tokens"), Sum("output_tokens"))
    used: dict[tuple[str, str], int] = {}
    for provider, currency, cost, given, written in sums:
        costs.add_metric([provider, currency], float(cost))
        for direction, number in (("input", given), ("output", written)):
            used[provider, direction] = used.get((provider, direction), 0) + number
    for labels, number in used.items():
        tokens.add_metric(list(labels), number)
    yield from (calls, tokens, costs)


def _budgets() -> Iterator[Metric]:
    labels = ["provider", "user", "currency"]
    amounts = GaugeMetricFamily("momo_ai_budget", "What may be spent this month; empty labels are all", labels=labels)
    left = GaugeMetricFamily("momo_ai_budget_left", "What is left of it", labels=labels)
    for state in budget_states():
        budget = state.budget
        values = [budget.provider, budget.user.get_username() if budget.user else "", budget.currency]
        amounts.add_metric(values, float(budget.amount))
        left.add_metric(values, float(state.left))
    yield from (amounts, left)


def _logins() -> Iterator[Metric]:
    recent = LoginAttempt.objects.filter(time__gte=timezone.now() - HOUR).order_by()
    counted = dict(recent.values_list("reason").annotate(attempts=Count("pk")))
    logins = GaugeMetricFamily("momo_login_attempts", "Attempts to log in within the last hour", labels=["outcome"])
    for reason in LoginAttempt.Reason.values:
        logins.add_metric([reason], counted.get(reason, 0))
    yield logins

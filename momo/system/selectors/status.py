"""The state of the whole system: what `GET /api/system/status` answers and the page 系統狀態 shows."""

from __future__ import annotations

import platform
from datetime import datetime
from typing import Any

import django
from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

from momo.celery import workers
from momo.jobs.models import Job
from momo.system.queues import broker, queue_lengths
from momo.system.selectors.freshness import Freshness, freshness
from momo.system.selectors.host import host
from products.models import CrawlRun
from products.selectors.crawls import last_run


def system_status() -> dict[str, Any]:
    """Figures of the machine, the servers, the queues and the data, in five queries.

    Sizes are bytes, ages and durations seconds. What Redis knows is None while it does not answer.
    """
    machine = host()
    postgresql, size = _database()
    try:
        redis, queues = _redis(), queue_lengths()
    except RedisError:
        redis, queues = None, None
    return {
        "cpu_percent": machine.cpu_percent,
        "memory_percent": machine.memory_percent,
        "disk_percent": machine.disk_percent,
        "uptime": machine.uptime,
        "started_at": machine.started_at,
        "cpus": machine.cpus,
        "memory_bytes": machine.memory_total,
        "disk_bytes": machine.disk_total,
        "disk_free_bytes": machine.disk_free,
        "container_limits": machine.limited,
        "versions": {
            "momo": settings.SPECTACULAR_SETTINGS["VERSION"],
            "python": platform.python_version(),
            "django": django.get_version(),
            "postgresql": postgresql,
            "redis": redis,
        },
        "database_bytes": size,
        "queues": queues,
        "workers": [
            {"name": name, "queues": names, "heartbeat_at": datetime.fromtimestamp(beat, machine.started_at.tzinfo)}
            for name, (beat, names) in sorted(workers().items())
        ],
        "last_crawl": _crawl(last_run()),
        "last_import": _import(),
        "freshness": [_fresh(kind) for kind in freshness()],
    }


def _database() -> tuple[str, int]:
    """PostgreSQL's version, and the size of the database in bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = cursor.fetchone()
    return str(version).partition(" ")[0], int(size)


def _redis() -> str:
    """The version; of Valkey its own, beside which it names a Redis that it is compatible with."""
    server: Any = broker().info("server")
    return f"Valkey {server['valkey_version']}" if "valkey_version" in server else str(server.get("redis_version", ""))


def _crawl(run: CrawlRun | None) -> dict[str, Any] | None:
    if run is None or run.finished_at is None:
        return None
    return {
        "run_id": run.pk,
        "status": run.status,
        "verdict": run.verdict or None,
        "finished_at": run.finished_at,
        "duration": round((run.finished_at - run.started_at).total_seconds(), 1),
        "seen": run.seen,
        "error_count": run.error_count,
    }


def _import() -> dict[str, Any] | None:
    job = Job.objects.filter(finished_at__isnull=False).order_by("-id").first()
    if job is None:
        return None
    return {
        "job_id": job.pk,
        "job_type": job.job_type,
        "file_name": job.file_name,
        "status": job.status,
        "finished_at": job.finished_at,
        "error_count": job.error_count,
    }


def _fresh(kind: Freshness) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "name": kind.label,
        "at": kind.at,
        "age_seconds": None if kind.age is None else round(kind.age.total_seconds()),
        "objective_seconds": None if kind.objective is None else round(kind.objective.total_seconds()),
        "stale": kind.is_stale,
    }

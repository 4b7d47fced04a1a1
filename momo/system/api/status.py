"""GET /api/system/status."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from momo.jobs.models import Job
from momo.rest.examples import answered
from momo.rest.permissions import USER
from momo.rest.views import ApiView
from momo.system.selectors.status import system_status
from products.models import CrawlRun

_percent: dict[str, Any] = {"min_value": 0, "max_value": 100}
_unknown: dict[str, Any] = {"allow_null": True, "help_text": "Redis 沒有回應時為 null"}

EXAMPLE = {
    "cpu_percent": 25.5,
    "memory_percent": 68.2,
    "disk_percent": 45.0,
    "uptime": "5 days",
    "started_at": "2026-03-01T08:00:00+08:00",
    "cpus": 2.0,
    "memory_bytes": 4_294_967_296,
    "disk_bytes": 107_374_182_400,
    "disk_free_bytes": 59_055_800_320,
    "container_limits": True,
    "versions": {"momo": "1.0.0", "python": "3.11.9", "django": "5.2.9", "postgresql": "17.2", "redis": "Valkey 8.1.0"},
    "database_bytes": 734_003_200,
    "queues": {"crawl": 0, "default": 0, "imports": 1, "messages": 0, "unacked": 2},
    "workers": [
        {"name": "momo@web1", "queues": ["default", "imports"], "heartbeat_at": "2026-03-06T09:00:00+08:00"},
    ],
    "last_crawl": {
        "run_id": 812,
        "status": "applied",
        "verdict": "ok",
        "finished_at": "2026-03-06T08:12:00+08:00",
        "duration": 412.5,
        "seen": 5600,
        "error_count": 3,
    },
    "last_import": {
        "job_id": 96,
        "job_type": "daily_sales",
        "file_name": "每日銷售_20260305.xlsx",
        "status": "succeeded",
        "finished_at": "2026-03-06T08:30:00+08:00",
        "error_count": 0,
    },
    "freshness": [
        {
            "kind": "prices",
            "name": "價格",
            "at": "2026-03-06T08:12:00+08:00",
            "age_seconds": 2880,
            "objective_seconds": 21600,
            "stale": False,
        }
    ],
}


class VersionsSerializer(serializers.Serializer[Any]):
    """What runs."""

    momo = serializers.CharField()
    python = serializers.CharField()
    django = serializers.CharField()
    postgresql = serializers.CharField()
    redis = serializers.CharField(**_unknown)


class WorkerSerializer(serializers.Serializer[Any]):
    """A worker with a heartbeat."""

    name = serializers.CharField()
    queues = serializers.ListField(child=serializers.CharField())
    heartbeat_at = serializers.DateTimeField()


class LastCrawlSerializer(serializers.Serializer[Any]):
    """The crawl that ended last."""

    run_id = serializers.IntegerField()
    status = serializers.ChoiceField(CrawlRun.Status.choices)
    verdict = serializers.ChoiceField(CrawlRun.Verdict.choices, allow_null=True)
    finished_at = serializers.DateTimeField()
    duration = serializers.FloatField(help_text="秒")
    seen = serializers.IntegerField()
    error_count = serializers.IntegerField()


class LastImportSerializer(serializers.Serializer[Any]):
    """The newest import that has ended."""

    job_id = serializers.IntegerField()
    job_type = serializers.CharField()
    file_name = serializers.CharField()
    status = serializers.ChoiceField(Job.Status.choices)
    finished_at = serializers.DateTimeField()
    error_count = serializers.IntegerField()


class FreshnessSerializer(serializers.Serializer[Any]):
    """The age of one kind of data beside its objective."""

    kind = serializers.ChoiceField([("prices", "價格"), ("sales", "銷售日報")])
    name = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="還沒有資料時為 null")
    age_seconds = serializers.IntegerField(allow_null=True)
    objective_seconds = serializers.IntegerField(allow_null=True, help_text="沒有期限時為 null")
    stale = serializers.BooleanField()


class SystemStatusSerializer(serializers.Serializer[Any]):
    """The machine or container, the servers, the queues and the data."""

    cpu_percent = serializers.FloatField(**_percent)
    memory_percent = serializers.FloatField(**_percent)
    disk_percent = serializers.FloatField(**_percent)
    uptime = serializers.CharField()
    started_at = serializers.DateTimeField()
    cpus = serializers.FloatField()
    memory_bytes = serializers.IntegerField()
    disk_bytes = serializers.IntegerField()
    disk_free_bytes = serializers.IntegerField()
    container_limits = serializers.BooleanField(help_text="數字是容器的上限，不是整台機器")
    versions = VersionsSerializer()
    database_bytes = serializers.IntegerField()
    queues = serializers.DictField(child=serializers.IntegerField(), **_unknown)
    workers = WorkerSerializer(many=True)
    last_crawl = LastCrawlSerializer(allow_null=True)
    last_import = LastImportSerializer(allow_null=True)
    freshness = FreshnessSerializer(many=True)


class SystemStatusView(ApiView):
    """GET /api/system/status."""

    roles = {"GET": USER}
    bare = True

    @extend_schema(
        operation_id="system_status",
        tags=["系統"],
        summary="系統狀態",
        description=(
            "處理器、記憶體、磁碟（容器有上限時以上限計）、版本、資料庫大小、佇列、背景程式、最近的價格更新與匯入，"
            "以及資料的新舊。大小以位元組計，時間以秒計。"
        ),
        responses=SystemStatusSerializer,
        examples=[answered("狀態", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        return self.answer(system_status())

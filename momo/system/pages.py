"""The admin page 系統狀態."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from momo.admin.kit.display import BAD, GOOD, WARN, badge, page_link
from momo.jobs.models import Job
from momo.system import health
from momo.system.selectors.freshness import Freshness, freshness
from momo.system.selectors.status import system_status
from products.models import CrawlRun

SERVERS = {"database": "資料庫", "broker": "訊息佇列與快取", "workers": "背景程式"}
QUEUES = {
    "bot": "回覆 Telegram",
    "crawl": "更新價格",
    "default": "排程與整理",
    "imports": "匯入",
    "messages": "寄送",
    "unacked": "處理中",
}
PROGRAMS = {"momo": "MOMO Pro", "python": "Python", "django": "Django", "postgresql": "PostgreSQL", "redis": "Redis"}
FULL, TIGHT = 90, 75  # percent


def status_page(request: HttpRequest) -> HttpResponse:
    """What `GET /api/system/status` and `/health?full=1` say, with links."""
    status = system_status()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "系統狀態",
        "status": status,
        "running_for": timezone.now() - status["started_at"],
        "meters": [
            _meter("處理器", status["cpu_percent"], f"{status['cpus']:g} 個處理器"),
            _meter("記憶體", status["memory_percent"], "", status["memory_bytes"]),
            _meter("磁碟", status["disk_percent"], "", status["disk_bytes"]),
        ],
        "checks": [
            (SERVERS[name], badge("正常", GOOD) if check.ok else badge("異常", BAD), check.message)
            for name, check in health.full().items()
        ],
        "queues": [(QUEUES.get(name, name), length) for name, length in (status["queues"] or {}).items()],
        "workers": [
            (worker, [QUEUES.get(name, name) for name in worker["queues"]]) for worker in status["workers"] or []
        ],
        "versions": [(PROGRAMS.get(name, name), version) for name, version in status["versions"].items()],
        "fresh": [(kind, _badge(kind)) for kind in freshness()],
        "crawl": _crawl(status["last_crawl"]),
        "job": _job(status["last_import"]),
        "crawls_url": reverse("admin:products_crawlrun_changelist"),
        "jobs_url": reverse("admin:jobs_job_changelist"),
    }
    return TemplateResponse(request, "admin/system/status.html", context)


def _meter(name: str, percent: float, note: str, size: int | None = None) -> dict[str, Any]:
    tone = BAD if percent >= FULL else WARN if percent >= TIGHT else ""
    return {"name": name, "percent": percent, "note": note, "size": size, "tone": tone}


def _badge(kind: Freshness) -> str:
    if kind.at is None:
        return badge("還沒有資料")
    return badge("太舊", BAD) if kind.is_stale else badge("夠新", GOOD)


def _crawl(last: dict[str, Any] | None) -> dict[str, Any] | None:
    if last is None:
        return None
    tone = {CrawlRun.Verdict.OK.value: GOOD, CrawlRun.Verdict.SUSPECT.value: WARN}.get(last["verdict"], BAD)
    text = CrawlRun.Verdict(last["verdict"]).label if last["verdict"] else CrawlRun.Status(last["status"]).label
    link = page_link("products_crawlrun", last["run_id"], f"#{last['run_id']}")
    return {**last, "link": link, "badge": badge(text, tone)}


def _job(last: dict[str, Any] | None) -> dict[str, Any] | None:
    if last is None:
        return None
    tone = {Job.Status.SUCCEEDED.value: GOOD, Job.Status.FAILED.value: BAD}.get(last["status"], WARN)
    link = page_link("jobs_job", last["job_id"], f"#{last['job_id']} {last['file_name']}")
    return {**last, "link": link, "badge": badge(Job.Status(last["status"]).label, tone)}

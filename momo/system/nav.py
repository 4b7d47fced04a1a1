"""Entries of the sidebar, and what the start page says of workers, schedules and old data, if there is any trouble."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit import mine
from momo.admin.kit.nav import SYSTEM, Entry, Page, Panel, Step, register
from momo.celery import idle_queues, workers_alive
from momo.system.pages import status_page
from momo.system.selectors.freshness import freshness
from momo.system.selectors.schedules import missed_runs
from notifications.selectors import has_mail_server

# What stands still without a consumer, by queue.
JOBS = {
    "bot": "回覆 Telegram",
    "crawl": "更新價格",
    "default": "排程與通知整理",
    "imports": "匯入",
    "messages": "寄送郵件與 Telegram",
}


def _context(request: HttpRequest) -> dict[str, Any]:
    waiting = idle_queues()
    return {
        "workers": {
            "queues": [{"name": name, "job": JOBS.get(name, "")} for name in waiting],
            "none": bool(waiting) and not workers_alive(),
        }
    }


def _schedules(request: HttpRequest) -> dict[str, Any]:
    allowed = request.user.has_perm("django_celery_beat.view_periodictask")
    url = reverse("admin:django_celery_beat_periodictask_changelist") if allowed else ""
    return {"missed": missed_runs(), "schedules_url": url}


def _fresh(request: HttpRequest) -> dict[str, Any]:
    """How old prices and sales are; what is too old stands in a panel of its own."""
    found = freshness()
    lists = {"prices": "admin:products_crawlrun_changelist", "sales": "admin:sales_dayowner_changelist"}
    return {
        "fresh": [(kind, reverse(lists[kind.kind])) for kind in found if kind.at is not None],
        "stale": [kind for kind in found if kind.is_stale],
    }


EVERYBODY = "products.view_product"  # which each role has

register(
    Entry(SYSTEM, 5, "系統狀態", "monitor_heart", "", page="system_status", needs=EVERYBODY),
    Page("system/status/", "system_status", EVERYBODY, status_page),
    Entry(
        SYSTEM,
        60,
        "資料清理",
        "cleaning_services",
        "system.cleanup",
        empty="每天凌晨刪除超過保存期限的紀錄與檔案；每次的結果會列在這裡。",
    ),
    Entry(
        SYSTEM,
        70,
        "重新啟動",
        "restart_alt",
        "system.rollout",
        empty="在 Kubernetes 上執行時，可以從這裡重新啟動部署；每次的結果會列在這裡。",
    ),
    Entry(SYSTEM, 95, "設定", "tune", "system.setting"),
    Panel(0, EVERYBODY, "admin/system/workers.html", _context, notice=True),
    Panel(0, EVERYBODY, "admin/system/schedules.html", _schedules, notice=True),
    Panel(1, EVERYBODY, "admin/system/stale.html", _fresh, notice=True),
    Panel(6, EVERYBODY, "admin/system/fresh.html", lambda request: {}, notice=True),
    Panel(-1, EVERYBODY, "admin/mine.html", mine.switch, notice=True),
    Step(
        40,
        "設定郵件伺服器",
        "設定 EMAIL_URL 之後，通知與廠商的郵件才會寄出；在那之前都留在「訊息」裡。",
        "mail",
        "admin:system_setting_changelist",
        "system.view_setting",
        done=has_mail_server,
        optional=True,
    ),
)

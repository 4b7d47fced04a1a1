"""Entries of the sidebar, and what the start page says of workers, schedules and old data, if there is any trouble."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit import mine
from momo.admin.kit.nav import SYSTEM, Entry, Link, Page, Panel, Step, register
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
    Entry(
        SYSTEM,
        5,
        "系統狀態",
        "monitor_heart",
        "",
        page="system_status",
        needs=EVERYBODY,
        help=(
            "主機、資料庫與背景程式是否正常，以及價格與銷售日報有多新。先找有沒有「異常」或「太舊」，"
            "再看佇列的數字有沒有一直增加。背景程式沒有在執行時，價格更新、匯入與寄送都會等到它啟動。"
        ),
        how_to=(
            "佇列一直增加時，看「背景程式」有沒有處理那個佇列的。",
            "沒有的話，請系統管理員啟動它；`manage.py check` 會列出沒有人處理的佇列。",
            "啟動之後會接著做，不會做兩次。",
        ),
    ),
    Page("system/status/", "system_status", EVERYBODY, status_page),
    Entry(
        SYSTEM,
        60,
        "資料清理",
        "cleaning_services",
        "system.cleanup",
        empty="每天凌晨刪除超過保存期限的紀錄與檔案；每次的結果會列在這裡。",
        step=Link("看會清理什麼", "cleaning_services", "admin:system_cleanup_preview", "system.add_cleanup"),
        help=(
            "過了保存期限的紀錄與檔案每天凌晨刪除，這裡是每一次的結果。管理員按「清理過期的資料」，"
            "先看會刪除什麼再決定。商品、價格紀錄與銷售永遠保留；刪除的無法復原。"
        ),
    ),
    Entry(
        SYSTEM,
        70,
        "重新啟動",
        "restart_alt",
        "system.rollout",
        empty="在 Kubernetes 上執行時，可以從這裡重新啟動部署；每次的結果會列在這裡。",
        step=Link("看系統狀態", "monitor_heart", "admin:system_status", EVERYBODY),
        help=(
            "在 Kubernetes 上逐一換掉部署的程式，例如改了設定，或程式沒有反應時。管理員按「重新啟動部署」選一個，"
            "進行中的工作會做完或由別的程式接手。「完成」表示新的都已經就緒。"
        ),
    ),
    Entry(
        SYSTEM,
        95,
        "設定",
        "tune",
        "system.setting",
        empty="可以修改的門檻會列在這裡；主機的設定在下面。",
        step=Link("看系統狀態", "monitor_heart", "admin:system_status", EVERYBODY),
        help=(
            "上半部是管理員可以直接改的門檻，例如多大的漲跌要先確認、幾天後提醒廠商。填「自訂值」再儲存，"
            "幾秒內生效；留空就使用預設值。「來源」說明現在的值從哪裡來，下半部的設定由環境決定，這裡只能看。"
        ),
    ),
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

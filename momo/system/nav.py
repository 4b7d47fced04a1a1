"""What the start page says about the workers: nothing while every queue has one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from momo.admin.kit.nav import Panel, register
from momo.celery import idle_queues, workers_alive

# What stands still without a consumer, by queue.
JOBS = {
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


register(Panel(0, "products.view_product", "admin/system/workers.html", _context, notice=True))

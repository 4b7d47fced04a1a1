"""Entries of the sidebar for reports."""

from __future__ import annotations

from momo.admin.kit.nav import Entry, register
from notifications.nav import NOTIFICATIONS

register(
    Entry(
        NOTIFICATIONS,
        22,
        "定期報表",
        "summarize",
        "reports.report",
        empty="新增一份報表：選內容、時間與收件者，之後每天、每週一或每月 1 日自動寄出。",
    ),
    Entry(
        NOTIFICATIONS,
        24,
        "報表紀錄",
        "overview",
        "reports.reportrun",
        empty="報表每次寄出、等待資料或失敗，都會列在這裡。",
    ),
)

"""Entries of the sidebar for reports."""

from __future__ import annotations

from momo.admin.kit.nav import Entry, Link, register
from notifications.nav import NOTIFICATIONS

register(
    Entry(
        NOTIFICATIONS,
        22,
        "定期報表",
        "summarize",
        "reports.report",
        empty="新增一份報表：選內容、時間與收件者，之後每天、每週一或每月 1 日自動寄出。",
        help=(
            "每天、每週一或每月 1 日自動寄出的報表。主管點進一份，加上收件者，按「預覽」看任何一天的樣子，"
            "再啟用。資料還沒到時會等到「最晚等到」的時間，然後註明缺少什麼，照樣寄出。"
        ),
    ),
    Entry(
        NOTIFICATIONS,
        24,
        "報表紀錄",
        "overview",
        "reports.reportrun",
        empty="報表每次寄出、等待資料或失敗，都會列在這裡。",
        step=Link("設定定期報表", "summarize", "admin:reports_report_changelist", "reports.view_report"),
        help=(
            "每份報表每一次寄出的結果。先看狀態：「等待資料」是日報還沒匯入，「失敗」的原因寫在說明。"
            "「缺少的資料」有內容時，表示寄出的報表少了那些。"
        ),
    ),
)

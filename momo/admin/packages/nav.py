"""Entries of the sidebar for pages of packages."""

from __future__ import annotations

from momo.admin.kit.nav import SYSTEM, Entry, Link, register

register(
    Entry(
        SYSTEM,
        80,
        "異動紀錄",
        "history",
        "auditlog.logentry",
        empty="有人新增、修改或刪除資料之後，會列在這裡。",
        step=Link("到總覽", "dashboard", "admin:index", "auditlog.view_logentry"),
        help=(
            "誰在什麼時候改了什麼，從哪個位址。先用對象或執行者搜尋，或按「篩選」選動作與日期，"
            "點時間看全部的改變。「內容」的箭頭左邊是原來的值，右邊是新的；「系統」表示由排程或背景程式改的。"
        ),
    ),
    Entry(
        SYSTEM,
        90,
        "排程",
        "schedule",
        "django_celery_beat.periodictask",
        empty="定時的工作會列在這裡，可以自行新增。",
        help=(
            "系統定時做的工作：更新價格、匯入、寄報表與清理等。點名稱改時間，「啟用」可以暫停，幾秒內生效。"
            "「沒有執行」表示過了該開始的時間還沒有開始，請看「系統狀態」的背景程式。"
        ),
    ),
)

"""The bot's entry of the sidebar."""

from __future__ import annotations

from momo.admin.kit.nav import Entry, Link, register
from notifications.nav import NOTIFICATIONS

register(
    Entry(
        NOTIFICATIONS,
        50,
        "Telegram 帳號",
        "smart_toy",
        "bot.telegramaccount",
        empty="連結自己的 Telegram，就能在手機上問業績、價格與缺貨。",
        step=Link("連結我的 Telegram", "link", "admin:bot_telegramaccount_link", "bot.view_telegramaccount"),
        help=(
            "已經連結 Telegram 的同事，可以在手機上問業績、價格與缺貨；各人看自己的，管理員看全部。"
            "按「連結我的 Telegram」，照畫面用手機掃描。機器人以您的角色回答；「停用」表示帳號已停用，"
            "或要先變更密碼。"
        ),
        how_to=(
            "系統管理員在 Telegram 向 `@BotFather` 輸入 `/newbot`，把得到的權杖填進 `TELEGRAM_BOT_TOKEN`。",
            (
                "設定 `TELEGRAM_WEBHOOK_SECRET` 與 `PUBLIC_URL`，啟動處理 `bot` 的背景程式，"
                "再執行 `manage.py telegram_webhook set`。"
            ),
            "之後每個人在這一頁按「連結我的 Telegram」。",
        ),
    ),
)

"""The bot's entry of the sidebar."""

from __future__ import annotations

from momo.admin.kit.nav import Entry, register
from notifications.nav import NOTIFICATIONS

register(
    Entry(
        NOTIFICATIONS,
        50,
        "Telegram 帳號",
        "smart_toy",
        "bot.telegramaccount",
        empty="連結自己的 Telegram，就能在手機上問業績、價格與缺貨。",
    ),
)

"""Entries of the sidebar for notifications, and how many messages wait for a decision."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit.nav import Card, Cards, Entry, Searchable, Section, Step, count, register
from notifications.selectors import has_chats, waiting_chats, waiting_messages

NOTIFICATIONS = Section("通知", 30)


def _cards(request: HttpRequest) -> list[Card]:
    url = f"{reverse('admin:notifications_outboxmessage_changelist')}?state=attention"
    return [Card("待處理訊息", count(request, waiting_messages), url, "warn")]


register(
    Step(
        50,
        "連上 Telegram",
        "把機器人加進群組，在這裡核准，就能收通知、問業績。",
        "forum",
        "admin:notifications_chat_changelist",
        "notifications.add_chat",
        done=has_chats,
        optional=True,
    ),
    Searchable(
        40,
        "notifications.template",
        "edit_note",
        lambda row: (row.title, row.code),
        fields=("code", "title"),
    ),
    Entry(NOTIFICATIONS, 10, "通知範本", "edit_note", "notifications.template"),
    Entry(
        NOTIFICATIONS,
        20,
        "訊息",
        "outbox",
        "notifications.outboxmessage",
        badge=waiting_messages,
        empty="系統寄出的郵件和 Telegram 訊息會列在這裡。",
    ),
    Entry(
        NOTIFICATIONS,
        30,
        "訂閱",
        "subscriptions",
        "notifications.subscription",
        empty="訂閱決定什麼事情通知誰：價格變動、匯入結果、系統警示。",
    ),
    Entry(
        NOTIFICATIONS,
        40,
        "Telegram 聊天室",
        "forum",
        "notifications.chat",
        badge=waiting_chats,
        empty="把機器人加進 Telegram 的群組，它就會出現在這裡等待核准。",
    ),
    Cards(20, "notifications.view_outboxmessage", _cards, counts=(waiting_messages,)),
)

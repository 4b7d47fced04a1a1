"""Entries of the sidebar for notifications, and how many messages wait for a decision."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from momo.admin.kit.nav import Card, Cards, Entry, Section, count, register
from notifications.selectors import waiting_count

NOTIFICATIONS = Section("通知", 30)


def _cards(request: HttpRequest) -> list[Card]:
    url = reverse("admin:notifications_outboxmessage_changelist")
    return [Card("待處理訊息", count(request, waiting_count), url, "warn")]


register(
    Entry(NOTIFICATIONS, 10, "通知範本", "edit_note", "notifications.template"),
    Entry(NOTIFICATIONS, 20, "寄件匣", "outbox", "notifications.outboxmessage", badge=waiting_count),
    Entry(NOTIFICATIONS, 30, "訂閱", "subscriptions", "notifications.subscription"),
    Entry(NOTIFICATIONS, 40, "Telegram 聊天室", "forum", "notifications.chat"),
    Cards(20, "notifications.view_outboxmessage", _cards),
)

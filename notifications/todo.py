"""What waits for somebody: messages that are held, unsent or failed lately."""

from __future__ import annotations

from django.db.models import Case, F, Value, When
from django.db.models.functions import Concat, Left

from momo.core.todo import Source, register
from notifications.selectors import waiting_messages

register(
    Source(
        "message",
        "訊息",
        40,
        waiting_messages,
        title=Case(When(subject="", then=Concat(Value("Telegram 訊息給 "), "recipient")), default=F("subject")),
        detail=Left("reason", 300),
        since="created_at",
        page="notifications_outboxmessage_change",
        listed="notifications_outboxmessage_changelist",
        query="?state=attention",
    )
)

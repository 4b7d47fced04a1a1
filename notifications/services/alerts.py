"""Alerts about messages that cannot be sent: one for each trouble, and never only by the channel in trouble."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from momo.core.errors import Unavailable
from notifications.events import ALERT_EVENT
from notifications.models import Channel, Chat, Subscription
from notifications.selectors import Trouble, current_troubles
from notifications.services.chats import default_chat
from notifications.services.notify import deliver, subscriptions_of


def enqueue_alerts(*, now: datetime | None = None) -> int:
    """Enqueue an alert about each current trouble, once. Returns how many messages were enqueued."""
    now = now or timezone.now()
    with transaction.atomic():
        troubles = current_troubles(now=now)
        if not troubles or not Subscription.objects.filter(event=ALERT_EVENT, enabled=True).exists():
            return 0
        subscriptions = subscriptions_of(ALERT_EVENT)
        return sum(
            deliver(
                ALERT_EVENT,
                key=f"{ALERT_EVENT}:{trouble.key}",
                variables=trouble.variables(),
                to=subscriptions,
                also=_other_recipients(trouble, subscriptions),
                at=now,
            )
            for trouble in troubles
        )


def _other_recipients(trouble: Trouble, subscriptions: Sequence[Subscription]) -> Collection[Chat | str]:
    """Recipients by the other channel, when all subscriptions are by the channel in trouble.

    That is the default chat when mail is in trouble, and the admins' addresses when Telegram is.
    """
    if any(subscription.channel != trouble.channel for subscription in subscriptions):
        return ()
    if trouble.channel == Channel.EMAIL:
        try:
            chat = default_chat()
        except Unavailable:
            return ()
        return [chat] if chat.is_active else ()
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(email="")
    return list(admins.order_by("pk").values_list("email", flat=True).distinct())

"""Tells people that messages themselves are in trouble: once a trouble, and never only by the way that is in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from momo.rest.errors import Unavailable
from notifications.events import EventKind, register
from notifications.models import Channel, Chat, OutboxMessage, Pace, Subscription
from notifications.services.chats import default_chat
from notifications.services.notify import deliver, subscriptions_of

ALERT_EVENT = "system_alert"
PAUSED_FOR = timedelta(minutes=15)
SWITCHED_OFF = "停用："  # in the note that `services.chats` writes; people who switch a chat off know it
NEWS_FOR = timedelta(hours=24)  # since a message failed for its chat
Status = OutboxMessage.Status
# What a mail server says to whom it does not let in (RFC 4954).
_LOGIN_REFUSED = re.compile(r"\b53[0458]\b")


def register_events() -> None:
    """Make it known; called once when the app is ready."""
    register(EventKind(ALERT_EVENT, "系統警示", template=ALERT_EVENT, recent=recent_alerts))


@dataclass(frozen=True)
class Trouble:
    """Something that people must see to. `key` is the same as long as it is the same trouble."""

    key: str
    channel: str
    title: str
    message: str
    url: str
    severity: str = "critical"

    def variables(self) -> dict[str, Any]:
        """What the template of alerts is given."""
        return {"title": self.title, "message": f"{self.message}\n{self.url}", "severity": self.severity}


def tell_troubles(*, now: datetime | None = None) -> int:
    """Write the messages of the troubles that there are, each once. Returns the messages written."""
    now = now or timezone.now()
    with transaction.atomic():
        troubles = [*_paused_channels(now), *_chats_off(now)]
        if not troubles or not Subscription.objects.filter(event=ALERT_EVENT, enabled=True).exists():
            return 0
        subscriptions = subscriptions_of(ALERT_EVENT)
        return sum(
            deliver(
                ALERT_EVENT,
                key=trouble.key,
                variables=trouble.variables(),
                to=subscriptions,
                also=_another_way(trouble, subscriptions),
                at=now,
            )
            for trouble in troubles
        )


def _another_way(trouble: Trouble, subscriptions: Sequence[Subscription]) -> Collection[Chat | str]:
    """Who else hears of it, when all who asked for it would hear by the channel that is in trouble."""
    if any(one.channel != trouble.channel for one in subscriptions):
        return ()
    if trouble.channel == Channel.EMAIL:
        try:
            chat = default_chat()
        except Unavailable:
            return ()
        return [chat] if chat.is_active else ()
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(email="")
    return list(admins.order_by("pk").values_list("email", flat=True).distinct())


def _paused_channels(now: datetime) -> Iterator[Trouble]:
    """Channels whose server has not been reached for a while, or lets nobody in."""
    for pace in Pace.objects.filter(troubles__gt=0, troubled_since__isnull=False).order_by("channel"):
        of_channel = OutboxMessage.objects.filter(channel=pace.channel)
        waits = of_channel.filter(status__in=(Status.PENDING, Status.CLAIMED), due_at__lte=now)
        since = waits.order_by("due_at").values_list("due_at", flat=True).first()
        if since is None:
            continue
        refused = _login_refused(pace)
        if not refused and since > now - PAUSED_FOR:
            continue
        waited = f"自 {timezone.localtime(since):%m-%d %H:%M} 起有訊息等待寄送。"
        yield _of_pace(pace, key=f"{pace.channel}:{_moment(pace.troubled_since)}", refused=refused, waited=waited)


def _of_pace(pace: Pace, *, key: str, refused: bool, waited: str = "") -> Trouble:
    label = Channel(pace.channel).label
    return Trouble(
        key=f"{ALERT_EVENT}:{key}",
        channel=pace.channel,
        title=f"{label}伺服器拒絕登入" if refused else f"{label}暫時無法寄送",
        message=f"{waited}{pace.reason}",
        url=_url("outboxmessage"),
    )


def _moment(at: datetime | None) -> str:
    """What tells one trouble from the next, however soon it follows: when it began."""
    return f"{at.timestamp():.6f}" if at is not None else ""


def _chats_off(now: datetime) -> Iterator[Trouble]:
    """Chats that Telegram had us switch off, as their notes say, and for which a message failed since."""
    failed = OutboxMessage.objects.filter(status=Status.FAILED, finished_at__gte=now - NEWS_FOR, chat__is_active=False)
    for chat in Chat.objects.filter(pk__in=failed.values("chat"), note__contains=SWITCHED_OFF).order_by("pk"):
        yield _of_chat(chat)


def _of_chat(chat: Chat) -> Trouble:
    return Trouble(
        key=f"{ALERT_EVENT}:chat:{chat.pk}:{_moment(chat.switched_off_at)}",
        channel=Channel.TELEGRAM,
        title=f"Telegram 聊天室已停用：{chat}",
        message=chat.note or "Telegram 不再接受給這個聊天室的訊息。",
        url=_url("chat"),
        severity="warning",
    )


def _login_refused(pace: Pace) -> bool:
    return pace.channel == Channel.EMAIL and _LOGIN_REFUSED.search(pace.reason) is not None


def _url(model: str) -> str:
    return f"{settings.PUBLIC_URL}/admin/notifications/{model}/"


def recent_alerts(limit: int) -> Sequence[Mapping[str, Any]]:
    """What would be told of the troubles that there are, or that left their words behind; in two queries."""
    chats = Chat.objects.filter(is_active=False, note__contains=SWITCHED_OFF).order_by("-pk")[:limit]
    paces = Pace.objects.exclude(reason="").order_by("channel")
    troubles = [_of_pace(pace, key=pace.channel, refused=_login_refused(pace)) for pace in paces]
    troubles += [_of_chat(chat) for chat in chats]
    return [{"label": trouble.title, "variables": trouble.variables()} for trouble in troubles[:limit]]

"""Subscriptions of a chat, as its own members make them through the bot; staff edit all of them in the admin."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from momo.core.errors import Forbidden, NotFound
from momo.core.roles import LABELS, has_role
from notifications.events import EventKind, event_kind, event_kinds
from notifications.models import Channel, Chat, Subscription


def offered_events(user: User) -> list[EventKind]:
    """Return the kinds of events that the user may subscribe a chat to."""
    return [kind for kind in event_kinds().values() if kind.subscribable and has_role(user, kind.role)]


def subscribed_events(chat: Chat) -> set[str]:
    """Return the codes of the events that the chat gets."""
    return set(Subscription.objects.filter(chat=chat, enabled=True).values_list("event", flat=True))


@transaction.atomic
def subscribe(*, chat: Chat, event: str, user: User) -> Subscription:
    """Subscribe a chat to an event: to all of it, in one's own chat to one's own, unless staff have set conditions.

    Raises NotFound for an event that there is not, and Forbidden for one that the user's role may not get.
    """
    kind = event_kind(event)
    if kind is None or not kind.subscribable:
        raise NotFound("沒有這種通知")
    if not has_role(user, kind.role):
        raise Forbidden(f"「{kind.label}」需要「{LABELS[kind.role]}」以上的角色")
    # Locked, so that two presses at once make one subscription.
    Chat.objects.select_for_update().get(pk=chat.pk)
    known = Subscription.objects.filter(chat=chat, event=event).order_by("-enabled", "pk").first()
    if known is None:
        name = f"{kind.label}：{chat.title or chat.chat_id}"[:100]
        filters = {} if chat.is_group else kind.own_filters(user)
        return Subscription.objects.create(name=name, event=event, channel=Channel.TELEGRAM, chat=chat, filters=filters)
    if not known.enabled:
        known.enabled = True
        known.save(update_fields=["enabled"])
    return known


@transaction.atomic
def unsubscribe(*, chat: Chat, event: str | None = None) -> int:
    """Switch off the chat's subscriptions to one event, or to all. Returns how many were on."""
    found = Subscription.objects.select_for_update().filter(chat=chat, enabled=True).order_by("pk")
    ending = list(found if event is None else found.filter(event=event))
    for subscription in ending:
        # Saved one by one, since the audit trail records saves.
        subscription.enabled = False
        subscription.save(update_fields=["enabled"])
    return len(ending)

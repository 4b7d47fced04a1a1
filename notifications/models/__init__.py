"""Templates and their versions, who gets what, and the outbox."""

from notifications.models.outbox import Attachment, OutboxDecision, OutboxMessage, Pace
from notifications.models.recipients import Channel, Chat, Subscription
from notifications.models.templates import Format, Template, TemplateVersion

__all__ = [
    "Attachment",
    "Channel",
    "Chat",
    "Format",
    "OutboxDecision",
    "OutboxMessage",
    "Pace",
    "Subscription",
    "Template",
    "TemplateVersion",
]

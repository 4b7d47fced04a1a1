"""The admin of notifications, by subject."""

from notifications.admin import chats, outbox, subscriptions, templates

__all__ = ["chats", "outbox", "subscriptions", "templates"]

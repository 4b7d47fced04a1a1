"""Events of sales that users can subscribe to."""

from __future__ import annotations

from collections.abc import Sequence

from notifications.events import EventKind, FilterField, register
from sales.models import Alarm
from sales.services.alarms import EVENT, recent


def _kinds() -> Sequence[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in Alarm.Kind.choices]


def register_events() -> None:
    """Register the events; called once by the app's `ready`."""
    filters = (FilterField("kinds", "種類", "choices", "不選就是全部種類", _kinds),)
    register(EventKind(EVENT, "銷售異常", template=EVENT, filters=filters, recent=lambda limit: list(recent(limit))))

"""The event of reports: it names their messages. Recipients are those of the report; nobody subscribes."""

from __future__ import annotations

from notifications.events import EventKind, register


def register_events() -> None:
    """Register the event; called once by the app's `ready`."""
    reason = "您收到這封信，是因為您是這份定期報表的收件者。"
    register(EventKind("report", "定期報表", template="", reason=reason, subscribable=False))

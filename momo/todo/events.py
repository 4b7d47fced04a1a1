"""The mail to a user who is given items."""

from __future__ import annotations

from notifications.events import EventKind, register

ASSIGNED = "todo_assigned"


def register_events() -> None:
    """Register the event; called once when the app is ready."""
    register(
        EventKind(
            ASSIGNED,
            "待辦指派",
            template=ASSIGNED,
            reason="您收到這封信，是因為有人把待辦交給您。",
            subscribable=False,
        )
    )

"""Registry of the kinds of events that people can subscribe to; this app knows none of another app.

To add one: describe it as an `EventKind` in the app's own `events.py`, `register` it there in `register_events()`,
which `AppConfig.ready` calls, and ship a template with the variables of the event (`notifications/shipped/CODE.toml`).
Where the event happens, a service calls `notifications.services.notify.notify` in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from momo.core.roles import MANAGER, USER
from notifications.selectors import recent_alerts

ALERT_EVENT = "system_alert"
# Of messages that no event causes.
TEST_EVENT = "test"
MANUAL_EVENT = "manual"  # that a person or a program sends through the API
ANSWER_EVENT = "answer"  # of the bot, to who asked it


@dataclass(frozen=True)
class FilterField:
    """One condition that a subscription may set, kept in `Subscription.filters` under `name`.

    `kind` is `choices` (several of `choices()`, kept as a list), `texts` (free texts, kept as a list) or `number`
    (kept as a number; 0 and missing are the same). `empty` describes what meets a condition that is not set, if that is
    not everything.
    """

    name: str
    label: str
    kind: str
    help_text: str = ""
    choices: Callable[[], Sequence[tuple[str, str]]] = field(default=list)
    empty: str = ""


@dataclass(frozen=True)
class EventKind:
    """A kind of event.

    `template` is the code of its template; `mail_template` of another one with the same variables, for mails that
    deserve tables. `recent(limit)` gives the variables of the last real events, the newest first, each with `label`
    beside `variables`, for previews: `[{"label": str, "variables": {...}}]`. `reason` says below a mail
    without a subscription why one gets it; `subscribable` is whether people may subscribe at all, `role` the lowest
    role that may subscribe a chat of its own through the bot. `own_filters(user)` are the filters of a subscription
    that a user makes in the own chat, where an event is somebody's.
    """

    code: str
    label: str
    template: str
    filters: Sequence[FilterField] = ()
    recent: Callable[[int], Sequence[Mapping[str, Any]]] = lambda limit: []
    mail_template: str = ""
    reason: str = ""
    subscribable: bool = True
    role: str = USER
    own_filters: Callable[[User], dict[str, Any]] = lambda user: {}


_registered: dict[str, EventKind] = {}


def register(kind: EventKind) -> None:
    """Add a kind of event; a second one with the same code replaces the first."""
    _registered[kind.code] = kind


def event_kinds() -> Mapping[str, EventKind]:
    """Return all kinds, by code."""
    return dict(_registered)


def event_kind(code: str) -> EventKind | None:
    """Return the kind with this code; None when no app registers one."""
    return _registered.get(code)


def register_events() -> None:
    """Register the events of this app; called once when the app is ready."""
    register(EventKind(ALERT_EVENT, "系統警示", template=ALERT_EVENT, recent=recent_alerts, role=MANAGER))

"""The kinds of events that people can subscribe to: each app registers its own, notifications know no domain.

What an event brings are its template's variables. An app calls `services.notify` when one happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FilterField:
    """One condition that a subscription may set, kept in `Subscription.filters` under `name`.

    `kind` is `choices` (several of `choices()`, kept as a list), `texts` (free texts, kept as a list) or `number`
    (kept as a number; 0 and missing are the same). `empty` says what is let through where nothing is set, if that is
    not everything.
    """

    name: str
    label: str
    kind: str
    help_text: str = ""
    choices: Callable[[], Sequence[tuple[str, str]]] = field(default=list)
    empty: str = ""


def _none(limit: int) -> list[Mapping[str, Any]]:
    return []


@dataclass(frozen=True)
class EventKind:
    """What can be subscribed to.

    `template` is the code of its template. `recent(limit)` gives the variables of the last real events, the newest
    first, each with `label` beside `variables`, for previews: `[{"label": str, "variables": {...}}]`.
    """

    code: str
    label: str
    template: str
    filters: Sequence[FilterField] = ()
    recent: Callable[[int], Sequence[Mapping[str, Any]]] = _none


_registered: dict[str, EventKind] = {}


def register(kind: EventKind) -> None:
    """Make a kind of event known; called by each app when it is ready."""
    _registered[kind.code] = kind


def event_kinds() -> Mapping[str, EventKind]:
    """All kinds, by code."""
    return dict(_registered)


def event_kind(code: str) -> EventKind | None:
    return _registered.get(code)

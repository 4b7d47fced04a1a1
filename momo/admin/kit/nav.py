"""What an app adds to the sidebar and to the start page of the admin: entries, badges, cards and panels.

Each app registers its own in a `nav.py`. `momo.admin.site` imports the `nav` of every installed app, as Django imports
every `admin`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from django.http import HttpRequest

Counter = Callable[[], int]


@dataclass(frozen=True)
class Section:
    """A heading of the sidebar; entries of several apps may stand below it."""

    title: str
    order: int


SYSTEM = Section("系統", 90)


@dataclass(frozen=True)
class Entry:
    """A link of the sidebar to the list of `model` (app_label.model), for users who may view it.

    `badge` counts the rows that wait for a decision; 0 shows no badge.
    """

    section: Section
    order: int
    title: str
    icon: str  # of Material Symbols
    model: str
    badge: Counter | None = None

    @property
    def view(self) -> str:
        """Name of the list's view in the admin."""
        return f"{self.model.replace('.', '_')}_changelist"

    @property
    def permission(self) -> str:
        """The permission that its view demands."""
        return self.model.replace(".", ".view_")


@dataclass(frozen=True)
class Card:
    """A figure of the start page; `tone` colours it unless it is 0."""

    name: str
    figure: int
    url: str
    tone: str = ""


@dataclass(frozen=True)
class Cards:
    """Cards of one app, for users with `permission`."""

    order: int
    permission: str
    make: Callable[[HttpRequest], list[Card]]


@dataclass(frozen=True)
class Panel:
    """A part of the start page as wide as the page: `template`, to which `context` gives its variables.

    The cards of all apps stand at `CARDS_ORDER`: panels with a smaller `order` are above them.
    """

    order: int
    permission: str
    template: str
    context: Callable[[HttpRequest], dict[str, Any]]


CARDS_ORDER = 50
_Part = TypeVar("_Part", Cards, Panel)
_registered: list[Entry | Cards | Panel] = []


def register(*parts: Entry | Cards | Panel) -> None:
    """Add parts of an app to the admin; called once, by the app's `nav.py`."""
    _registered.extend(parts)


def entries() -> list[Entry]:
    """All entries of the sidebar, by section and order."""
    return sorted((part for part in _registered if isinstance(part, Entry)), key=attrgetter("section.order", "order"))


def permitted(kind: type[_Part], request: HttpRequest) -> list[_Part]:
    """The parts of one kind that the user of `request` may see, by order."""
    parts = [part for part in _registered if isinstance(part, kind) and request.user.has_perm(part.permission)]
    return sorted(parts, key=attrgetter("order"))


def count(request: HttpRequest, counter: Counter) -> int:
    """`counter()`, computed once a request, however many badges and cards show it."""
    known: dict[Counter, int] = request.__dict__.setdefault("momo_counts", {})
    if counter not in known:
        known[counter] = counter()
    return known[counter]

"""What an app adds to the sidebar, the start page and pages of other apps: entries, badges, cards, panels and links.

Each app registers its own in a `nav.py`. `momo.admin.site` imports the `nav` of every installed app, as Django imports
every `admin`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

Counter = Callable[[], int]
Done = Callable[[], bool]


@dataclass(frozen=True)
class Section:
    """A heading of the sidebar; entries of several apps may stand below it."""

    title: str
    order: int


SYSTEM = Section("系統", 90)


@dataclass(frozen=True)
class Step:
    """What a user does first in a system without data: a link to `view` for users with `permission`.

    `done` says whether it has been done.
    """

    order: int
    title: str
    text: str
    icon: str  # of Material Symbols
    view: str
    permission: str
    done: Done


@dataclass(frozen=True)
class Entry:
    """A link of the sidebar to the list of `model` (app_label.model), for users who may view it.

    `page` names another view of the model's admin instead of the list. `badge` counts the rows that wait for a
    decision; 0 shows no badge. `empty` is what the list says while it has no rows, and `step` what brings the first
    ones. The entry of a `Page` has no model, and says in `needs` which permission it takes.
    """

    section: Section
    order: int
    title: str
    icon: str  # of Material Symbols
    model: str
    badge: Counter | None = None
    empty: str = ""
    step: Step | None = None
    page: str = ""
    needs: str = ""

    @property
    def view(self) -> str:
        """Name of its view in the admin."""
        return self.page or f"{self.model.replace('.', '_')}_changelist"

    @property
    def permission(self) -> str:
        """The permission that its view demands."""
        return self.needs or self.model.replace(".", ".view_")


@dataclass(frozen=True)
class Page:
    """A page of the admin that belongs to no model, at `path` below /admin/, for users with `permission`."""

    path: str
    name: str
    permission: str
    view: Callable[[HttpRequest], HttpResponse]

    def show(self, request: HttpRequest) -> HttpResponse:
        """The page; raises PermissionDenied."""
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        return self.view(request)


@dataclass(frozen=True)
class Card:
    """A figure of the start page; `tone` colours it unless it is 0."""

    name: str
    figure: int
    url: str
    tone: str = ""


@dataclass(frozen=True)
class Cards:
    """Cards of one app, for users with `permission`; left out until `after` is true."""

    order: int
    permission: str
    make: Callable[[HttpRequest], list[Card]]
    after: Done | None = None


@dataclass(frozen=True)
class Panel:
    """A part of the start page as wide as the page: `template`, to which `context` gives its variables.

    The cards of all apps stand at `CARDS_ORDER`: panels with a smaller `order` are above them. It is left out until
    `after` is true. A `notice` may be empty, and a page with nothing else says so.
    """

    order: int
    permission: str
    template: str
    context: Callable[[HttpRequest], dict[str, Any]]
    after: Done | None = None
    notice: bool = False


@dataclass(frozen=True)
class RowLink:
    """A link on the page of a row of `model` (app_label.model) to `view`, whose address takes the row's key.

    For users with `permission`. So the page of a row leads to what an app above knows of it.
    """

    model: str
    title: str
    icon: str  # of Material Symbols
    view: str
    permission: str


CARDS_ORDER = 50
REMEMBERED = 24 * 3600  # seconds
_Part = TypeVar("_Part", Cards, Panel, Step)
_registered: list[Entry | Cards | Page | Panel | Step | RowLink] = []


def register(*parts: Entry | Cards | Page | Panel | Step | RowLink) -> None:
    """Add parts of an app to the admin; called once, by the app's `nav.py`."""
    _registered.extend(parts)


def entries() -> list[Entry]:
    """All entries of the sidebar, by section and order."""
    found = (part for part in _registered if isinstance(part, Entry))
    return sorted(found, key=attrgetter("section.order", "section.title", "order"))


def pages() -> list[Page]:
    """All pages without a model."""
    return [part for part in _registered if isinstance(part, Page)]


def permitted(kind: type[_Part], request: HttpRequest) -> list[_Part]:
    """The parts of one kind that the user of `request` may see, by order."""
    parts = [part for part in _registered if isinstance(part, kind) and request.user.has_perm(part.permission)]
    return sorted(parts, key=attrgetter("order"))


def row_links(request: HttpRequest, row: Model) -> list[tuple[str, str, str]]:
    """Icon, title and address of each link of a row's page that the user may follow."""
    return [
        (part.icon, part.title, reverse(f"admin:{part.view}", args=[row.pk]))
        for part in _registered
        if isinstance(part, RowLink) and part.model == row._meta.label_lower and request.user.has_perm(part.permission)
    ]


def is_new(request: HttpRequest) -> bool:
    """Whether nothing at all has been done in this system yet: then each figure would be 0."""
    steps = [part for part in _registered if isinstance(part, Step)]
    return bool(steps) and not any(is_done(request, step.done) for step in steps)


def entry_of(model: str) -> Entry | None:
    """The sidebar's entry of a model's list (app_label.model)."""
    return next((entry for entry in entries() if entry.model == model and not entry.page), None)


def is_done(request: HttpRequest, done: Done | None) -> bool:
    """`done()`, True without it. What is done is remembered for a day, and anything else asked once a request."""
    if done is None:
        return True
    known: dict[Done, bool] = request.__dict__.setdefault("momo_done", {})
    if done not in known:
        key = f"nav:done:{done.__module__}.{done.__qualname__}"
        known[done] = bool(cache.get(key)) or done()
        if known[done]:
            cache.set(key, True, REMEMBERED)
    return known[done]


def count(request: HttpRequest, counter: Counter) -> int:
    """`counter()`, computed once a request, however many badges and cards show it."""
    known: dict[Counter, int] = request.__dict__.setdefault("momo_counts", {})
    if counter not in known:
        known[counter] = counter()
    return known[counter]

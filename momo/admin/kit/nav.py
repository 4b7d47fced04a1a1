"""What an app adds to the sidebar, the start page and pages of other apps: entries, badges, cards, panels and links.

Each app registers its own in a `nav.py`. `momo.admin.site` imports the `nav` of every installed app, as Django imports
every `admin`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import attrgetter, or_
from typing import Any, TypeVar

from django.apps import apps
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from momo.core.counting import Rows, count_all

Counter = Callable[[], Rows]
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

    `done` says whether it has been done. Data come without an `optional` one: once all others are done, it stands below
    the figures.
    """

    order: int
    title: str
    text: str
    icon: str  # of Material Symbols
    view: str
    permission: str
    done: Done
    optional: bool = False


@dataclass(frozen=True)
class Link:
    """A button of a list without rows to `view`, for users with `permission`: where its first rows come from."""

    title: str
    icon: str  # of Material Symbols
    view: str
    permission: str


@dataclass(frozen=True)
class Entry:
    """A link of the sidebar to the list of `model` (app_label.model), for users who may view it.

    `page` names another view of the model's admin instead of the list. `badge` gives the rows that wait for a
    decision; none of them shows no badge. `empty` is what the list says while it has no rows, and `step` what brings
    the first ones, for users who may not add some there. The entry of a `Page` has no model, and says in `needs` which
    permission it takes. `help` says in two or three sentences what the page is for, what to do first, and what its most
    important mark means; `how_to` are the steps of what takes some, what is typed between `` ` ``.
    """

    section: Section
    order: int
    title: str
    icon: str  # of Material Symbols
    model: str
    badge: Counter | None = None
    empty: str = ""
    step: Step | Link | None = None
    page: str = ""
    needs: str = ""
    help: str = ""
    how_to: tuple[str, ...] = ()

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
    view: Callable[[HttpRequest], HttpResponseBase]

    def show(self, request: HttpRequest) -> HttpResponseBase:
        """The page; raises PermissionDenied."""
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        return self.view(request)


@dataclass(frozen=True)
class Card:
    """A figure of the start page: how many rows the list at `url` shows. `tone` colours it unless it is 0.

    `text` stands for a figure that is no number of rows.
    """

    name: str
    figure: int
    url: str
    tone: str = ""
    text: str = ""


@dataclass(frozen=True)
class Cards:
    """Cards of one app, for users with `permission`; left out until `after` is true.

    `counts` are the counters whose `count` the cards show: the page reads them together with all others.
    """

    order: int
    permission: str
    make: Callable[[HttpRequest], list[Card]]
    after: Done | None = None
    counts: tuple[Counter, ...] = ()


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


@dataclass(frozen=True)
class RowPanel:
    """A part of the page of a row of `model` (app_label.model), for users with `permission`.

    `context` makes of the row what `template` shows as `panel`; tables of figures in its `tables` can be exported. So
    the page of a row shows what an app above knows of it.
    """

    model: str
    template: str
    context: Callable[[HttpRequest, Any], Mapping[str, Any]]
    permission: str


@dataclass(frozen=True)
class Presets:
    """Spans of days that an app offers where a page is about some days: title, first and last day of each."""

    make: Callable[[], Sequence[tuple[str, date, date]]]


@dataclass(frozen=True)
class Searchable:
    """Rows of `model` (app_label.model) that the search of the menu finds, for users who may view them.

    `find` returns the rows for what is typed, which has two characters at least; without it, `fields` contain that, and
    the newest rows come first. `show` is what is shown of a row, and beside it.
    """

    order: int
    model: str
    icon: str  # of Material Symbols
    show: Callable[[Any], tuple[str, str]]
    fields: tuple[str, ...] = ()
    find: Callable[[str], QuerySet[Any]] | None = None

    @property
    def permission(self) -> str:
        """The permission that a row's page demands."""
        return self.model.replace(".", ".view_")

    def rows(self, text: str) -> QuerySet[Any]:
        """The rows for what is typed; the caller takes the first few."""
        if self.find is not None:
            return self.find(text)
        wanted = reduce(or_, (Q(**{f"{name}__icontains": text}) for name in self.fields))
        found: QuerySet[Any] = apps.get_model(self.model)._default_manager.filter(wanted).order_by("-pk")
        return found

    def address(self, row: Model) -> str:
        """The page of a row."""
        return reverse(f"admin:{self.model.replace('.', '_')}_change", args=[row.pk])


CARDS_ORDER = 50
REMEMBERED = 24 * 3600  # seconds
_Part = TypeVar("_Part", Cards, Panel, Step, Searchable)
_Registered = Entry | Cards | Page | Panel | Presets | RowLink | RowPanel | Searchable | Step
_registered: list[_Registered] = []


def register(*parts: _Registered) -> None:
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


def row_panels(request: HttpRequest, row: Model) -> list[tuple[str, Mapping[str, Any]]]:
    """Template and variables of each panel of a row's page that the user may see."""
    return [
        (part.template, part.context(request, row))
        for part in _registered
        if isinstance(part, RowPanel) and part.model == row._meta.label_lower and request.user.has_perm(part.permission)
    ]


def presets() -> list[tuple[str, date, date]]:
    """Title, first and last day of each span that apps offer."""
    return [span for part in _registered if isinstance(part, Presets) for span in part.make()]


def is_new(request: HttpRequest) -> bool:
    """Whether nothing at all has been done in this system yet: then each figure would be 0."""
    steps = [part for part in _registered if isinstance(part, Step) and not part.optional]
    return bool(steps) and not any(is_done(request, step.done) for step in steps)


def entry_of(model: str) -> Entry | None:
    """The sidebar's entry of a model's list (app_label.model)."""
    return next((entry for entry in entries() if entry.model == model and not entry.page), None)


def entry_of_page(request: HttpRequest) -> Entry | None:
    """The sidebar's entry of the page that is asked for; of a `Page` also for the pages whose names begin with its."""
    name = request.resolver_match.url_name if request.resolver_match else None
    if name is None:
        return None
    return next(
        (one for one in entries() if name == one.view or (not one.model and name.startswith(f"{one.view}_"))), None
    )


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
    """The number of rows of `counter()`, read once a request, however many badges and cards show it."""
    return counts(request, [counter])[counter]


def counts(request: HttpRequest, counters: Iterable[Counter]) -> dict[Counter, int]:
    """What is counted in this request so far; those of `counters` that are new to it are read by one query."""
    known: dict[Counter, int] = request.__dict__.setdefault("momo_counts", {})
    new = [counter for counter in dict.fromkeys(counters) if counter not in known]
    known.update(zip(new, count_all([counter() for counter in new]), strict=True))
    return known


def count_badges(request: HttpRequest, *, cards: bool) -> dict[Counter, int]:
    """The numbers of all badges that the user may see and, for the start page, of all `cards`; one query."""
    wanted = [part.badge for part in entries() if part.badge and request.user.has_perm(part.permission)]
    if cards:
        wanted += [counter for part in permitted(Cards, request) for counter in part.counts]
    return counts(request, wanted)

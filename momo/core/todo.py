"""What waits for somebody: rows that each app's `todo` declares for the list 待辦.

    register(Source("import", "匯入", 10, open_failures, title=F("file_name"), ...))

`momo.todo` imports the `todo` of every installed app, as Django imports every `admin`. An item exists as long as its
row is among `rows`: nobody ticks it off, its cause has to go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models.expressions import Combinable

from momo.core.counting import Rows


@dataclass(frozen=True)
class Source:
    """Rows of one kind that wait.

    `title` and `detail` are texts that the database makes of a row, so that one query reads all kinds; `since` names
    the field from which it waits. `page` is the view of the admin that shows one row, `listed` with the query string
    `query` the one that lists them all. `pm` and `brand` name the fields that tell whose a row is, where there are any.
    """

    key: str  # stored beside what staff say about a row
    label: str
    order: int
    rows: Callable[[], Rows]
    title: Combinable
    detail: Combinable
    since: str
    page: str
    listed: str
    query: str = ""
    pm: str = ""
    brand: str = ""


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Add a kind of rows; called once, by the app's `todo`."""
    _sources[source.key] = source


def sources() -> list[Source]:
    """All kinds, the most pressing first."""
    return sorted(_sources.values(), key=lambda source: source.order)


def querysets(rows: Rows) -> list[Any]:
    """The querysets of `rows`."""
    return list(rows) if isinstance(rows, (list, tuple)) else [rows]

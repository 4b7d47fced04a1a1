"""Reads of the list 待辦: rows of other apps that wait, and what staff said about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import User
from momo.core.counting import Rows, count_all
from momo.core.scope import Scope
from momo.core.todo import Source, querysets, sources
from momo.todo.models import TodoComment, TodoState

SHOWN = 200  # items of each queryset of a source; the page says how many there are
COMMENTS = 500  # of all items of a page, the newest
FREE, SNOOZED = "free", "snoozed"
_COLUMNS = ("t_order", "t_source", "t_id", "t_title", "t_detail", "t_since")


@dataclass(frozen=True)
class Asked:
    """Which items: those that are put off (SNOOZED), those that nobody has (FREE), else all that are not put off.

    With `user` those that the user has, and those of `scope` that nobody has.
    """

    show: str = ""
    user: User | None = None
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True)
class Item:
    """A row that waits, with what staff said about it."""

    source: Source
    object_id: int
    title: str
    detail: str
    since: datetime
    state: TodoState | None
    comments: Sequence[TodoComment]

    @property
    def key(self) -> str:
        """The item in a form."""
        return f"{self.source.key}:{self.object_id}"


def waiting() -> Rows:
    """All items that are not put off, for badge and card."""
    return [rows for source in sources() for rows in items_of(source, Asked())]


def items_of(source: Source, asked: Asked) -> list[QuerySet[Any]]:
    """The rows of one source that are asked for."""
    states = TodoState.objects.filter(source=source.key)
    put_off = Q(pk__in=states.filter(snoozed_until__gt=timezone.now()).values("object_id"))
    wanted = put_off if asked.show == SNOOZED else ~put_off
    taken = Q(pk__in=states.filter(assignee__isnull=False).values("object_id"))
    if asked.show == FREE:
        wanted &= ~taken
    if asked.user is not None:
        own = Q(pk__in=states.filter(assignee=asked.user).values("object_id"))
        wanted &= own | (asked.scope.condition(pm=source.pm, brand=source.brand) & ~taken)
    return [rows.filter(wanted) for rows in querysets(source.rows())]


def counts(asked: Asked) -> dict[str, int]:
    """How many items of each source are asked for; one query."""
    found = sources()
    counted = count_all([items_of(source, asked) for source in found])
    return {source.key: count for source, count in zip(found, counted, strict=True)}


def items(asked: Asked, *, source: str = "", start: int = 0, size: int = 50) -> list[Item]:
    """Items from offset `start`, by source and then by age; at most SHOWN of each queryset; three queries."""
    chosen = {one.key: one for one in sources() if source in ("", one.key)}
    parts = [_part(one, rows) for one in chosen.values() for rows in items_of(one, asked)]
    if not parts:
        return []
    first, *others = parts
    together = first.union(*others, all=True).order_by("t_order", "t_since", "t_id") if others else first
    rows = list(together[start : start + size])
    states = _states([(key, pk) for _, key, pk, *_ in rows])
    comments = _comments(states.values())
    return [
        Item(chosen[key], pk, title, detail, since, state := states.get((key, pk)), comments[state.pk] if state else [])
        for _, key, pk, title, detail, since in rows
    ]


def _part(source: Source, rows: QuerySet[Any]) -> QuerySet[Any, tuple[Any, ...]]:
    """The longest waiting rows of a queryset, in the columns that all sources share."""
    shared = rows.annotate(
        t_order=Value(source.order),
        t_source=Value(source.key, output_field=CharField()),
        t_id=F("pk"),
        t_title=Cast(source.title, TextField()),
        t_detail=Cast(source.detail, TextField()),
        t_since=F(source.since),
    )
    found: QuerySet[Any, tuple[Any, ...]] = shared.order_by("t_since", "t_id").values_list(*_COLUMNS)[:SHOWN]
    return found


def _states(found: Sequence[tuple[str, int]]) -> dict[tuple[str, int], TodoState]:
    wanted: dict[str, list[int]] = defaultdict(list)
    for key, pk in found:
        wanted[key].append(pk)
    condition = Q(pk__in=[])
    for key, ids in wanted.items():
        condition |= Q(source=key, object_id__in=ids)
    rows = TodoState.objects.filter(condition).select_related("assignee") if wanted else ()
    return {(state.source, state.object_id): state for state in rows}


def _comments(states: Any) -> dict[int, list[TodoComment]]:
    """The comments of states, the oldest first."""
    found: dict[int, list[TodoComment]] = defaultdict(list)
    rows = TodoComment.objects.filter(state__in=list(states)).select_related("user").order_by("-pk")[:COMMENTS]
    for comment in reversed(rows):
        found[comment.state_id].append(comment)
    return found


def assignees() -> QuerySet[User]:
    """The users who may be given items."""
    return User.objects.filter(is_active=True).order_by("display_name", "username")

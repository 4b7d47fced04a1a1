"""「我的／全部」: lists and boards narrowed to the PMs and brands of the user (`mine=1` in the address)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from momo.admin.kit import nav
from momo.core.counting import count_all
from momo.core.scope import Scope

PARAMETER = "mine"
_readers: list[Callable[[Any], Scope]] = []


def read_scopes_by(selector: Callable[[Any], Scope]) -> None:
    """`selector` reads the scope of a user; called once, by `accounts`, which this module may not import."""
    _readers[:] = [selector]


def own_scope(request: HttpRequest) -> Scope:
    """What the user of `request` looks after, read once a request."""
    known: dict[str, Any] = request.__dict__
    if "momo_scope" not in known:
        known["momo_scope"] = _readers[0](request.user)
    scope: Scope = known["momo_scope"]
    return scope


def chosen_scope(request: HttpRequest) -> Scope | None:
    """The scope to which the user narrows the page. None is everything, and so for users who look after nothing."""
    return (own_scope(request) or None) if request.GET.get(PARAMETER) == "1" else None


def narrowed(request: HttpRequest, rows: QuerySet[Any], *, pm: str = "", brand: str = "") -> QuerySet[Any]:
    """`rows`, or the user's rows of them on a page that is narrowed; `pm` and `brand` are fields of the rows.

    As with `MineFilter`, all rows stay where none could be the user's.
    """
    scope = chosen_scope(request)
    if scope is None or not scope.covers(pm=pm, brand=brand):
        return rows
    return rows.filter(scope.condition(pm=pm, brand=brand))


def counts(
    request: HttpRequest, counters: Sequence[Callable[[], QuerySet[Any]]], *, pm: str = "", brand: str = ""
) -> list[int]:
    """The number of rows of each counter of `nav`; on a page that is narrowed, of those that `narrowed` keeps."""
    if chosen_scope(request) is None:
        counted = nav.counts(request, counters)
        return [counted[counter] for counter in counters]
    return count_all([narrowed(request, counter(), pm=pm, brand=brand) for counter in counters])


def address(request: HttpRequest, url: str) -> str:
    """`url` of a list with a `MineFilter`, narrowed as the page that links to it."""
    if chosen_scope(request) is None:
        return url
    return f"{url}{'&' if '?' in url else '?'}{PARAMETER}=1"


def switch(request: HttpRequest) -> dict[str, Any]:
    """Variables of `admin/mine.html`, which shows nothing to users who look after nothing."""
    query = request.GET.copy()
    query.pop(PARAMETER, None)
    query.pop("p", None)  # another page than the first may not exist on the other side
    everything = query.urlencode()
    query[PARAMETER] = "1"
    scope = own_scope(request)
    return {
        "mine_names": "、".join([*sorted(scope.pms), *sorted(scope.brands)]),
        "mine_chosen": chosen_scope(request) is not None,
        "mine_url": f"?{query.urlencode()}",
        "all_url": f"?{everything}",
    }


class MineFilter(DropdownFilter):
    """Rows of the user's PMs and brands. Left out for users none of whose names a row can have."""

    title, parameter_name = "我的／全部", PARAMETER
    pm = brand = ""  # fields of the rows

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.scope = own_scope(request)
        super().__init__(request, *args, **kwargs)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "我的")] if self.scope.covers(pm=self.pm, brand=self.brand) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return narrowed(request, queryset, pm=self.pm, brand=self.brand)


def mine_filter(*, pm: str = "", brand: str = "") -> type[MineFilter]:
    """A `MineFilter` of rows whose PM and brand are in these fields."""
    return type("MineFilter", (MineFilter,), {"pm": pm, "brand": brand})

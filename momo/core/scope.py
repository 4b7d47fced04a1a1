"""What a user looks after: PMs and brands, by their names in reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Q

NAMES = 2_000  # that a form offers
_offered: list[Callable[[], Iterable[str]]] = []


def offer_names(names: Callable[[], Iterable[str]]) -> None:
    """Add names of PMs and brands that the reports have, so that nobody has to know how they are written."""
    _offered.append(names)


def known_names() -> list[str]:
    """The names that apps offer, sorted."""
    return sorted({name for names in _offered for name in names()})[:NAMES]


@dataclass(frozen=True)
class Scope:
    """PMs and brands of a user. A row is the user's if its PM or its brand is among them."""

    pms: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.pms or self.brands)

    def covers(self, *, pm: str = "", brand: str = "") -> bool:
        """Whether rows with these fields can be the user's: goods have a brand but no PM."""
        return bool((pm and self.pms) or (brand and self.brands))

    def condition(self, *, pm: str = "", brand: str = "") -> Q:
        """The user's rows. `pm` and `brand` name the fields of the table, empty where it has no such field."""
        mine = Q(pk__in=[])
        for field, names in ((pm, self.pms), (brand, self.brands)):
            if field and names:
                mine |= Q(**{f"{field}__in": sorted(names)})
        return mine

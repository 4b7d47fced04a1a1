"""Sections of reports that come by themselves: tables of figures of a period.

Each app registers its own in a `reports.py`. `momo.reports` imports the `reports` of every installed app, as Django
imports every `admin`, and renders the sections that a report names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from momo.admin.kit.figures import FigureTable
from momo.core.periods import Period


@dataclass(frozen=True)
class Filters:
    """What a report is narrowed to: PMs, brands and categories by their names in sales reports.

    An empty dimension is everything. A row has to fit every dimension that is set.
    """

    pms: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Each dimension that is set, by its label."""
        found = (("PM", self.pms), ("品牌", self.brands), ("分類", self.categories))
        return [(label, "、".join(names)) for label, names in found if names]


@dataclass(frozen=True)
class Section:
    """A part of reports.

    `make` reads its table. `missing` says, each in a sentence, which of its data have not arrived for the period; a
    report waits for them until its hour.
    """

    code: str
    title: str
    order: int
    make: Callable[[Period, Filters], FigureTable]
    missing: Callable[[Period], Sequence[str]] = lambda period: ()


_registered: dict[str, Section] = {}


def register(*parts: Section) -> None:
    """Add sections of an app; called once, by the app's `reports.py`."""
    _registered.update({part.code: part for part in parts})


def sections() -> dict[str, Section]:
    """All sections by code, in their usual order."""
    return {one.code: one for one in sorted(_registered.values(), key=lambda one: (one.order, one.code))}

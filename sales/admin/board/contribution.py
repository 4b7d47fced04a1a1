"""The page of contributions: which brands, PMs and categories the difference of two periods comes from."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from django.http import HttpRequest, HttpResponse

from momo.admin.kit import mine
from momo.admin.kit.figures import Column, FigureTable, page_address
from momo.core.errors import ValidationFailed
from sales.admin.board.changes import ChangesTable
from sales.admin.board.frame import (
    COMPARED,
    DIMENSIONS,
    MEASURES,
    board_page,
    by_title,
    choice_of,
    chosen_periods,
    presets,
)
from sales.figures import NAMELESS
from sales.selectors.changes import Level, Part, by_change, contributions, parts_by, summed

SHOWN = 20  # parts of a level
CROSSED = 50  # combinations of all three dimensions
ORDERS = {",".join(names): " → ".join(DIMENSIONS[name] for name in names) for names in permutations(DIMENSIONS)}


def contribution_page(request: HttpRequest) -> HttpResponse:
    """The difference by the first dimension of `order`, below the keys `path` by the next, and `cross` by all three."""
    return _Contribution(request).page()


class _Contribution:
    def __init__(self, request: HttpRequest) -> None:
        self.request, self.periods = request, chosen_periods(request)
        self.problem = self.periods.problem
        self.order = choice_of(request, "order", ORDERS).split(",")
        self.measure = choice_of(request, "measure", MEASURES)
        # NAMELESS is never stored as a key, so in the address it can stand for the empty key.
        self.path = tuple("" if name == NAMELESS else name for name in request.GET.getlist("path"))[:2]
        self.asked: dict[str, Any] = {
            "before": (self.periods.before.first, self.periods.before.last),
            "after": (self.periods.after.first, self.periods.after.last),
            "scope": mine.chosen_scope(request),
        }
        self.tables = ChangesTable(request, self.periods, self.measure)

    def page(self) -> HttpResponse:
        levels = self._levels()
        made = [self._level(level) for level in levels]
        crossed = self.request.GET.get("cross") == "1"
        if crossed and levels:
            made += self._cross()
        return board_page(
            self.request,
            "contribution",
            made,
            problem=self.problem,
            periods=self.periods,
            compared=COMPARED,
            order=",".join(self.order),
            orders=ORDERS,
            measure=self.measure,
            measures=MEASURES,
            presets=presets(self.request, self.periods.after),
            figures=self.tables.cards(levels[0].whole) if levels else [],
            path=[(name or NAMELESS, self._drill(self.path[:place])) for place, name in enumerate(self.path)],
            crossed=crossed,
            cross_url=page_address(self.request, cross=None if crossed else "1"),
        )

    def _levels(self) -> list[Level]:
        """The levels; those that need too many lines are left out, and `problem` says so."""
        for path in dict.fromkeys((self.path, ())):
            try:
                return contributions(**self.asked, order=self.order, path=path)
            except ValidationFailed as refusal:
                self.problem = refusal.fields["start_date"][0]
        return []

    def _drill(self, path: tuple[str, ...]) -> str:
        """The page with the dimensions below `path`."""
        asked = self.request.GET.copy()
        for name in ("export", "format"):
            asked.pop(name, None)
        asked.setlist("path", [name or NAMELESS for name in path])
        return f"{self.request.path}?{asked.urlencode()}"

    def _level(self, level: Level) -> FigureTable:
        depth = len(level.path)
        above = dict(zip(self.order, level.path, strict=False))
        inside = "、".join(name or NAMELESS for name in level.path)
        last = depth == len(self.order) - 1

        def name(part: Part) -> dict[str, Any]:
            (key,) = part.keys
            cell = {"key": key or NAMELESS}
            return cell if last else {**cell, "key_url": self._drill((*level.path, key))}

        return self.tables.make(
            key=f"level{depth + 1}",
            title=f"{inside}：{by_title(level.dimension)}" if inside else by_title(level.dimension),
            columns=[Column("key", DIMENSIONS[level.dimension])],
            parts=by_change(level.parts, self.measure),
            whole=level.whole,
            shown=len(level.parts) if "export" in self.request.GET else SHOWN,
            keys_of=lambda part: {**above, level.dimension: part.keys[0]},
            inside=above,
            name=name,
            note=self.tables.unknown_note(level.whole),
        )

    def _cross(self) -> list[FigureTable]:
        try:
            parts = by_change(parts_by(self.order, **self.asked), self.measure)
        except ValidationFailed as refusal:
            self.problem = refusal.fields["start_date"][0]
            return []
        return [
            self.tables.make(
                key="cross",
                title=" × ".join(DIMENSIONS[name] for name in self.order),
                columns=[Column(name, DIMENSIONS[name]) for name in self.order],
                parts=parts,
                whole=summed(parts, ()),
                shown=len(parts) if "export" in self.request.GET else CROSSED,
                keys_of=lambda part: dict(zip(self.order, part.keys, strict=True)),
                inside={},
                name=lambda part: {name: key or NAMELESS for name, key in zip(self.order, part.keys, strict=True)},
            )
        ]

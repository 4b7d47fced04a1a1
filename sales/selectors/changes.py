"""What changed between two periods, by key: the biggest rises and falls, and contributions that add up to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from momo.core.formats import percent_of
from momo.core.scope import Scope
from sales.figures import Figures, total
from sales.models import SalesLine
from sales.selectors.from_lines import Days, read_lines
from sales.selectors.lines import sums_by_key

DIMENSIONS = ("brand", "pm", "category")
MEASURES = ("amount", "gross_profit", "quantity")
NONE = Figures()


def measured(figures: Figures, measure: str) -> int:
    """The value of one of MEASURES: cents, or pieces. An unknown gross profit counts as 0."""
    return int(getattr(figures, measure) or 0)


@dataclass(frozen=True)
class Part:
    """One key, or one combination of keys, in both periods."""

    keys: tuple[str, ...]
    before: Figures
    after: Figures
    line: int = 0  # the newest of its lines, where these were read

    def change(self, measure: str) -> int:
        """From the earlier to the later period, in cents or pieces."""
        return measured(self.after, measure) - measured(self.before, measure)


@dataclass(frozen=True)
class Level:
    """The parts into which the figures of both periods fall by one dimension, those of keys above chosen."""

    dimension: str
    path: tuple[str, ...]
    parts: list[Part]

    @property
    def whole(self) -> Part:
        """The sum of the parts."""
        return summed(self.parts, self.path)


def summed(parts: Iterable[Part], keys: tuple[str, ...]) -> Part:
    """The sum of parts, under other keys."""
    parts = list(parts)
    return Part(keys, total(part.before for part in parts), total(part.after for part in parts))


def share_of(part: Part, whole: Part, measure: str) -> float | None:
    """The part's change in percent of that of the whole; None if this is 0."""
    return percent_of(part.change(measure), whole.change(measure))


def by_change(parts: Iterable[Part], measure: str) -> list[Part]:
    """The parts, those that changed most first."""
    return sorted(parts, key=lambda part: (-abs(part.change(measure)), part.keys))


def parts_by(
    columns: Sequence[str],
    *,
    before: Days,
    after: Days,
    keys: Mapping[str, str] | None = None,
    scope: Scope | None = None,
) -> list[Part]:
    """Both periods by the values of `columns`, of lines with the values `keys`. At most two queries.

    By one dimension, of everything, they come from totals, all others from `read_lines`: raises ValidationFailed.
    """
    sums: tuple[dict[tuple[str, ...], Figures], ...] = ({}, {})
    newest: dict[tuple[str, ...], int] = {}
    if len(columns) == 1 and columns[0] in DIMENSIONS and not keys and scope is None:
        for place, days in enumerate((before, after)):
            sums[place].update({(key,): one for key, one in _totals(days, columns[0]).items()})
    else:
        chosen = {column: [key] for column, key in (keys or {}).items()}
        for place, line, names, figures in read_lines([before, after], columns, names=chosen, scope=scope):
            sums[place][names] = figures
            newest[names] = max(line, newest.get(names, 0))
    earlier, later = sums
    return [
        Part(names, earlier.get(names, NONE), later.get(names, NONE), newest.get(names, 0))
        for names in dict.fromkeys([*later, *earlier])
    ]


def _totals(days: Days, dimension: str) -> dict[str, Figures]:
    first, last = days
    return sums_by_key(first=first, last=last, dimensions=[dimension]).get(dimension, {})


def contributions(
    *,
    before: Days,
    after: Days,
    order: Sequence[str],
    path: Sequence[str] = (),
    scope: Scope | None = None,
) -> list[Level]:
    """The difference of two periods by `order[0]`, and below each key of `path` by the following dimension.

    The parts of a level add up to the part of its path in the level above, and those of the first to the difference of
    the periods. Raises ValidationFailed as `parts_by`.
    """
    path = tuple(path[: len(order) - 1])
    asked: dict[str, Any] = {"before": before, "after": after, "scope": scope}
    levels = [Level(order[0], (), parts_by(order[:1], **asked))]
    if path:
        # One reading of the lines of the first key serves both levels below it.
        columns = order[1 : len(path) + 1]
        deepest = parts_by(columns, **asked, keys={order[0]: path[0]})
        for depth in range(1, len(path) + 1):
            inside = [part for part in deepest if part.keys[: depth - 1] == path[1:depth]]
            levels.append(Level(order[depth], path[:depth], _by_first(inside, depth - 1)))
    return levels


def _by_first(parts: Iterable[Part], place: int) -> list[Part]:
    """The parts added up by the key at `place`."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.keys[place], []).append(part)
    return [summed(found, (key,)) for key, found in groups.items()]


def product_names(parts: Iterable[Part]) -> dict[str, str]:
    """Names of products by code, as their newest lines have them; at most one query."""
    lines = [part.line for part in parts]
    found = SalesLine.objects.filter(pk__in=lines).values_list("product_code", "product_name")
    return dict(found) if lines else {}

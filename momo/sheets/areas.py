"""Merged areas of a sheet: every row of one means the value of its first cell, which alone holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple


class Area(NamedTuple):
    """Merged cells: first and last row, first and last column, from 0."""

    top: int
    bottom: int
    left: int
    right: int


def spans_of(areas: Sequence[Area], first_row: int) -> dict[int, list[tuple[int, int]]]:
    """Column → first and last row of each area that begins in it and has several rows of data, counted from 0 there.

    Areas that reach above `first_row` belong to the header. Of areas that overlap, which no program writes, the first
    counts: each row is looked at once.
    """
    spans: dict[int, list[tuple[int, int]]] = {}
    for area in sorted(areas):
        if area.bottom > area.top >= first_row:
            column = spans.setdefault(area.left, [])
            if not column or column[-1][1] < area.top - first_row:
                column.append((area.top - first_row, area.bottom - first_row))
    return spans


def rows_below(
    cells: Sequence[Any], spans: Sequence[tuple[int, int]], is_blank: Callable[[Any], bool]
) -> Iterator[tuple[int, list[int]]]:
    """For each span whose first cell has a value: that row, and the further rows of it that are blank."""
    for top, bottom in spans:
        if top < len(cells) and not is_blank(cells[top]):
            below = [row for row in range(top + 1, min(bottom + 1, len(cells))) if is_blank(cells[row])]
            if below:
                yield top, below

"""Figures of lines with names of several dimensions, or of all lines.

Names of one dimension have totals. Totals have no second dimension, so that sums by another one, or with names of
several, come from sums of combinations, or from the lines of their days.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import QuerySet

from sales.figures import Figures
from sales.models import DayTotal
from sales.selectors.days import totals_of
from sales.selectors.from_lines import sums_from_lines
from sales.selectors.lines import figures_by_day, sum_of_totals, sums_by_key

# Names by dimension (brand, pm, category); a dimension that is missing or empty lets everything through.
Names = Mapping[str, Sequence[str]]
ALL = DayTotal.Dimension.ALL


def whole_of(*, first: date, last: date, names: Names) -> Figures:
    """The sum from `first` to `last`."""
    totals = _totals(first, last, names)
    if totals is not None:
        return sum_of_totals(totals)
    return _lines((), first, last, names).get("", Figures())


def sums_of(dimension: str, *, first: date, last: date, names: Names) -> dict[str, Figures]:
    """Sums from `first` to `last` by the keys of one dimension."""
    if any(kept for name, kept in names.items() if name != dimension):
        return _lines([dimension], first, last, names)
    sums = sums_by_key(first=first, last=last, dimensions=[dimension]).get(dimension, {})
    chosen = names.get(dimension)
    return {key: one for key, one in sums.items() if key in chosen} if chosen else sums


def days_of(*, first: date, last: date, names: Names) -> dict[date, Figures]:
    """Figures of each day from `first` to `last` that has such lines."""
    totals = _totals(first, last, names)
    return figures_by_day(totals) if totals is not None else _lines(["date"], first, last, names)


def _totals(first: date, last: date, names: Names) -> QuerySet[DayTotal] | None:
    """Totals that add up to the sum; None where there are none."""
    chosen = [(dimension, keys) for dimension, keys in names.items() if keys]
    if len(chosen) > 1:
        return None
    ((dimension, keys),) = chosen or [(ALL, [""])]
    return totals_of(dimension=dimension, keys=keys, first=first, last=last)


def _lines(by: Sequence[str], first: date, last: date, names: Names) -> dict[Any, Figures]:
    """By one column, or none (the key is then empty); however many lines there are, since reports may wait."""
    (found,) = sums_from_lines([(first, last)], by, names=names, most=sys.maxsize).values()
    return {key[0] if key else "": figures for key, figures in found.items()}

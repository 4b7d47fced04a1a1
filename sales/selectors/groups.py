"""Figures by key, read from the tables of totals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from momo.core.formats import percent_of
from sales.figures import NAMELESS, Figures
from sales.models import DayTotal

# The groups in answers about a day or a month. Vendors have selectors of their own.
GROUPS = {
    "by_pm": DayTotal.Dimension.PM,
    "by_brand": DayTotal.Dimension.BRAND,
    "by_category": DayTotal.Dimension.CATEGORY,
}
# The columns of Figures, in cents; `{0}` is the alias of a table of totals.
CENTS = (
    "{0}.lines, {0}.quantity, ({0}.amount * 100)::bigint, ({0}.cost * 100)::bigint, "
    "({0}.gross_profit * 100)::bigint, ({0}.margin_base * 100)::bigint"
)


def groups(figures: Mapping[str, Mapping[str, Figures]], whole: Figures) -> dict[str, list[dict[str, Any]]]:
    """`by_pm`, `by_brand` and `by_category`, the largest amount first, each with its share of `whole` in percent."""
    made = {}
    for name, dimension in GROUPS.items():
        keys = sorted(figures.get(dimension, {}).items(), key=lambda pair: (-pair[1].amount, pair[0]))
        made[name] = [
            {"key": key or NAMELESS, **one.as_dict(), "share": percent_of(one.amount, whole.amount)}
            for key, one in keys
        ]
    return made

"""The latest day and its month so far, as the start page shows them. Reads totals only; three queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from momo.core.scope import Scope
from sales.figures import Figures
from sales.selectors.board import totals_of_scope
from sales.selectors.daily import COMPARED
from sales.selectors.days import totals_of
from sales.selectors.lines import figures_by_day, latest_date
from sales.selectors.monthly import to_date


@dataclass(frozen=True)
class Glance:
    """Figures of `keys` (of `dimension`) on `day`, and in its month up to it.

    `before` is that day against the days of `COMPARED`, as `daily_sales` answers; `month` as `month_to_date` of
    `monthly_summary`.
    """

    day: date
    dimension: str
    keys: list[str]
    figures: Figures
    before: dict[str, dict[str, Any]]
    month: dict[str, Any]


def glance(*, scope: Scope | None = None) -> Glance | None:
    """The latest day with data and its month, of everything or of what a user looks after; None before any data."""
    day = latest_date()
    if day is None:
        return None
    dimension, keys = totals_of_scope(scope)
    first = day.replace(day=1)
    previous, last_year = (first - timedelta(days=1)).replace(day=1), first.replace(year=first.year - 1)
    of_keys: dict[str, Any] = {"dimension": dimension, "keys": keys}
    # Without gaps from the previous month on: yesterday and the same day of last week are among these days.
    days = figures_by_day(totals_of(**of_keys, first=previous, last=day))
    days |= figures_by_day(totals_of(**of_keys, first=last_year, last=last_year + timedelta(days=30)))
    now = days.get(day, Figures())
    return Glance(
        day=day,
        dimension=dimension,
        keys=keys,
        figures=now,
        before={
            name: {"date": day - back, **now.against(days.get(day - back, Figures()))}
            for name, back in COMPARED.items()
        },
        month=to_date(first, previous, last_year, days, last=day),
    )

"""Sums of lines in force by combinations that no table of totals has; they read every line, within a bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

from momo.core.errors import ValidationFailed
from momo.core.scope import Scope
from sales.figures import Figures
from sales.models import DayTotal
from sales.selectors.days import totals_of
from sales.selectors.lines import sum_of_totals

MAX_LINES = 1_000_000
COLUMNS = ("date", "brand", "pm", "category", "product_code")
Days = tuple[date, date]  # first and last, both included
Sums = dict[int, dict[tuple[Any, ...], Figures]]

# Adding up a line takes longer than reading it, so pages ask for what they show.
_QUANTITY, _AMOUNT = "sum(l.quantity)::bigint", "(sum(l.amount) * 100)::bigint"
_PROFIT = "(sum(l.gross_profit) * 100)::bigint"
_BASE = "(sum(l.amount) FILTER (WHERE l.gross_profit IS NOT NULL) * 100)::bigint"
# Quantity, amount, gross profit and margin base, by what is asked for; the others are left out.
WANTED = {
    "": (_QUANTITY, _AMOUNT, _PROFIT, _BASE),
    "amount": ("0", _AMOUNT, "NULL", "NULL"),
    "gross_profit": ("0", _AMOUNT, _PROFIT, _BASE),
    "quantity": (_QUANTITY, "0", "NULL", "NULL"),
}

# A line counts in each of the periods that it lies in. The lines of a day are stored next to each other.
SUMS = """
SELECT s.place, max(l.id), {columns}, count(*), {sums}
FROM unnest(%(firsts)s::date[], %(lasts)s::date[]) WITH ORDINALITY AS s(first, last, place)
JOIN sales_dayowner o ON o.date BETWEEN s.first AND s.last
JOIN sales_dayclaim c ON c.id = o.claim_id
JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
{where}
GROUP BY s.place, {columns}
"""


def check_lines(periods: Iterable[Days]) -> None:
    """Raise ValidationFailed (field `start_date`) if the periods have more than MAX_LINES lines together."""
    lines = sum(
        sum_of_totals(totals_of(dimension=DayTotal.Dimension.ALL, keys=[""], first=first, last=last)).lines
        for first, last in periods
    )
    if lines > MAX_LINES:
        raise ValidationFailed(
            fields={
                "start_date": [
                    f"這些期間共有 {lines:,} 列明細，最多能加總 {MAX_LINES:,} 列；請縮短期間，或改看全部的合計。"
                ]
            }
        )


def sums_from_lines(
    periods: Sequence[Days],
    columns: Sequence[str],
    *,
    keys: Mapping[str, str] | None = None,
    scope: Scope | None = None,
) -> Sums:
    """Figures without cost by the place of the period and the values of `columns`; see `read_lines`."""
    sums: Sums = {place: {} for place in range(len(periods))}
    for place, _, names, figures in read_lines(periods, columns, keys=keys, scope=scope):
        sums[place][names] = figures
    return sums


def read_lines(
    periods: Sequence[Days],
    columns: Sequence[str],
    *,
    keys: Mapping[str, str] | None = None,
    scope: Scope | None = None,
    measure: str = "",
) -> Iterator[tuple[int, int, tuple[Any, ...], Figures]]:
    """The place of the period, the newest line, the values of `columns` (of COLUMNS), and the figures without cost.

    Only lines with the values `keys` by column, and of the PMs or brands of `scope`. With `measure`, only what this
    needs is added up. Call `check_lines` before.
    """
    if unknown := {*columns, *(keys or {})} - {*COLUMNS}:
        raise ValueError(unknown)
    wanted = [f"l.{name} = %({name})s" for name in keys or {}]
    if scope is not None:
        wanted.append("(l.pm = ANY(%(scope_pms)s) OR l.brand = ANY(%(scope_brands)s))")
    quantity, amount, profit, base = WANTED[measure]
    sql = SUMS.format(
        columns=", ".join(f"l.{name}" for name in columns),
        sums=", ".join((quantity, amount, "NULL", profit, base)),
        where=f"WHERE {' AND '.join(wanted)}" if wanted else "",
    )
    values: dict[str, Any] = {
        **(keys or {}),
        "firsts": [first for first, _ in periods],
        "lasts": [last for _, last in periods],
        "scope_pms": sorted(scope.pms) if scope else [],
        "scope_brands": sorted(scope.brands) if scope else [],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    for place, line, *found in rows:
        yield place - 1, line, tuple(found[: len(columns)]), Figures(*found[len(columns) :])

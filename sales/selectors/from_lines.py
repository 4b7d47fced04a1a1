"""Sums by combinations that no table of totals has, or of periods by product.

They come from the sums of whole months that are made after imports (`services.product_months`). Days of months that are
not summed yet, and combinations that those sums have not, are read line by line, within a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection

from momo.core.errors import ValidationFailed
from momo.core.scope import Scope
from sales.figures import Figures
from sales.selectors.summed import SUMMED

MAX_LINES = 1_000_000
COMBINED = ("brand", "pm", "category")
PRODUCT = "product_code"
COLUMNS = ("date", *COMBINED, PRODUCT)
Days = tuple[date, date]  # first and last, both included
Sums = dict[int, dict[tuple[Any, ...], Figures]]

_BEGIN = f"""
WITH summed AS MATERIALIZED ({SUMMED}),
periods AS (
    SELECT * FROM unnest(%(firsts)s::date[], %(lasts)s::date[]) WITH ORDINALITY AS s(first, last, place)
)
"""  # noqa: S608 - constants only
# Of one snapshot with the months that are summed. The lines of a day are stored next to each other.
_LINES = """
SELECT s.place, l.id AS line, l.date, l.brand, l.pm, l.category, l.product_code, 1 AS lines, l.quantity::bigint,
       (l.amount * 100)::bigint AS amount, (l.cost * 100)::bigint AS cost, (l.gross_profit * 100)::bigint AS profit,
       CASE WHEN l.gross_profit IS NOT NULL THEN (l.amount * 100)::bigint END AS base
FROM periods s
JOIN sales_dayowner o ON o.date BETWEEN s.first AND s.last
JOIN sales_dayclaim c ON c.id = o.claim_id
JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
WHERE {without} {chosen}
"""
_WITHOUT = "date_trunc('month', o.date)::date NOT IN (SELECT month FROM summed)"
_COMBINATIONS = """
SELECT s.place, 0, l.date, l.brand, l.pm, l.category, NULL, l.lines, l.quantity, (l.amount * 100)::bigint,
       (l.cost * 100)::bigint, (l.gross_profit * 100)::bigint, (l.margin_base * 100)::bigint
FROM periods s
JOIN summed m ON m.month <= s.last AND s.first <= m.last
JOIN sales_daycombination l ON l.date BETWEEN greatest(s.first, m.month) AND least(s.last, m.last)
WHERE true {chosen}
"""
# `before` and `until` are the numbers of a product's days before the period, and until its end.
_PRODUCTS = """
SELECT s.place, p.newest_line, m.month, NULL, NULL, NULL, p.product_code,
       p.until_lines[until] - coalesce(p.until_lines[before], 0),
       p.until_quantity[until] - coalesce(p.until_quantity[before], 0),
       p.until_amount[until] - coalesce(p.until_amount[before], 0), NULL,
       CASE WHEN p.until_known[until] > coalesce(p.until_known[before], 0)
            THEN p.until_profit[until] - coalesce(p.until_profit[before], 0) END,
       CASE WHEN p.until_known[until] > coalesce(p.until_known[before], 0)
            THEN p.until_base[until] - coalesce(p.until_base[before], 0) END
FROM periods s
JOIN summed m ON m.month <= s.last AND s.first <= m.last
JOIN sales_productmonth p ON p.month = m.month
CROSS JOIN LATERAL (
    SELECT width_bucket((greatest(s.first, m.month) - m.month)::smallint, p.days) AS before,
           width_bucket((least(s.last, m.last) - m.month + 1)::smallint, p.days) AS until
    OFFSET 0
) AS days
WHERE until > before
"""
_SUMS = """
{begin}
SELECT place, max(line){columns}, sum(lines)::bigint, sum(quantity)::bigint, sum(amount)::bigint, sum(cost)::bigint,
       sum(profit)::bigint, sum(base)::bigint
FROM ({sources}) AS sold
GROUP BY place{columns}
"""
_COUNT = """
{begin}
SELECT coalesce(sum(o.lines), 0)::bigint FROM periods s
JOIN sales_daytotal o ON o.dimension = 'all' AND o.key = '' AND o.date BETWEEN s.first AND s.last
WHERE {without}
"""


def sums_from_lines(
    periods: Sequence[Days],
    columns: Sequence[str],
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    scope: Scope | None = None,
    most: int | None = None,
) -> Sums:
    """Figures by the place of the period and the values of `columns`; see `read_lines`."""
    sums: Sums = {place: {} for place in range(len(periods))}
    for place, _, found, figures in read_lines(periods, columns, names=names, scope=scope, most=most):
        sums[place][found] = figures
    return sums


def read_lines(
    periods: Sequence[Days],
    columns: Sequence[str],
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    scope: Scope | None = None,
    most: int | None = None,
) -> Iterator[tuple[int, int, tuple[Any, ...], Figures]]:
    """The place of the period, the newest line of a product, the values of `columns` (of COLUMNS), and the figures.

    Only lines with one of the `names` by column, and of the PMs or brands of `scope`. Products have no cost. Two
    queries; more than `most` lines (MAX_LINES) that have to be read raise ValidationFailed (field `start_date`).
    """
    chosen = {column: list(kept) for column, kept in (names or {}).items() if kept}
    if unknown := {*columns, *chosen} - {*COLUMNS}:
        raise ValueError(unknown)
    summed = _summed(columns, chosen, scope)
    values = _values(periods, chosen, scope)
    conditions = "".join(f"AND l.{column} = ANY(%({column})s) " for column in chosen)
    if scope is not None:
        conditions += "AND (l.pm = ANY(%(scope_pms)s) OR l.brand = ANY(%(scope_brands)s))"
    without = _WITHOUT if summed else "true"
    sources = [_LINES.format(without=without, chosen=conditions), summed.format(chosen=conditions)]
    sql = _SUMS.format(
        begin=_BEGIN,
        columns="".join(f", {column}" for column in columns),
        sources="UNION ALL".join(filter(None, sources)),
    )
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(begin=_BEGIN, without=without), values)
        _check(cursor.fetchone()[0], MAX_LINES if most is None else most, waits=bool(summed))
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    for place, line, *found in rows:
        yield place - 1, line, tuple(found[: len(columns)]), Figures(*found[len(columns) :])


def _summed(columns: Iterable[str], chosen: Mapping[str, Any], scope: Scope | None) -> str:
    """The source of whole months that has such sums; empty if none has."""
    if PRODUCT not in {*columns, *chosen}:
        return _COMBINATIONS
    return _PRODUCTS if [*columns] == [PRODUCT] and not chosen and scope is None else ""


def _values(periods: Sequence[Days], chosen: Mapping[str, list[str]], scope: Scope | None) -> dict[str, Any]:
    firsts, lasts = [first for first, _ in periods], [last for _, last in periods]
    return {
        **chosen,
        "firsts": firsts,
        "lasts": lasts,
        "begin": min(firsts).replace(day=1),
        "after": (max(lasts).replace(day=1) + timedelta(days=32)).replace(day=1),
        "scope_pms": sorted(scope.pms) if scope else [],
        "scope_brands": sorted(scope.brands) if scope else [],
    }


def _check(lines: int, most: int, *, waits: bool) -> None:
    if lines <= most:
        return
    cure = "請等匯入後的加總完成（約一分鐘）再試，或縮短期間" if waits else "請縮短期間，或改看全部的合計"
    raise ValidationFailed(
        fields={"start_date": [f"這些期間有 {lines:,} 列明細要逐列加總，最多能加總 {most:,} 列；{cure}。"]}
    )

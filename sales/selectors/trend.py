"""Sums over time by key. Reads totals only, so that its time does not grow with the number of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from momo.core.days import check_range
from sales.figures import NAMELESS, OTHERS
from sales.models import DayTotal
from sales.selectors.lines import latest_or_today

DAYS = 30  # by default
TOP, MAX_TOP = 10, 50
MAX_YEARS = 3
DIMENSIONS = ("brand", "pm", "category", "none")
INTERVALS = ("day", "week", "month")

# The keys with the largest amounts: by month totals for whole months, by day totals before and after these.
BIGGEST = """
SELECT key FROM (
    SELECT key, amount FROM sales_monthtotal
    WHERE dimension = %(dimension)s AND month >= %(first)s AND month < %(after)s
    UNION ALL
    SELECT key, amount FROM sales_daytotal
    WHERE dimension = %(dimension)s AND date >= %(start)s AND date < least(%(first)s, %(end)s + 1)
    UNION ALL
    SELECT key, amount FROM sales_daytotal
    WHERE dimension = %(dimension)s AND date >= %(after)s AND date <= %(end)s
) AS parts
GROUP BY key ORDER BY sum(amount) DESC, key LIMIT %(limit)s
"""

# Arrays, since a row for each day of each key takes longer to transfer than to read. Days are sums already.
SERIES = """
WITH points AS (
    SELECT t.dimension, t.key, {place} AS place, {sums}
    FROM unnest(%(dimensions)s::text[], %(keys)s::text[]) AS k(dimension, key)
    JOIN sales_daytotal t ON t.dimension = k.dimension AND t.key = k.key
    WHERE t.date BETWEEN %(start)s AND %(end)s
    {groups}
)
SELECT dimension, key, array_agg(place), array_agg(amount), array_agg(quantity), array_agg(profit)
FROM points
GROUP BY dimension, key
"""
# Gross profit of the other keys at the places where the whole minus the chosen keys does not give it: a difference of 0
# or NULL may mean no profit, no lines, or lines whose profit is unknown. Only there the other keys are read, by day.
# (Where the profit of the whole is unknown and an amount is left, the profit of the others is unknown too.)
OTHERS_PROFIT = """
UNION ALL
SELECT 'others', '', array_agg(place), array_agg(0), array_agg(0), array_agg(profit)
FROM (
    SELECT place, CASE WHEN sum(others.keys) = 0 OR sum(others.known) > 0 THEN 0 END AS profit
    FROM (
        SELECT place
        FROM (
            SELECT place, sum(CASE dimension WHEN 'all' THEN profit ELSE -profit END) AS profit_left,
                   sum(CASE dimension WHEN 'all' THEN amount ELSE -amount END) AS amount_left
            FROM points GROUP BY place
        ) AS sums
        WHERE profit_left = 0 OR (profit_left IS NULL AND amount_left = 0)
    ) AS doubtful
    JOIN (
        SELECT t.date, {place} AS place
        FROM generate_series(%(start)s::timestamp, %(end)s::timestamp, '1 day') AS g(day),
             LATERAL (SELECT g.day::date AS date) AS t
    ) AS days USING (place)
    CROSS JOIN LATERAL (
        SELECT count(*) AS keys, count(t.gross_profit) AS known FROM sales_daytotal t
        WHERE t.date = days.date AND t.dimension = %(dimension)s AND t.key <> ALL (%(chosen)s::text[])
    ) AS others
    GROUP BY place
) AS decided
HAVING count(*) > 0
"""
OF_DAYS = {
    "sums": "(t.amount * 100)::bigint AS amount, t.quantity, (t.gross_profit * 100)::bigint AS profit",
    "groups": "",
}
OF_MORE = {
    "sums": "(sum(t.amount) * 100)::bigint AS amount, sum(t.quantity)::bigint AS quantity, "
    "(sum(t.gross_profit) * 100)::bigint AS profit",
    "groups": "GROUP BY 1, 2, 3",
}
PLACES = {
    "day": "(t.date - %(base)s::date)",
    "week": "(t.date - %(base)s::date) / 7",
    "month": "(extract(year FROM t.date)::int * 12 + extract(month FROM t.date)::int "
    "- extract(year FROM %(base)s::date)::int * 12 - extract(month FROM %(base)s::date)::int)",
}


@dataclass
class _Series:
    """One key over time, by place (the index of its label): amounts and gross profits in cents, None if unknown."""

    amount: list[int]
    quantity: list[int]
    profit: list[int | None]

    @classmethod
    def of(cls, places: int, columns: tuple[Any, ...] | None = None) -> _Series:
        series = cls([0] * places, [0] * places, [0] * places)
        if columns:
            for place, amount, quantity, profit in zip(*columns, strict=True):
                series.amount[place], series.quantity[place], series.profit[place] = amount, quantity, profit
        return series

    def minus(self, parts: list[_Series], doubtful: Mapping[int, int | None]) -> _Series:
        """This series without `parts`; `doubtful` has the gross profits that the difference does not give."""
        amounts = zip(self.amount, *(part.amount for part in parts), strict=True)
        quantities = zip(self.quantity, *(part.quantity for part in parts), strict=True)
        profits = zip(self.profit, *(part.profit for part in parts), strict=True)
        left = [None if whole is None else whole - sum(each or 0 for each in taken) for whole, *taken in profits]
        for place, profit in doubtful.items():
            left[place] = profit
        return _Series(
            [whole - sum(taken) for whole, *taken in amounts],
            [whole - sum(taken) for whole, *taken in quantities],
            left,
        )

    def as_dict(self, key: str) -> dict[str, Any]:
        return {
            "key": key,
            # `dollars` inlined: a call for each of some 10,000 values would take longer than the query.
            "amount": [cents / 100 if cents % 100 else cents // 100 for cents in self.amount],
            "quantity": self.quantity,
            "gross_profit": [
                None if cents is None else cents / 100 if cents % 100 else cents // 100 for cents in self.profit
            ],
        }


def span(*, start: date | None = None, end: date | None = None) -> tuple[date, date]:
    """The first and the last day of a trend; by default the DAYS days up to the latest day with data.

    Raises ValidationFailed if the end is before the start, or the span is longer than MAX_YEARS.
    """
    if end is None:
        end = latest_or_today()
        end = max(end, start) if start else end
    start = start or end - timedelta(days=DAYS - 1)
    check_range(start, end, max_years=MAX_YEARS)
    return start, end


def trend(
    *,
    start: date,
    end: date,
    dimension: str = "none",
    interval: str = "day",
    top: int = TOP,
    keys: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Amount, quantity and gross profit from `start` to `end`, both included: one series, or one for each key.

    `dimension` is one of DIMENSIONS, `interval` of INTERVALS. The label of a week is its Monday and that of a month its
    first day, even if the span begins later. The `top` keys by amount come first, then the sum of all others as 其他;
    with `keys`, the series are these alone.
    """
    labels = labels_of(start, end, interval)
    more = False
    if dimension == "none":
        keys = []
    elif keys is None:
        keys, more = _biggest(start, end, dimension, top)
    found, doubtful = _read(start, end, interval, dimension, keys, labels, others=more)
    whole = found.pop((DayTotal.Dimension.ALL, ""), None) or _Series.of(len(labels))
    if dimension == "none":
        series = [whole.as_dict("合計")]
    else:
        chosen = [found.get((dimension, key)) or _Series.of(len(labels)) for key in keys]
        series = [one.as_dict(key or NAMELESS) for key, one in zip(keys, chosen, strict=True)]
        if more:
            series.append(whole.minus(chosen, doubtful).as_dict(OTHERS))
    return {
        "start_date": start,
        "end_date": end,
        "dimension": dimension,
        "interval": interval,
        "dates": [label.isoformat() for label in labels],
        "series": series,
    }


def labels_of(start: date, end: date, interval: str) -> list[date]:
    """The first day of each interval of a trend."""
    if interval == "month":
        base, count = start.year * 12 + start.month - 1, 1 + (end.year - start.year) * 12 + end.month - start.month
        return [date(month // 12, month % 12 + 1, 1) for month in range(base, base + count)]
    base_day = start - timedelta(days=start.weekday()) if interval == "week" else start
    step = 7 if interval == "week" else 1
    return [base_day + timedelta(days=number) for number in range(0, (end - base_day).days + 1, step)]


def _biggest(start: date, end: date, dimension: str, top: int) -> tuple[list[str], bool]:
    """The keys with the largest amounts, and whether there are others. A key named 其他 counts as one of the others."""
    first = start if start.day == 1 else _next_month(start)
    after = end + timedelta(days=1)
    after = after if after.day == 1 else end.replace(day=1)  # the day after the last whole month
    values: dict[str, Any] = {
        "dimension": dimension,
        "start": start,
        "end": end,
        "first": first,
        "after": max(first, after),
    }
    with connection.cursor() as cursor:
        cursor.execute(BIGGEST, {**values, "limit": top + 2})
        found = [key for (key,) in cursor.fetchall()]
    keys = [key for key in found if key != OTHERS]
    return keys[:top], len(keys) > top or len(keys) < len(found)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _read(
    start: date, end: date, interval: str, dimension: str, keys: Sequence[str], labels: list[date], *, others: bool
) -> tuple[dict[tuple[str, str], _Series], dict[int, int | None]]:
    """The series of the whole and of each key by (dimension, key); with `others`, also their doubtful gross profits."""
    values: dict[str, Any] = {
        "dimensions": [DayTotal.Dimension.ALL.value, *([dimension] * len(keys))],
        "keys": ["", *keys],
        "dimension": dimension,
        "chosen": list(keys),
        "start": start,
        "end": end,
        "base": labels[0],
    }
    sql = SERIES + OTHERS_PROFIT if others else SERIES
    found: dict[tuple[str, str], _Series] = {}
    doubtful: dict[int, int | None] = {}
    with connection.cursor() as cursor:
        parts = OF_DAYS if interval == "day" else OF_MORE
        cursor.execute(sql.format(place=PLACES[interval], **parts), values)
        for name, key, places, amounts, quantities, profits in cursor.fetchall():
            if name == "others":
                doubtful = dict(zip(places, profits, strict=True))
            else:
                found[name, key] = _Series.of(len(labels), (places, amounts, quantities, profits))
    return found, doubtful

"""Sums over time by key. Reads totals only: as long over ten million lines as over one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from momo.rest.errors import ValidationFailed
from sales.figures import NAMELESS, REST
from sales.models import DayTotal
from sales.selectors.lines import latest_or_today

DAYS = 30  # by default
TOP, MAX_TOP = 10, 50
MAX_YEARS = 3
MAX_DAYS = 366 + 365 * (MAX_YEARS - 1)
DIMENSIONS = ("brand", "pm", "category", "none")
INTERVALS = ("day", "week", "month")

# Which keys are the biggest: whole months by their sums, the days before and after by theirs.
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

# Arrays, since a row for each day of each key takes longer to carry than to read. Days are sums already.
COURSE = """
WITH courses AS (
    SELECT t.dimension, t.key, {place} AS place, {sums}
    FROM unnest(%(dimensions)s::text[], %(keys)s::text[]) AS k(dimension, key)
    JOIN sales_daytotal t ON t.dimension = k.dimension AND t.key = k.key
    WHERE t.date BETWEEN %(start)s AND %(end)s
    {groups}
)
SELECT dimension, key, array_agg(place), array_agg(amount), array_agg(quantity), array_agg(profit)
FROM courses
GROUP BY dimension, key
"""
# Where nothing is left of the gross profit, the rest may have made none, have no lines, or have lines of which nobody
# knows it. Only then are its keys looked at, day by day; and not where lines are left of which the whole tells none.
REST_COURSE = """
UNION ALL
SELECT 'rest', '', array_agg(place), array_agg(0), array_agg(0), array_agg(profit)
FROM (
    SELECT place, CASE WHEN sum(rest.keys) = 0 OR sum(rest.known) > 0 THEN 0 END AS profit
    FROM (
        SELECT place
        FROM (
            SELECT place, sum(CASE dimension WHEN 'all' THEN profit ELSE -profit END) AS profit_left,
                   sum(CASE dimension WHEN 'all' THEN amount ELSE -amount END) AS amount_left
            FROM courses GROUP BY place
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
    ) AS rest
    GROUP BY place
) AS told
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
class _Course:
    """One key over time: amounts and gross profits in cents, by place; a gross profit that no line tells is None."""

    amount: list[int]
    quantity: list[int]
    profit: list[int | None]

    @classmethod
    def over(cls, places: int, columns: tuple[Any, ...] | None = None) -> _Course:
        course = cls([0] * places, [0] * places, [0] * places)
        if columns:
            for place, amount, quantity, profit in zip(*columns, strict=True):
                course.amount[place], course.quantity[place], course.profit[place] = amount, quantity, profit
        return course

    def less(self, others: list[_Course], doubtful: Mapping[int, int | None]) -> _Course:
        """What is left of it without the others; `doubtful` tells the gross profits that the sums do not."""
        amounts = zip(self.amount, *(one.amount for one in others), strict=True)
        quantities = zip(self.quantity, *(one.quantity for one in others), strict=True)
        profits = zip(self.profit, *(one.profit for one in others), strict=True)
        left = [None if whole is None else whole - sum(part or 0 for part in parts) for whole, *parts in profits]
        for place, profit in doubtful.items():
            left[place] = profit
        return _Course(
            [whole - sum(parts) for whole, *parts in amounts],
            [whole - sum(parts) for whole, *parts in quantities],
            left,
        )

    def as_dict(self, key: str) -> dict[str, Any]:
        return {
            "key": key,
            # `dollars` written out: a call for each of some ten thousand values would take longer than the query.
            "amount": [cents / 100 if cents % 100 else cents // 100 for cents in self.amount],
            "quantity": self.quantity,
            "gross_profit": [
                None if cents is None else cents / 100 if cents % 100 else cents // 100 for cents in self.profit
            ],
        }


def span(*, start: date | None = None, end: date | None = None) -> tuple[date, date]:
    """The first and the last day of a trend: by default the DAYS up to the latest day with data.

    Raises ValidationFailed for a span that ends before it begins, or is longer than MAX_YEARS.
    """
    if end is None:
        end = latest_or_today()
        end = max(end, start) if start else end
    start = start or end - timedelta(days=DAYS - 1)
    if start > end:
        raise ValidationFailed(fields={"start_date": ["起始日不可晚於結束日"]})
    if (end - start).days + 1 > MAX_DAYS:
        raise ValidationFailed(fields={"start_date": [f"期間最長 {MAX_YEARS} 年，請縮短範圍"]})
    return start, end


def trend(*, start: date, end: date, dimension: str = "none", interval: str = "day", top: int = TOP) -> dict[str, Any]:
    """Amount, quantity and gross profit from `start` to `end`, both included: one series, or one for each key.

    `dimension` is one of DIMENSIONS, `interval` of INTERVALS; a week is named by its Monday and a month by its first
    day, also where the span begins later. The `top` keys by amount come first, the rest as 其他.
    """
    labels = _labels(start, end, interval)
    keys: list[str] = []
    more = False
    if dimension != "none":
        keys, more = _biggest(start, end, dimension, top)
    courses, doubtful = _courses(start, end, interval, dimension, keys, labels, rest=more)
    everything = courses.pop((DayTotal.Dimension.ALL, ""), None) or _Course.over(len(labels))
    if dimension == "none":
        series = [everything.as_dict("合計")]
    else:
        chosen = [courses.get((dimension, key)) or _Course.over(len(labels)) for key in keys]
        series = [course.as_dict(key or NAMELESS) for key, course in zip(keys, chosen, strict=True)]
        if more:
            series.append(everything.less(chosen, doubtful).as_dict(REST))
    return {
        "start_date": start,
        "end_date": end,
        "dimension": dimension,
        "interval": interval,
        "dates": [label.isoformat() for label in labels],
        "series": series,
    }


def _labels(start: date, end: date, interval: str) -> list[date]:
    if interval == "month":
        base, count = start.year * 12 + start.month - 1, 1 + (end.year - start.year) * 12 + end.month - start.month
        return [date(month // 12, month % 12 + 1, 1) for month in range(base, base + count)]
    base_day = start - timedelta(days=start.weekday()) if interval == "week" else start
    step = 7 if interval == "week" else 1
    return [base_day + timedelta(days=number) for number in range(0, (end - base_day).days + 1, step)]


def _biggest(start: date, end: date, dimension: str, top: int) -> tuple[list[str], bool]:
    """The biggest keys, and whether there are more. One that is called as the rest is part of it."""
    first = start if start.day == 1 else _next_month(start)
    # The month of the last day, unless that day ends it.
    after = end + timedelta(days=1)
    after = after if after.day == 1 else end.replace(day=1)
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
    keys = [key for key in found if key != REST]
    return keys[:top], len(keys) > top or len(keys) < len(found)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _courses(
    start: date, end: date, interval: str, dimension: str, keys: list[str], labels: list[date], *, rest: bool
) -> tuple[dict[tuple[str, str], _Course], dict[int, int | None]]:
    """The course of all and of each key; and with `rest` its gross profit at the places where that must be asked."""
    values: dict[str, Any] = {
        "dimensions": [DayTotal.Dimension.ALL.value, *([dimension] * len(keys))],
        "keys": ["", *keys],
        "dimension": dimension,
        "chosen": keys,
        "start": start,
        "end": end,
        "base": labels[0],
    }
    sql = COURSE + REST_COURSE if rest else COURSE
    courses: dict[tuple[str, str], _Course] = {}
    doubtful: dict[int, int | None] = {}
    with connection.cursor() as cursor:
        parts = OF_DAYS if interval == "day" else OF_MORE
        cursor.execute(sql.format(place=PLACES[interval], **parts), values)
        for name, key, places, amounts, quantities, profits in cursor.fetchall():
            if name == "rest":
                doubtful = dict(zip(places, profits, strict=True))
            else:
                courses[name, key] = _Course.over(len(labels), (places, amounts, quantities, profits))
    return courses, doubtful

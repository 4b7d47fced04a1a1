"""One day: its figures, comparisons, groups and lines. A fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from django.db import connection

from momo.core.errors import ValidationFailed
from sales.figures import NAMELESS, Figures, margin_of
from sales.models import DayTotal
from sales.selectors.groups import CENTS, groups
from sales.selectors.lines import latest_or_today, lines_of

COMPARED = {"previous_day": timedelta(days=1), "same_weekday_last_week": timedelta(days=7)}
PAGE = 50
Days = defaultdict[date, defaultdict[str, dict[str, Figures]]]

TOTALS = f"""
SELECT t.date, t.dimension, t.key, {CENTS.format("t")}
FROM sales_daytotal t
WHERE t.date = ANY(%(dates)s) AND t.dimension <> 'vendor' AND (t.date = %(day)s OR t.dimension = 'all')
"""  # noqa: S608 - names of columns

# Totals have one dimension each; a combination of filters needs the lines of these days.
FILTERED = """
SELECT date,
       CASE WHEN grouping(brand) = 0 THEN 'brand' WHEN grouping(pm) = 0 THEN 'pm'
            WHEN grouping(category) = 0 THEN 'category' ELSE 'all' END,
       coalesce(brand, pm, category, ''),
       count(*), sum(quantity)::bigint, (sum(amount) * 100)::bigint, (sum(cost) * 100)::bigint,
       (sum(gross_profit) * 100)::bigint, (sum(amount) FILTER (WHERE gross_profit IS NOT NULL) * 100)::bigint
FROM (
    SELECT l.*
    FROM sales_dayowner o
    JOIN sales_dayclaim c ON c.id = o.claim_id
    JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
    WHERE o.date = ANY(%(dates)s)
      AND (%(pm)s::text IS NULL OR l.pm = %(pm)s) AND (%(brand)s::text IS NULL OR l.brand = %(brand)s)
) AS chosen
GROUP BY GROUPING SETS ((date), (date, brand), (date, pm), (date, category))
"""

KNOWN = "SELECT EXISTS (SELECT FROM sales_daytotal WHERE dimension = %s AND key = %s)"


def daily_sales(
    *, day: date | None = None, pm: str = "", brand: str = "", start: int = 0, size: int = PAGE
) -> dict[str, Any]:
    """A day (the latest with data by default) and `size` of its lines from offset `start`; `total` counts all of them.

    `pm` and `brand` keep only lines with these values. Raises ValidationFailed for a value that no day has.
    """
    keys = {name: None if value == "" else _known(name, value) for name, value in (("pm", pm), ("brand", brand))}
    day = day or latest_or_today()
    days = _days(day, keys)
    whole = days[day][DayTotal.Dimension.ALL].get("", Figures())
    lines = lines_of(day).filter(**{name: key for name, key in keys.items() if key is not None})
    items = list(lines.values_list(*_ITEM.values())[start : start + size]) if start < whole.lines else []
    return {
        "date": day,
        "summary": whole.as_dict(),
        "comparison": {
            name: {
                "date": day - back,
                **whole.against(days[day - back][DayTotal.Dimension.ALL].get("", Figures())),
            }
            for name, back in COMPARED.items()
        },
        **groups(days[day], whole),
        "items": [_item(line) for line in items],
        "total": whole.lines,
    }


def _days(day: date, keys: dict[str, str | None]) -> Days:
    """Figures by day, dimension and key."""
    values = {"dates": [day, *(day - back for back in COMPARED.values())], "day": day, **keys}
    days: Days = defaultdict(lambda: defaultdict(dict))
    with connection.cursor() as cursor:
        cursor.execute(TOTALS if all(key is None for key in keys.values()) else FILTERED, values)
        for date_, dimension, key, *figures in cursor.fetchall():
            days[date_][dimension][key] = Figures(*figures)
    return days


def _known(dimension: str, value: str) -> str:
    key = "" if value == NAMELESS else value
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [dimension, key])
        (known,) = cursor.fetchone()
    if not known:
        label = DayTotal.Dimension(dimension).label
        raise ValidationFailed(fields={dimension: [f"銷售資料中沒有這個{label}：{value}"]})
    return key


_ITEM = {
    "id": "id",
    "product_id": "product_code",
    "product_name": "product_name",
    "brand": "brand",
    "category": "category",
    "pm": "pm",
    "vendor_code": "vendor_code",
    "vendor_name": "vendor_name",
    "quantity": "quantity",
    "amount": "amount",
    "cost": "cost",
    "gross_profit": "gross_profit",
}


def _item(line: tuple[Any, ...]) -> dict[str, Any]:
    item = dict(zip(_ITEM, line, strict=True))
    amount, profit = item["amount"], item["gross_profit"]
    item["margin"] = None if profit is None else margin_of(int(profit * 100), int(amount * 100))
    return item

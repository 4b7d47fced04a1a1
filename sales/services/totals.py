"""Totals of days and months: rebuilt from the lines in force, and compared with the sums of the claims in force."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db.backends.utils import CursorWrapper

# One lock for all reports, since totals of a day are over all of them.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('sales', 0))"

# All dimensions in one pass over the lines. The key is empty for the sum over all lines, and for lines without the
# field. A vendor's key is its code, else its name. Inserting in the order of the index is faster, and so is adding up
# integers (cents) instead of decimals.
REBUILD_DAYS = """
INSERT INTO sales_daytotal (date, dimension, key, lines, quantity, amount, cost, gross_profit, margin_base)
SELECT date,
       CASE WHEN grouping(brand) = 0 THEN 'brand' WHEN grouping(pm) = 0 THEN 'pm'
            WHEN grouping(category) = 0 THEN 'category' WHEN grouping(vendor) = 0 THEN 'vendor' ELSE 'all' END,
       coalesce(brand, pm, category, vendor, ''),
       count(*), sum(quantity), sum(amount) * 0.01, sum(cost) * 0.01, sum(gross_profit) * 0.01,
       sum(amount) FILTER (WHERE gross_profit IS NOT NULL) * 0.01
FROM (
    SELECT l.date, l.brand, l.pm, l.category, coalesce(nullif(l.vendor_code, ''), l.vendor_name) AS vendor,
           l.quantity, (l.amount * 100)::bigint AS amount, (l.cost * 100)::bigint AS cost,
           (l.gross_profit * 100)::bigint AS gross_profit
    FROM sales_dayowner o
    JOIN sales_dayclaim c ON c.id = o.claim_id
    JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
    WHERE o.date = ANY(%(dates)s)
) AS in_force
GROUP BY GROUPING SETS ((date), (date, brand), (date, pm), (date, category), (date, vendor))
ORDER BY 2, 3, 1
"""

REBUILD_MONTHS = """
INSERT INTO sales_monthtotal (month, dimension, key, lines, quantity, amount, cost, gross_profit, margin_base)
SELECT m.month, d.dimension, d.key, sum(d.lines), sum(d.quantity), sum(d.amount), sum(d.cost), sum(d.gross_profit),
       sum(d.margin_base)
FROM unnest(%(months)s::date[]) AS m(month)
JOIN sales_daytotal d ON d.date >= m.month AND d.date < m.month + interval '1 month'
GROUP BY m.month, d.dimension, d.key
"""

# Each dimension has the same lines, so its sum must be that of the claims in force; and a month must be its days' sum.
DAYS_OFF = """
WITH said AS (
    SELECT o.date, sum(c.lines) AS lines, sum(c.quantity) AS quantity, sum(c.amount) AS amount, sum(c.cost) AS cost,
           sum(c.gross_profit) AS gross_profit
    FROM sales_dayowner o JOIN sales_dayclaim c ON c.id = o.claim_id
    WHERE o.date = ANY(%(dates)s)
    GROUP BY o.date
), kept AS (
    SELECT date, dimension, sum(lines) AS lines, sum(quantity) AS quantity, sum(amount) AS amount, sum(cost) AS cost,
           sum(gross_profit) AS gross_profit
    FROM sales_daytotal WHERE date = ANY(%(dates)s)
    GROUP BY date, dimension
)
SELECT DISTINCT date
FROM (SELECT * FROM said CROSS JOIN unnest(ARRAY['all', 'brand', 'pm', 'category', 'vendor']) AS d(dimension)) s
FULL JOIN kept k USING (date, dimension)
WHERE (s.lines, s.quantity, s.amount, s.cost, s.gross_profit)
      IS DISTINCT FROM (k.lines, k.quantity, k.amount, k.cost, k.gross_profit)
ORDER BY date
"""
MONTHS_OFF = """
WITH days AS (
    SELECT m.month, d.dimension, sum(d.lines) AS lines, sum(d.quantity) AS quantity, sum(d.amount) AS amount,
           sum(d.cost) AS cost, sum(d.gross_profit) AS gross_profit
    FROM unnest(%(months)s::date[]) AS m(month)
    JOIN sales_daytotal d ON d.date >= m.month AND d.date < m.month + interval '1 month'
    GROUP BY m.month, d.dimension
), kept AS (
    SELECT month, dimension, sum(lines) AS lines, sum(quantity) AS quantity, sum(amount) AS amount, sum(cost) AS cost,
           sum(gross_profit) AS gross_profit
    FROM sales_monthtotal WHERE month = ANY(%(months)s)
    GROUP BY month, dimension
)
SELECT DISTINCT month FROM days d FULL JOIN kept k USING (month, dimension)
WHERE (d.lines, d.quantity, d.amount, d.cost, d.gross_profit)
      IS DISTINCT FROM (k.lines, k.quantity, k.amount, k.cost, k.gross_profit)
ORDER BY month
"""


def lock_sales(cursor: CursorWrapper) -> None:
    """Wait until no other transaction changes owners or totals of days. The lock ends with the transaction."""
    cursor.execute(LOCK)


def rebuild_totals(*, cursor: CursorWrapper, dates: Collection[date]) -> list[date]:
    """Rebuild the totals of `dates` and of their months from the lines in force. Call after `lock_sales`.

    Returns the days and months (by their first day) whose sums differ from those of the claims in force; none, unless
    this code or the data is wrong.
    """
    days = {"dates": sorted(dates)}
    months = {"months": sorted({day.replace(day=1) for day in dates})}
    cursor.execute("DELETE FROM sales_daytotal WHERE date = ANY(%(dates)s)", days)
    cursor.execute(REBUILD_DAYS, days)
    cursor.execute("DELETE FROM sales_monthtotal WHERE month = ANY(%(months)s)", months)
    cursor.execute(REBUILD_MONTHS, months)
    cursor.execute(DAYS_OFF, days)
    wrong = [day for (day,) in cursor.fetchall()]
    cursor.execute(MONTHS_OFF, months)
    return wrong + [month for (month,) in cursor.fetchall()]

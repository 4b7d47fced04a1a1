"""Sums of sales by product, and by brand, PM and category together, made after imports from the lines in force.

An import does not wait for them: a periodic task compares the claims in force of each month with those that its sums
are of, and sums those months again that differ. A task that is killed leaves a month as it was; the next one finds it.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from sales.models import ProductMonth, SummedMonth
from sales.selectors.summed import CLAIMS, outdated_months

# A month of 400,000 lines takes about a second; what is left over is summed by the next run of the task.
MONTHS_AT_ONCE = 12

LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('sales product months', 0))"
# One pass over the lines. Lines and digest are of one snapshot: an import that commits meanwhile is in both or neither.
SUM = f"""
WITH sold AS MATERIALIZED (
    SELECT l.date, l.brand, l.pm, l.category, l.product_code, grouping(l.product_code) = 0 AS of_product,
           max(l.id) AS line, count(*) AS lines, count(l.gross_profit) AS known, sum(l.quantity)::bigint AS quantity,
           sum((l.amount * 100)::bigint)::bigint AS amount, sum((l.cost * 100)::bigint)::bigint AS cost,
           sum((l.gross_profit * 100)::bigint)::bigint AS profit,
           sum((l.amount * 100)::bigint) FILTER (WHERE l.gross_profit IS NOT NULL)::bigint AS base
    FROM sales_dayowner o
    JOIN sales_dayclaim c ON c.id = o.claim_id
    JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
    WHERE o.date >= %(month)s AND o.date < %(month)s + interval '1 month'
    GROUP BY GROUPING SETS ((l.date, l.product_code), (l.date, l.brand, l.pm, l.category))
), products AS (
    INSERT INTO sales_productmonth (
        month, product_code, days, quantities, amounts, until_lines, until_quantity, until_amount, until_known,
        until_profit, until_base, newest_line)
    SELECT %(month)s, product_code, array_agg(extract(day FROM date)::smallint ORDER BY date),
           array_agg(quantity ORDER BY date), array_agg(amount * 0.01 ORDER BY date),
           array_agg(lines_sum ORDER BY date), array_agg(quantity_sum ORDER BY date),
           array_agg(amount_sum ORDER BY date), array_agg(known_sum ORDER BY date),
           array_agg(profit_sum ORDER BY date), array_agg(base_sum ORDER BY date), max(line)
    FROM (
        SELECT product_code, date, line, quantity, amount, sum(lines) OVER so_far AS lines_sum,
               sum(quantity) OVER so_far AS quantity_sum, sum(amount) OVER so_far AS amount_sum,
               sum(known) OVER so_far AS known_sum, coalesce(sum(profit) OVER so_far, 0) AS profit_sum,
               coalesce(sum(base) OVER so_far, 0) AS base_sum
        FROM sold WHERE of_product
        WINDOW so_far AS (PARTITION BY product_code ORDER BY date)
    ) AS days
    GROUP BY product_code
), combinations AS (
    INSERT INTO sales_daycombination (
        date, brand, pm, category, lines, quantity, amount, cost, gross_profit, margin_base)
    SELECT date, brand, pm, category, lines, quantity, amount * 0.01, cost * 0.01, profit * 0.01, base * 0.01
    FROM sold WHERE NOT of_product
)
SELECT {CLAIMS} FROM sales_dayowner WHERE date >= %(month)s AND date < %(month)s + interval '1 month'
"""  # noqa: S608 - constants only
EMPTY = """
DELETE FROM sales_daycombination WHERE date >= %(month)s AND date < %(month)s + interval '1 month'
"""


def sum_product_months() -> int:
    """Sum the outdated months, the newest first, each in one transaction. Returns how many were summed."""
    done = 0
    for month in outdated_months()[:MONTHS_AT_ONCE]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK)
            if not cursor.fetchone()[0]:
                break  # another worker is at it
            ProductMonth.objects.filter(month=month).delete()
            cursor.execute(EMPTY, {"month": month})
            cursor.execute(SUM, {"month": month})
            (claims,) = cursor.fetchone()
            if claims is None:  # no import is in force any more
                SummedMonth.objects.filter(month=month).delete()
            else:
                values = {"claims": claims, "summed_at": timezone.now()}
                SummedMonth.objects.update_or_create(month=month, defaults=values)
        done += 1
    return done

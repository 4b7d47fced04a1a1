"""Sums of sales by product and day, made after imports from the lines in force.

An import does not wait for them: a periodic task compares the claims in force of each month with those that its sums
are of, and sums those months again that differ. A task that is killed leaves a month as it was; the next one finds it.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from sales.models import ProductMonth, SummedMonth
from sales.selectors.products import CLAIMS, outdated_months

# A month of 400,000 lines takes about a second; what is left over is summed by the next run of the task.
MONTHS_AT_ONCE = 12

LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('sales product months', 0))"
# Lines and digest are of one snapshot: an import that commits meanwhile is in both or in neither.
SUM = f"""
WITH summed AS (
    INSERT INTO sales_productmonth (month, product_code, days, quantities, amounts)
    SELECT %(month)s, product_code, array_agg(day ORDER BY day), array_agg(quantity ORDER BY day),
           array_agg(amount ORDER BY day)
    FROM (
        SELECT l.product_code COLLATE "C" AS product_code, extract(day FROM l.date)::smallint AS day,
               sum(l.quantity)::bigint AS quantity, sum((l.amount * 100)::bigint) * 0.01 AS amount
        FROM sales_dayowner o
        JOIN sales_dayclaim c ON c.id = o.claim_id
        JOIN sales_salesline l ON l.date = o.date AND l.job_id = c.lines_job_id
        WHERE o.date >= %(month)s AND o.date < %(month)s + interval '1 month'
        GROUP BY 1, l.date
    ) AS sold
    GROUP BY product_code
)
SELECT {CLAIMS} FROM sales_dayowner WHERE date >= %(month)s AND date < %(month)s + interval '1 month'
"""  # noqa: S608 - constants only


def sum_product_months() -> int:
    """Sum the outdated months, the newest first, each in one transaction. Returns how many were summed."""
    done = 0
    for month in outdated_months()[:MONTHS_AT_ONCE]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK)
            if not cursor.fetchone()[0]:
                break  # another worker is at it
            ProductMonth.objects.filter(month=month).delete()
            cursor.execute(SUM, {"month": month})
            (claims,) = cursor.fetchone()
            if claims is None:  # no import is in force any more
                SummedMonth.objects.filter(month=month).delete()
            else:
                values = {"claims": claims, "summed_at": timezone.now()}
                SummedMonth.objects.update_or_create(month=month, defaults=values)
        done += 1
    return done

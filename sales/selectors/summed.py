"""Which months have sums by product and by combination that are of the claims in force (`services.product_months`)."""

from __future__ import annotations

from datetime import date

from django.db import connection

# Of the claims in force for a day or a month; the same text wherever it is compared.
DIGEST = "md5(string_agg(claim_id::text, ',' ORDER BY date, source))"
# As a SummedMonth has it. The number is of the sums that are made; to a version that makes others they are outdated.
CLAIMS = f"'2 ' || {DIGEST}"

# Months between two days (the first days of months) whose sums are of the claims in force, and their last days.
SUMMED = f"""
SELECT days.month, days.last
FROM (
    SELECT date_trunc('month', date)::date AS month, max(date) AS last, {CLAIMS} AS claims
    FROM sales_dayowner WHERE date >= %(begin)s AND date < %(after)s GROUP BY 1
) AS days
JOIN sales_summedmonth s ON s.month = days.month AND s.claims = days.claims
"""  # noqa: S608 - constants only

OUTDATED = f"""
SELECT month
FROM (SELECT date_trunc('month', date)::date AS month, {CLAIMS} AS claims FROM sales_dayowner GROUP BY 1) AS days
FULL JOIN sales_summedmonth s USING (month)
WHERE days.claims IS DISTINCT FROM s.claims
ORDER BY month DESC
"""  # noqa: S608 - constants only


def outdated_months() -> list[date]:
    """Months whose sums are not of the claims in force, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(OUTDATED)
        return [month for (month,) in cursor.fetchall()]

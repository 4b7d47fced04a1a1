"""What only the admin's pages ask."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet

from sales.models import DayClaim, DayTotal

CHART_DAYS = 60


def claims_of_day(*, date: date, source: str) -> QuerySet[DayClaim]:
    """All versions of a day, that of the newest import first, each with its import."""
    return DayClaim.objects.filter(date=date, source=source).select_related("job__created_by").order_by("-job_id")


def chart_of_days(*, days: int = CHART_DAYS) -> dict[str, Any]:
    """`dates`, `amount` and `gross_profit` (New Taiwan dollars) of the last `days` days with sales, oldest first."""
    totals = DayTotal.objects.filter(dimension=DayTotal.Dimension.ALL).order_by("-date")
    rows = list(totals.values_list("date", "amount", "gross_profit")[:days])[::-1]
    return {
        "dates": [day.isoformat() for day, _, _ in rows],
        "amount": [float(amount) for _, amount, _ in rows],
        "gross_profit": [None if profit is None else float(profit) for _, _, profit in rows],
    }

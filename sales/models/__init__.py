"""The tables of sales."""

from sales.models.lines import DayClaim, DayOwner, SalesLine
from sales.models.totals import DayTotal, MonthTotal, Total

__all__ = ["DayClaim", "DayOwner", "DayTotal", "MonthTotal", "SalesLine", "Total"]

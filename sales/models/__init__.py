"""The tables of sales."""

from sales.models.alarms import Alarm, CheckedDay
from sales.models.campaigns import Campaign, CampaignYear, DayNote
from sales.models.lines import DayClaim, DayOwner, SalesLine
from sales.models.products import DayCombination, ProductMonth, SummedMonth
from sales.models.targets import Target
from sales.models.totals import DayTotal, MonthTotal, Total

__all__ = [
    "Alarm",
    "Campaign",
    "CampaignYear",
    "CheckedDay",
    "DayClaim",
    "DayCombination",
    "DayNote",
    "DayOwner",
    "DayTotal",
    "MonthTotal",
    "ProductMonth",
    "SalesLine",
    "SummedMonth",
    "Target",
    "Total",
]

"""Above lists of sales: the usual spans of days, and the sums of what is listed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from momo.admin.kit.display import NO_VALUE, money, thousands
from momo.core.formats import percent
from sales.figures import Figures, dollars

EXPORTS = {"excel": "Excel", "csv": "CSV"}


def spans(today: date) -> dict[str, tuple[date, date]]:
    """First and last day of each usual span, by its title."""
    yesterday, month = today - timedelta(days=1), today.replace(day=1)
    last_of_before = month - timedelta(days=1)
    return {
        "今天": (today, today),
        "昨天": (yesterday, yesterday),
        "近 7 天": (today - timedelta(days=6), today),
        "近 30 天": (today - timedelta(days=29), today),
        "本月": (month, today),
        "上月": (last_of_before.replace(day=1), last_of_before),
    }


def presets_of(changelist: Any) -> list[tuple[str, str, bool]]:
    """Title, address and whether it is chosen, of each span; other filters of the list stay."""
    found = []
    for title, (first, last) in spans(timezone.localdate()).items():
        asked = {"date_from": f"{first:%Y-%m-%d}", "date_to": f"{last:%Y-%m-%d}"}
        chosen = all(changelist.params.get(name) == value for name, value in asked.items())
        found.append((title, changelist.get_query_string(asked, ["p"]), chosen))
    return found


def exports_of(changelist: Any) -> list[tuple[str, str]]:
    """Title and address of each file with the lines that the list finds."""
    asked = changelist.get_query_string(remove=["p"])
    return [(title, reverse("admin:sales_salesline_export", args=[kind]) + asked) for kind, title in EXPORTS.items()]


def figures_of(sums: Figures) -> list[tuple[str, str]]:
    """Title and value of each sum."""
    margin = sums.margin
    return [
        ("列數", thousands(sums.lines)),
        ("數量", thousands(sums.quantity)),
        ("業績", money(dollars(sums.amount))),
        ("成本", money(dollars(sums.cost))),
        ("毛利", money(dollars(sums.gross_profit))),
        ("毛利率", NO_VALUE if margin is None else percent(margin, places=1, fixed=True)),
    ]

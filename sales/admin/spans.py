"""Above lists of sales: the usual spans of days, and the sums of what is listed."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from momo.admin.kit.display import NO_VALUE, money, thousands
from momo.admin.kit.tables import BaseChangeList
from momo.core.formats import percent
from sales.figures import Figures, dollars


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


class SalesChangeList(BaseChangeList):
    """A list of sales with sums of what it finds, and usual spans; `sums` are set by `get_queryset`."""

    sums: Figures

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """Title, address and whether it is chosen, of each usual span of days; other filters of the list stay."""
        found = []
        for title, (first, last) in spans(timezone.localdate()).items():
            asked = {"date_from": f"{first:%Y-%m-%d}", "date_to": f"{last:%Y-%m-%d}"}
            chosen = all(self.params.get(name) == value for name, value in asked.items())
            found.append((title, self.get_query_string(asked), chosen))
        return found

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Title and value of each sum."""
        sums, margin = self.sums, self.sums.margin
        return [
            ("列數", thousands(sums.lines)),
            ("銷量", thousands(sums.quantity)),
            ("業績", money(dollars(sums.amount))),
            ("成本", money(dollars(sums.cost))),
            ("毛利", money(dollars(sums.gross_profit))),
            ("毛利率", NO_VALUE if margin is None else percent(margin, places=1, fixed=True)),
        ]

"""Above lists of sales: the usual spans of days, and the sums of what is listed."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from momo.admin.kit.display import NO_VALUE, money, thousands
from momo.admin.kit.periods import usual_periods
from momo.admin.kit.tables import BaseChangeList
from momo.core.formats import percent
from momo.core.periods import Period
from sales.figures import Figures, dollars


def periods(today: date) -> dict[str, Period]:
    """The usual periods of a list, by title."""
    usual = usual_periods(today)
    running = {f"近 {days} 天": Period(today - timedelta(days=days - 1), today) for days in (7, 30)}
    return {name: usual[name] for name in ("今天", "昨天")} | running | {name: usual[name] for name in ("本月", "上月")}


class SalesChangeList(BaseChangeList):
    """A list of sales with sums of what it finds, and usual spans; `sums` are set by `get_queryset`."""

    sums: Figures

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """Title, address and whether it is chosen, of each usual span of days; other filters of the list stay."""
        found = []
        for title, period in periods(timezone.localdate()).items():
            asked = {"date_from": f"{period.first}", "date_to": f"{period.last}"}
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

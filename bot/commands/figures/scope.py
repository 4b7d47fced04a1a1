"""The days and the name that a reply is about, and their figures as text, JSON and chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from bot.registry import Picture
from bot.texts import NONE, bold, change, escape, whole
from bot.words.names import Name
from momo.charts import FontMissing, bar_chart
from momo.core.days import each_day
from momo.core.formats import percent, percent_of
from momo.core.periods import Period, day_label, month_of
from sales.figures import Figures, dollars
from sales.models import DayTotal
from sales.selectors.days import totals_of
from sales.selectors.lines import sum_of_totals

WEEK = timedelta(days=7)
_SHOWN = (("業績", "amount", "元"), ("毛利", "gross_profit", "元"), ("銷量", "quantity", "件"))


@dataclass(frozen=True)
class Scope:
    """The days and the name that a reply is about. Data end on `latest`."""

    period: Period
    latest: date
    name: Name | None = None

    @property
    def last(self) -> date:
        """The last day that counts."""
        return min(self.period.last, self.latest)

    @property
    def compared(self) -> list[tuple[str, Period]]:
        """The earlier periods of comparison."""
        return self.period.compared(self.last)

    @property
    def days(self) -> int:
        """How many days count."""
        return (self.last - self.period.first).days + 1

    @property
    def dates(self) -> list[date]:
        """The days that count."""
        return each_day(self.period.first, self.last)

    def sum(self, period: Period) -> Figures:
        """The figures of a period."""
        return sum_of_totals(self.totals(period))

    def totals(self, period: Period) -> QuerySet[DayTotal]:
        """The totals by day of a period."""
        dimension, key = (self.name.dimension, self.name.key) if self.name else ("all", "")
        return totals_of(dimension=dimension, keys=[key], first=period.first, last=period.last)

    @property
    def heading(self) -> list[str]:
        """The period, how far its data go, and the filter."""
        so_far = f"（資料到 {day_label(self.last)}）" if self.last < self.period.last else ""
        return [bold(self.period.label) + so_far, *([f"條件：{escape(self.name.label)}"] if self.name else [])]

    @property
    def data(self) -> dict[str, Any]:
        """The scope as JSON."""
        return {
            "start_date": self.period.first.isoformat(),
            "end_date": self.last.isoformat(),
            "latest_date": self.latest.isoformat(),
            "filter": {self.name.dimension: self.name.shown} if self.name else {},
        }


def figures_of(scope: Scope) -> tuple[list[str], dict[str, Any]]:
    """The figures of a scope, each with its comparisons; as lines and as JSON."""
    now = scope.sum(scope.period.until(scope.last))
    compared = [(label, period, now.against(scope.sum(period))) for label, period in scope.compared]
    shown = now.as_dict()
    text = list(scope.heading)
    for label, name, unit in _SHOWN:
        rates = "，".join(f"比{than} {change(then['change_percent'][name])}" for than, _, then in compared)
        text += [f"{label} {bold(whole(shown[name]))} {unit}", f"　{rates}"]
    margins = "，".join(f"{than} {_percent(then['margin'])}" for than, _, then in compared)
    text += [f"毛利率 {bold(_percent(shown['margin']))}（{margins}）"]
    if not now.lines:
        text.append("這段期間沒有符合條件的銷售。")
    comparison = [
        {"label": label, "start_date": period.first.isoformat(), "end_date": period.last.isoformat(), **then}
        for label, period, then in compared
    ]
    return text, {**scope.data, "summary": shown, "comparison": comparison}


def amounts_of(scope: Scope) -> dict[date, Decimal]:
    """Amounts of the days with data, from a week before the scope on."""
    span = Period(scope.period.first - WEEK, scope.last)
    return dict(scope.totals(span).values_list("date", "amount"))


def daily(scope: Scope, amounts: Mapping[date, Decimal]) -> list[str]:
    """A line for each day, compared with the same weekday of the week before."""
    text = ["每日業績（與上週同日比）"]
    for day in scope.dates:
        then = amounts.get(day - WEEK, Decimal(0))
        rate = percent_of(amounts[day] - then, abs(then)) if day in amounts else None
        value = f"{bold(whole(amounts[day]))} {change(rate)}" if day in amounts else "沒有資料"
        text.append(f"{day_label(day)[5:]} {value}")
    return text


def picture_of(scope: Scope, amounts: Mapping[date, Decimal]) -> tuple[Picture | None, str]:
    """A bar for each day of a longer period; without a chart that it deserves, why."""
    values = [float(amounts[day]) if day in amounts else None for day in scope.dates]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None, ""
    days = scope.period.label.removesuffix("（週一至週日）")
    about = f"{scope.name.shown} {days}" if scope.name else days
    try:
        png = bar_chart(scope.dates, values, title=f"業績 {about}")
    except FontMissing as missing:
        return None, missing.message
    alt = f"{about} 每日業績：{whole(min(known))} 至 {whole(max(known))} 元"
    return Picture(png, f"sales-{scope.period.text.replace('~', '-')}.png", alt), ""


def month_to_date(scope: Scope) -> list[str]:
    """The month up to the day of the scope, beside as many days of the month before and of the year before."""
    to_date = Scope(month_of(scope.last), scope.last)
    now = to_date.sum(to_date.period.until(to_date.last))
    rates = "，".join(
        f"比{label} {change(now.against(to_date.sum(period))['change_percent']['amount'])}"
        for label, period in to_date.compared
    )
    return [f"本月累計業績 {bold(whole(dollars(now.amount)))} 元", f"　{rates}"]


def _percent(value: float | None) -> str:
    return NONE if value is None else percent(value, places=1)

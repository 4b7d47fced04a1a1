"""Periods of days in reports: a day, a week, a month or a range, and the earlier ones that each is compared with."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def kind(self) -> str:
        """`day`, `month`, `week` (Monday to Sunday) or `range`: what the period is compared with."""
        if self.first == self.last:
            return "day"
        if self == month_of(self.first):
            return "month"
        return "week" if self == week_of(self.first) else "range"

    @property
    def text(self) -> str:
        """The period as an argument of a command."""
        if self.kind == "day":
            return self.first.isoformat()
        return f"{self.first:%Y-%m}" if self.kind == "month" else f"{self.first}~{self.last}"

    @property
    def label(self) -> str:
        """The period for readers."""
        if self.kind == "day":
            return day_label(self.first)
        if self.kind == "month":
            return f"{self.first.year} 年 {self.first.month} 月"
        return f"{self.first:%Y/%m/%d}–{self.last:%Y/%m/%d}" + ("（週一至週日）" if self.kind == "week" else "")

    def compared(self, last: date) -> list[tuple[str, Period]]:
        """Two earlier periods with their labels. Data end on `last`; what goes on is compared with as many days."""
        days = (last - self.first).days + 1
        so_far = last < self.last
        if self.kind == "day":
            return [("前一天", self._back(1, last)), ("上週同日", self._back(7, last))]
        if self.kind == "week":
            same = "同期" if so_far else ""
            return [(f"前一週{same}", self._back(7, last)), ("去年同週", self._back(364, last))]
        if self.kind == "month":
            before = month_of(self.first - timedelta(days=1)), month_of(self.first.replace(year=self.first.year - 1))
            shown = [one.until(one.first + timedelta(days=days - 1)) if so_far else one for one in before]
            labels = ("上個月同期", "去年同期") if so_far else ("前一個月", "去年同月")
            return list(zip(labels, shown, strict=True))
        year_ago = Period(_year_back(self.first), _year_back(last))
        return [(f"前 {days} 天", self._back(days, last)), ("去年同期", year_ago)]

    def until(self, last: date) -> Period:
        """The period cut off after `last`."""
        return Period(self.first, min(self.last, last))

    def _back(self, days: int, last: date) -> Period:
        return Period(self.first - timedelta(days=days), last - timedelta(days=days))


def day_label(day: date) -> str:
    """`2026/11/29（週日）`."""
    return f"{day:%Y/%m/%d}（週{WEEKDAYS[day.weekday()]}）"


def day_of(day: date) -> Period:
    """A period of one day."""
    return Period(day, day)


def week_of(day: date) -> Period:
    """Monday to Sunday around `day`."""
    monday = day - timedelta(days=day.weekday())
    return Period(monday, monday + timedelta(days=6))


def month_of(day: date) -> Period:
    """The month of `day`."""
    return Period(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


def year_of(day: date) -> Period:
    """The year of `day`."""
    return Period(date(day.year, 1, 1), date(day.year, 12, 31))


def _year_back(day: date) -> date:
    """The same day a year earlier; February 28 for February 29."""
    return day.replace(year=day.year - 1, day=min(day.day, monthrange(day.year - 1, day.month)[1]))

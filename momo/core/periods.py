"""Periods of days: a day, a week, a month or a range, and the earlier ones that each is compared with."""

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

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    def back(self, days: int) -> Period:
        """As many days, `days` earlier."""
        return Period(self.first - timedelta(days=days), self.last - timedelta(days=days))

    def beginning(self, first: date) -> Period:
        """As many days from `first` on."""
        return Period(first, first + timedelta(days=self.days - 1))

    @property
    def before(self) -> Period:
        """As many days right before it; the month before a whole month."""
        return month_of(self.first - timedelta(days=1)) if self.kind == "month" else self.back(self.days)

    @property
    def month_before(self) -> Period:
        """As many days from the same day of the month before; of a whole month that month."""
        return self.before if self.kind == "month" else self.beginning(months_back(self.first, 1))

    @property
    def year_before(self) -> Period:
        """As many days from the same day of the year before; of a whole month that month."""
        first = months_back(self.first, 12)
        return month_of(first) if self.kind == "month" else self.beginning(first)

    def compared(self, last: date) -> list[tuple[str, Period]]:
        """Two earlier periods with their labels. Data end on `last`; what goes on is compared with as many days."""
        shown = Period(self.first, last)
        so_far = last < self.last
        if self.kind == "day":
            return [("前一天", shown.back(1)), ("上週同日", shown.back(7))]
        if self.kind == "week":
            same = "同期" if so_far else ""
            return [(f"前一週{same}", shown.back(7)), ("去年同週", shown.back(364))]
        if self.kind == "month":
            earlier = month_of(self.first - timedelta(days=1)), month_of(months_back(self.first, 12))
            labels = ("上個月同期", "去年同期") if so_far else ("前一個月", "去年同月")
            cut = [one.until(one.first + timedelta(days=shown.days - 1)) if so_far else one for one in earlier]
            return list(zip(labels, cut, strict=True))
        year_ago = Period(months_back(self.first, 12), months_back(last, 12))
        return [(f"前 {shown.days} 天", shown.back(shown.days)), ("去年同期", year_ago)]

    def until(self, last: date) -> Period:
        """The period cut off after `last`."""
        return Period(self.first, min(self.last, last))


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


def months_back(day: date, months: int) -> date:
    """The same day `months` earlier (later if negative), or the last day of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

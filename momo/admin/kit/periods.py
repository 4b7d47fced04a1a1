"""Periods that a page shows: the usual ones, and those that its address names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django import forms

from momo.core.days import EARLIEST, LATEST
from momo.core.errors import ValidationFailed


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    @property
    def label(self) -> str:
        """`2026-01-29`, or `2026-01-01 到 2026-01-29`."""
        return f"{self.first}" if self.first == self.last else f"{self.first} 到 {self.last}"

    @property
    def is_month(self) -> bool:
        """Whether it is a whole month."""
        return self.first.day == 1 and self.last == month_of(self.first).last

    def back(self, days: int) -> Span:
        """As many days, `days` earlier."""
        return Span(self.first - timedelta(days=days), self.last - timedelta(days=days))

    def beginning(self, first: date) -> Span:
        """As many days from `first` on."""
        return Span(first, first + timedelta(days=self.days - 1))

    @property
    def before(self) -> Span:
        """As many days right before it; the month before a whole month."""
        return month_of(self.first - timedelta(days=1)) if self.is_month else self.back(self.days)

    @property
    def month_before(self) -> Span:
        """As many days from the same day of the month before; of a whole month that month."""
        return self.before if self.is_month else self.beginning(months_back(self.first, 1))

    @property
    def year_before(self) -> Span:
        """As many days from the same day of the year before; of a whole month that month."""
        first = months_back(self.first, 12)
        return month_of(first) if self.is_month else self.beginning(first)


def months_back(day: date, months: int) -> date:
    """The same day `months` earlier (later if negative), or the last day of a month that is shorter."""
    month = day.year * 12 + day.month - 1 - months
    last = month_of(date(month // 12, month % 12 + 1, 1)).last
    return last.replace(day=min(day.day, last.day))


def month_of(day: date) -> Span:
    """The month of `day`."""
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Span(first, following - timedelta(days=1))


def usual_spans(today: date) -> dict[str, Span]:
    """The usual periods by their titles; a week is Monday to Sunday."""
    month, monday = month_of(today), today - timedelta(days=today.weekday())
    return {
        "今天": Span(today, today),
        "昨天": Span(today, today).back(1),
        "上週": Span(monday, monday + timedelta(days=6)).back(7),
        "本月": Span(month.first, today),
        "上月": month_of(month.first - timedelta(days=1)),
    }


class SpanForm(forms.Form):
    """First and last day in a page's address."""

    start_date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    end_date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    def days(self) -> tuple[date | None, date | None]:
        """First and last day, None where none is given. Raises ValidationFailed."""
        days = tuple(asked_day(self, name) for name in ("start_date", "end_date"))
        return days[0], days[1]


def asked_day(form: forms.Form, name: str) -> date | None:
    """The day in a field of a form, None if it is empty. Raises ValidationFailed (field `start_date`)."""
    form.is_valid()
    if name in form.errors:
        raise ValidationFailed(fields={"start_date": ["請輸入有效的日期"]})
    day: date | None = form.cleaned_data[name]
    if day and not EARLIEST <= day <= LATEST:
        raise ValidationFailed(fields={"start_date": ["日期超出可用範圍"]})
    return day

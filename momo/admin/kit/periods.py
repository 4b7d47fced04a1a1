"""Periods that a page shows: the usual ones, and those that its address names."""

from __future__ import annotations

from datetime import date

from django import forms

from momo.core.days import EARLIEST, LATEST
from momo.core.errors import ValidationFailed
from momo.core.periods import Period, day_of, month_of, week_of


def usual_periods(today: date) -> dict[str, Period]:
    """The usual periods by their titles; a week is Monday to Sunday."""
    month = month_of(today)
    return {
        "今天": day_of(today),
        "昨天": day_of(today).back(1),
        "上週": week_of(today).back(7),
        "本月": month.until(today),
        "上月": month.before,
    }


class PeriodForm(forms.Form):
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

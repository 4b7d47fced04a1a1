"""What the pages of the sales board share: tabs, periods of the address, links to lines, and what charts shade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from momo.admin.kit import mine
from momo.admin.kit.figures import FigureTable, export_response, page_address
from momo.admin.kit.periods import PeriodForm, asked_day, usual_periods
from momo.core.days import each_day
from momo.core.errors import ValidationFailed
from momo.core.periods import Period
from sales.addresses import address_of_lines
from sales.figures import exact_dollars
from sales.selectors.campaigns import Mark, campaign_presets, days_marked
from sales.selectors.lines import latest_or_today

TITLE = "銷售看板"
VIEW = "sales.view_dayowner"  # the permission of all these pages
TABS = {
    "sales_board": "單日",
    "sales_board_month": "月曆",
    "sales_board_trend": "趨勢",
    "sales_board_movers": "漲跌排行",
    "sales_board_contribution": "增減貢獻",
}
DIMENSIONS = {"brand": "品牌", "pm": "PM", "category": "分類"}
MEASURES = {"amount": "業績", "gross_profit": "毛利", "quantity": "銷量"}
KINDS = {"amount": "money", "gross_profit": "money", "quantity": "number"}
COMPARED = {"before": "前一段期間", "month_before": "上個月同期", "year_before": "去年同期"}
BARS = 12  # in a chart; the table has more
MAX_DAYS = 366


def board_page(request: HttpRequest, template: str, tables: Sequence[FigureTable], **context: Any) -> HttpResponse:
    """A page of the board with its tables, or the file of one of them that the address asks for. Raises Http404."""
    file = export_response(request, tables)
    if file is not None:
        return file
    assert request.resolver_match is not None
    here = request.resolver_match.url_name
    kept = "?mine=1" if mine.chosen_scope(request) else ""
    shared = {
        **admin.site.each_context(request),
        **mine.switch(request),
        "title": TITLE,
        "tabs": [(title, reverse(f"admin:{name}") + kept, name == here) for name, title in TABS.items()],
        "kept": "1" if kept else "",
        "tables": tables,
    }
    return TemplateResponse(request, f"admin/sales/board/{template}.html", {**shared, **context})


def choice_of(request: HttpRequest, name: str, choices: Mapping[str, str]) -> str:
    """One of the choices that the address names, else the first."""
    asked = request.GET.get(name, "")
    return asked if asked in choices else next(iter(choices))


def by_title(dimension: str) -> str:
    """The heading of a table by dimension."""
    return "依 PM" if dimension == "pm" else f"依{DIMENSIONS[dimension]}"


def lines_url(request: HttpRequest, days: Period, **keys: str) -> str:
    """The list of the lines of some days with these values, and of the user's scope if the page is narrowed to it."""
    return mine.address(request, address_of_lines(days.first, days.last, **keys))


def contribution_url(request: HttpRequest, days: Period, compared: str) -> str:
    """Where the difference of some days from those that `compared` (of COMPARED) names comes from."""
    asked: dict[str, Any] = {"start_date": days.first, "end_date": days.last, "compared": compared}
    return mine.address(request, f"{reverse('admin:sales_board_contribution')}?{urlencode(asked)}")


def facts_of(request: HttpRequest, *facts: tuple[str, str]) -> list[tuple[str, str]]:
    """Facts of a table, with the scope and the source."""
    scope = mine.chosen_scope(request)
    names = "、".join([*sorted(scope.pms), *sorted(scope.brands)]) if scope else "全部"
    return [*facts, ("範圍", names), ("來源", "MOMO Pro 銷售日報")]


def in_dollars(value: int | None, measure: str = "amount") -> Decimal | int | None:
    """Cents as New Taiwan dollars; a quantity as it is."""
    return value if value is None or measure == "quantity" else exact_dollars(value)


# --- Periods ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Periods:
    """The period of a page, and the one that it is compared with; `problem` says why the address was refused."""

    after: Period
    before: Period
    compared: str
    problem: str = ""


class _DayForm(forms.Form):
    date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])


class _PeriodsForm(PeriodForm):
    before_date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])


def this_month() -> Period:
    """The month of the latest day with data, until that day."""
    latest = latest_or_today()
    return Period(latest.replace(day=1), latest)


def chosen_day(request: HttpRequest, otherwise: date) -> tuple[date, str]:
    """The day that the address names, and "" or why it was refused; then it is `otherwise`."""
    try:
        return asked_day(_DayForm(request.GET), "date") or otherwise, ""
    except ValidationFailed as refusal:
        return otherwise, refusal.fields["start_date"][0]


def chosen_span(request: HttpRequest, otherwise: Period, max_days: int = MAX_DAYS) -> tuple[Period, str]:
    """The period that the address names, and "" or why it was refused; then it is `otherwise`."""
    try:
        start, end = PeriodForm(request.GET).days()
        span = Period(start or otherwise.first, end or max(otherwise.last, start or otherwise.last))
        if span.days < 1:
            raise ValidationFailed(fields={"start_date": ["起始日不可晚於結束日"]})
        if span.days > max_days:
            raise ValidationFailed(fields={"start_date": [f"期間最長 {max_days:,} 天，請縮短範圍"]})
    except ValidationFailed as refusal:
        return otherwise, refusal.fields["start_date"][0]
    return span, ""


def chosen_periods(request: HttpRequest) -> Periods:
    """The period of the address, by default this month, and what it is compared with.

    `compared` names one of COMPARED, by default the month before for what begins with a month, else the days right
    before. `before_date` begins another period, of as many days.
    """
    after, problem = chosen_span(request, this_month())
    compared = request.GET.get("compared", "")
    if compared not in COMPARED:
        compared = "month_before" if after.first.day == 1 else "before"
    try:
        begin = asked_day(_PeriodsForm(request.GET), "before_date")
    except ValidationFailed as refusal:
        begin, problem = None, refusal.fields["start_date"][0]
    if begin is not None:
        return Periods(after, after.beginning(begin), "", problem)
    before: Period = getattr(after, compared)
    # A period of more than a month, or of a year, would overlap the one before.
    return Periods(after, after.before if before.last >= after.first else before, compared, problem)


def presets(request: HttpRequest, chosen: Period) -> list[tuple[str, str, bool]]:
    """Title, address and whether it is chosen, of each usual period and of the latest campaign; one query."""
    today = timezone.localdate()
    spans = usual_periods(today) | {title: Period(first, last) for title, first, last in campaign_presets(today)}
    return [
        (title, page_address(request, start_date=f"{span.first}", end_date=f"{span.last}"), span == chosen)
        for title, span in spans.items()
    ]


# --- Marks ------------------------------------------------------------------------------------------------------------


def marks_text(marked: Mapping[date, Sequence[Mark]], days: Period) -> str:
    """The titles of what is marked on some days, each once."""
    inside = each_day(days.first, days.last)
    return "、".join(dict.fromkeys(mark.title for day in inside for mark in marked.get(day, ())))


def marked_days(days: Period) -> dict[date, list[Mark]]:
    """What is marked on the days of a period; two queries."""
    return days_marked(days.first, days.last)

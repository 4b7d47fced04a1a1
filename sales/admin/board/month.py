"""The page of a month: a calendar of its days, and the month so far against earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from momo.admin.kit import mine
from momo.admin.kit.display import NO_VALUE, money, thousands
from momo.admin.kit.figures import Column, FigureTable, page_address, signed_rate
from momo.admin.kit.periods import asked_day
from momo.core.errors import ValidationFailed
from momo.core.formats import percent
from momo.core.periods import Period, day_of, month_of, months_back
from sales.admin.board.frame import board_page, facts_of, in_dollars, lines_url, marked_days, marks_text
from sales.admin.marks import chart_marks
from sales.figures import Figures
from sales.selectors.board import MonthBoard, MonthDay, month_board
from sales.selectors.campaigns import HOLIDAY, Mark
from sales.selectors.lines import latest_or_today

Marks = Mapping[date, Sequence[Mark]]


class _MonthForm(forms.Form):
    month = forms.DateField(required=False, input_formats=["%Y-%m"])


def month_page(request: HttpRequest) -> HttpResponse:
    """The month `month` (YYYY-MM) of the address, by default that of the latest day with data."""
    latest, problem = latest_or_today().replace(day=1), ""
    try:
        month = asked_day(_MonthForm(request.GET), "month") or latest
        board = month_board(month=month, scope=mine.chosen_scope(request))
    except ValidationFailed as refusal:
        month, problem = latest, refusal.fields["start_date"][0]
        board = month_board(month=month)
    span, today = month_of(month), timezone.localdate().replace(day=1)
    marked = marked_days(span)
    shortcuts = {"前一個月": months_back(month, 1), "後一個月": months_back(month, -1)}
    shortcuts |= {"本月": today, "上月": months_back(today, 1)}
    return board_page(
        request,
        "month",
        [_table(request, board, span, marked)],
        problem=problem,
        month=month,
        heading=f"{month.year} 年 {month.month} 月",
        presets=[
            (title, page_address(request, month=f"{one:%Y-%m}"), one == month) for title, one in shortcuts.items()
        ],
        weekdays="一二三四五六日",
        weeks=_weeks(request, board, marked),
        figures=_figures(board),
        lines_url=lines_url(request, span),
        empty=not board.whole.lines,
    )


def _rate(now: Figures | None, before: Figures | None) -> float | None:
    """How the amount changed, in percent; None where a day has no data."""
    return None if now is None or before is None else now.against(before)["change_percent"]["amount"]


def _shown_rate(rate: float | None) -> str:
    return NO_VALUE if rate is None else signed_rate(rate)


def _weeks(request: HttpRequest, board: MonthBoard, marked: Marks) -> list[list[dict[str, Any] | None]]:
    """Seven cells a week, Monday first; None before the first and after the last day."""
    cells: list[dict[str, Any] | None] = [None] * board.first.weekday()
    cells += [_cell(request, day, marked.get(day.day, ())) for day in board.days]
    cells += [None] * (-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


def _cell(request: HttpRequest, one: MonthDay, marks: Sequence[Mark]) -> dict[str, Any]:
    return {
        "day": one.day,
        "url": mine.address(request, f"{reverse('admin:sales_board')}?date={one.day}"),
        "lines_url": lines_url(request, day_of(one.day)),
        "amount": None if one.figures is None else money(in_dollars(one.figures.amount)),
        "margin": one.figures and one.figures.margin,
        "day_before": _shown_rate(_rate(one.figures, one.day_before)),
        "week_before": _shown_rate(_rate(one.figures, one.week_before)),
        "off": one.day.weekday() > 4 or any(mark.kind == HOLIDAY for mark in marks),
        "marks": marks,
    }


def _figures(board: MonthBoard) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name, value and notes of each card; equal days of earlier months are those of `month_to_date`."""
    whole, to_date = board.whole, board.to_date
    names = (("previous_month", "上個月同期"), ("last_year", "去年同期"))

    def changes(name: str) -> list[tuple[str, str]]:
        return [
            (label, _shown_rate(to_date[one]["change_percent"][name]) if to_date[one]["lines"] else "沒有資料")
            for one, label in names
        ]

    values = whole.as_dict()
    return [
        ("業績", money(values["amount"]), changes("amount")),
        ("毛利", money(values["gross_profit"]), changes("gross_profit")),
        ("毛利率", NO_VALUE if whole.margin is None else percent(whole.margin, places=1, fixed=True), []),
        ("銷量", thousands(values["quantity"]), changes("quantity")),
        ("累計天數", f"{to_date['days']} 天", []),
    ]


def _table(request: HttpRequest, board: MonthBoard, span: Period, marked: Marks) -> FigureTable:
    rows = [_row(request, one, marked) for one in board.days if one.figures is not None]
    labels = [one.day for one in board.days]
    missing = len([one for one in board.days[: board.to_date["days"]] if one.figures is None])
    return FigureTable(
        key="days",
        title="每日業績與毛利",
        columns=[
            Column("date", "日期", "date"),
            Column("amount", "業績", "money"),
            Column("day_before", "比前一天 %", "rate"),
            Column("week_before", "比上週同日 %", "rate"),
            Column("gross_profit", "毛利", "money"),
            Column("margin", "毛利率", "percent"),
            Column("quantity", "銷量", "number"),
            Column("marks", "備註"),
        ],
        rows=rows,
        chart={
            "kind": "series",
            "unit": "money",
            "labels": labels,
            "series": [
                {"label": "業績", "type": "bar", "data": [_amount(one.figures) for one in board.days]},
                {
                    "label": "毛利",
                    "data": [in_dollars(one.figures.gross_profit if one.figures else None) for one in board.days],
                },
            ],
            **chart_marks(marked, labels),
        },
        totals={
            "amount": in_dollars(board.whole.amount),
            "amount_url": lines_url(request, span),
            "gross_profit": in_dollars(board.whole.gross_profit),
            "margin": board.whole.margin,
            "quantity": board.whole.quantity,
        },
        note=f"有 {missing} 天沒有資料，不列入比較。" if missing else "",
        facts=facts_of(request, ("月份", f"{board.first:%Y-%m}")),
    )


def _amount(figures: Figures | None) -> Any:
    return None if figures is None else in_dollars(figures.amount)


def _row(request: HttpRequest, one: MonthDay, marked: Marks) -> dict[str, Any]:
    figures, day = one.figures or Figures(), day_of(one.day)
    return {
        "date": one.day,
        "amount": in_dollars(figures.amount),
        "amount_url": lines_url(request, day),
        "day_before": _rate(one.figures, one.day_before),
        "week_before": _rate(one.figures, one.week_before),
        "gross_profit": in_dollars(figures.gross_profit),
        "margin": figures.margin,
        "quantity": figures.quantity,
        "marks": marks_text(marked, day) or None,
    }

"""The page of a day: its sums, and its PMs, brands and categories, against the day before and a week before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from momo.admin.kit import mine
from momo.admin.kit.display import NO_VALUE, money, thousands, with_weekday
from momo.admin.kit.figures import Column, FigureTable, page_address, signed, signed_rate
from momo.core.formats import number, percent, percent_of
from momo.core.periods import day_of
from sales.admin.board.frame import (
    DIMENSIONS,
    board_page,
    by_title,
    chosen_day,
    contribution_url,
    facts_of,
    in_dollars,
    lines_url,
    marked_days,
)
from sales.admin.notes import note_context
from sales.figures import NAMELESS, Figures
from sales.selectors.board import Compared, DayBoard, day_board
from sales.selectors.campaigns import NOTE
from sales.selectors.daily import COMPARED
from sales.selectors.lines import latest_or_today

SHOWN = 30  # keys of a table on the page; its file has all


def day_page(request: HttpRequest) -> HttpResponse:
    """The day `date` of the address, by default the latest with data."""
    latest = latest_or_today()
    day, problem = chosen_day(request, latest)
    board = day_board(day=day, scope=mine.chosen_scope(request))
    today = timezone.localdate()
    shortcuts = {"前一天": day - timedelta(days=1), "後一天": day + timedelta(days=1)}
    shortcuts |= {"今天": today, "昨天": today - timedelta(days=1), "最近有資料": latest}
    return board_page(
        request,
        "day",
        [_table(request, board, dimension) for dimension in ("pm", "brand", "category")],
        problem=problem,
        day=day,
        heading=with_weekday(day),
        marks=[mark for mark in marked_days(day_of(day)).get(day, []) if mark.kind != NOTE],
        **note_context(day),
        presets=[(title, page_address(request, date=f"{one}"), one == day) for title, one in shortcuts.items()],
        figures=_figures(board),
        lines_url=lines_url(request, day_of(day)),
        why_url=contribution_url(request, day_of(day), "before"),
        empty=not board.whole.now.lines,
    )


def names_of_compared(board: DayBoard) -> dict[str, str]:
    """What the days are called that a day is compared with."""
    weekday = "一二三四五六日"[board.day.weekday()]
    return dict(zip(COMPARED, ("前一天", f"上週{weekday}"), strict=True))


def _figures(board: DayBoard) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name, value, and its changes by what it is compared with, of each card."""
    now, names = board.whole.now, names_of_compared(board)
    values, before = now.as_dict(), board.whole.before

    def card(title: str, name: str, show: Callable[[Any], str]) -> tuple[str, str, list[tuple[str, str]]]:
        changes = [(label, _rate(now, before[one], name)) for one, label in names.items()]
        return title, NO_VALUE if values[name] is None else show(values[name]), changes

    points = [(label, _points(now, before[one])) for one, label in names.items()]
    margin = NO_VALUE if now.margin is None else percent(now.margin, places=1, fixed=True)
    return [
        card("業績", "amount", money),
        card("毛利", "gross_profit", money),
        ("毛利率", margin, points),
        card("銷量", "quantity", thousands),
        ("列數", thousands(now.lines), []),
    ]


def _rate(now: Figures, before: Figures, name: str) -> str:
    """The change in percent; a day without a file is unknown, not zero."""
    if not before.lines:
        return "沒有資料"
    rate = now.against(before)["change_percent"][name]
    return NO_VALUE if rate is None else signed_rate(rate)


def _points(now: Figures, before: Figures) -> str:
    if now.margin is None or before.margin is None:
        return NO_VALUE
    points = round(now.margin - before.margin, 2)
    return signed(points, f"{number(abs(points), places=1, fixed=True)} 個百分點")


def _table(request: HttpRequest, board: DayBoard, dimension: str) -> FigureTable:
    title, names = DIMENSIONS[dimension], names_of_compared(board)
    lines = board.groups[dimension]
    shown = len(lines) if "export" in request.GET else SHOWN
    rows = [_row(request, board, line, dimension) for line in lines[:shown]]
    if others := lines[shown:]:
        rest = sum(others[1:], start=others[0])
        rows.append(_row(request, board, Compared(f"其他 {len(others):,} 個", rest.now, rest.before), ""))
    compared = [
        column
        for name, label in names.items()
        for column in (Column(f"{name}_change", f"比{label}", "change"), Column(f"{name}_rate", f"比{label} %", "rate"))
    ]
    return FigureTable(
        key=dimension,
        title=by_title(dimension),
        columns=[
            Column("key", title),
            Column("amount", "業績", "money"),
            Column("share", "占比", "percent"),
            Column("gross_profit", "毛利", "money"),
            Column("margin", "毛利率", "percent"),
            *compared,
            Column("quantity", "銷量", "number"),
        ],
        rows=rows,
        totals=_row(request, board, board.whole, ""),
        note=f"列出業績最大的 {shown} 個，其餘合計為一列；匯出的檔案有全部。" if others else "",
        facts=facts_of(request, ("日期", with_weekday(board.day))),
    )


def _row(request: HttpRequest, board: DayBoard, line: Compared, dimension: str) -> dict[str, Any]:
    now, day = line.now, day_of(board.day)
    keys = {dimension: line.key} if dimension else {}
    row: dict[str, Any] = {
        "key": (line.key or NAMELESS) if dimension else line.key or "合計",
        "amount": in_dollars(now.amount),
        "amount_url": lines_url(request, day, **keys) if now.lines and (dimension or not line.key) else "",
        "share": percent_of(now.amount, board.whole.now.amount),
        "gross_profit": in_dollars(now.gross_profit),
        "margin": now.margin,
        "quantity": now.quantity,
    }
    for name, back in COMPARED.items():
        before = line.before[name]
        if not board.whole.before[name].lines:
            continue
        row[f"{name}_change"] = in_dollars(now.amount - before.amount)
        row[f"{name}_rate"] = percent_of(now.amount - before.amount, abs(before.amount))
        if before.lines and (dimension or not line.key):
            row[f"{name}_change_url"] = lines_url(request, day.back(back.days), **keys)
    return row

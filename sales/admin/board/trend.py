"""The page of sales over time, of everything or by dimension."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from momo.admin.kit import mine
from momo.admin.kit.figures import Column, FigureTable
from momo.core.errors import ValidationFailed
from momo.core.formats import to_decimal
from momo.core.periods import Period, month_of
from sales.admin.board.frame import (
    DIMENSIONS,
    KINDS,
    MEASURES,
    board_page,
    choice_of,
    chosen_span,
    facts_of,
    lines_url,
    marked_days,
    marks_text,
    presets,
)
from sales.admin.marks import chart_marks
from sales.figures import NAMELESS, OTHERS
from sales.selectors.board import trend_board
from sales.selectors.lines import latest_or_today
from sales.selectors.trend import DAYS, MAX_YEARS, TOP

WHOLE = {"none": "合計", **DIMENSIONS}
INTERVALS = {"day": "每天", "week": "每週", "month": "每月"}
MAX_DAYS = MAX_YEARS * 365
MAX_POINTS = 184  # days one by one; a longer period is shown by week


def trend_page(request: HttpRequest) -> HttpResponse:
    """Sums from `start_date` to `end_date` each `interval`, by `dimension`; by default of the last DAYS days."""
    latest = latest_or_today()
    span, problem = chosen_span(request, Period(latest - timedelta(days=DAYS - 1), latest), MAX_DAYS)
    dimension, interval = choice_of(request, "dimension", WHOLE), choice_of(request, "interval", INTERVALS)
    if interval == "day" and span.days > MAX_POINTS:
        interval, problem = "week", f"超過 {MAX_POINTS} 天的期間，改為每週顯示"
    measure = choice_of(request, "measure", MEASURES)
    scope = mine.chosen_scope(request)
    asked: dict[str, Any] = {"start": span.first, "end": span.last, "dimension": dimension, "interval": interval}
    try:
        found, narrowed = trend_board(**asked, scope=scope)
    except ValidationFailed as refusal:
        problem = refusal.fields["start_date"][0]
        found, narrowed = trend_board(**asked)
    return board_page(
        request,
        "trend",
        [_Trend(request, found, span, measure).table()],
        problem=problem,
        everything=scope is not None and not narrowed,
        span=span,
        dimension=dimension,
        dimensions=WHOLE,
        interval=interval,
        intervals=INTERVALS,
        measure=measure,
        measures=MEASURES,
        presets=presets(request, span),
    )


class _Trend:
    """The table and the chart of a trend."""

    def __init__(self, request: HttpRequest, found: dict[str, Any], span: Period, measure: str) -> None:
        self.request, self.found, self.span, self.measure = request, found, span, measure
        self.labels = [date.fromisoformat(label) for label in found["dates"]]
        self.marked = marked_days(span)

    def table(self) -> FigureTable:
        """The table: of everything all measures, by dimension one measure of each key."""
        found, dimension = self.found, self.found["dimension"]
        whole = dimension == "none"
        names = list(MEASURES) if whole else [f"key{place}" for place in range(len(found["series"]))]
        kinds = [KINDS[name] for name in names] if whole else [KINDS[self.measure]] * len(names)
        labels = list(MEASURES.values()) if whole else [one["key"] for one in found["series"]]
        more = any(one["key"] == OTHERS for one in found["series"])
        of = "合計" if whole else f"{MEASURES[self.measure]}，依{DIMENSIONS[dimension]}"
        return FigureTable(
            key="trend",
            title=f"趨勢：{of}",
            columns=[
                Column("date", "期間", "month" if found["interval"] == "month" else "date"),
                *(Column(name, label, kind) for name, label, kind in zip(names, labels, kinds, strict=True)),
                Column("marks", "備註"),
            ],
            rows=[self._row(place, names) for place in range(len(self.labels))],
            chart={
                "kind": "series",
                "unit": "number" if self.measure == "quantity" else "money",
                "series": self._series(),
                **self._labelled(),
            },
            note=f"列出期間內業績最大的 {TOP} 個，其餘合計為「{OTHERS}」。" if more else "",
            facts=facts_of(
                self.request,
                ("期間", self.span.label),
                ("維度", WHOLE[dimension]),
                ("間隔", INTERVALS[found["interval"]]),
            ),
        )

    def _labelled(self) -> dict[str, Any]:
        """The labels of the chart with what is marked at them; a month is named by its number."""
        marks = {"labels": self.labels, **chart_marks(self.marked, self.labels)}
        if self.found["interval"] != "month":
            return marks
        return {
            name: [f"{one:%Y-%m}" if isinstance(one, date) else _by_month(one) for one in found]
            for name, found in marks.items()
        }

    def _series(self) -> list[dict[str, Any]]:
        if self.found["dimension"] != "none":
            return [{"label": one["key"], "data": one[self.measure]} for one in self.found["series"]]
        (whole,) = self.found["series"]
        if self.measure == "quantity":
            return [{"label": "銷量", "type": "bar", "data": whole["quantity"]}]
        return [
            {"label": "業績", "type": "bar", "data": whole["amount"]},
            {"label": "毛利", "data": whole["gross_profit"]},
        ]

    def _row(self, place: int, names: list[str]) -> dict[str, Any]:
        days = self._days(place)
        row: dict[str, Any] = {"date": self.labels[place], "marks": marks_text(self.marked, days) or None}
        dimension, series = self.found["dimension"], self.found["series"]
        if dimension == "none":
            for name in names:
                row[name] = _exact(series[0][name][place])
            return {**row, "amount_url": lines_url(self.request, days)}
        for name, one in zip(names, series, strict=True):
            row[name] = _exact(one[self.measure][place])
            if one["key"] != OTHERS:
                key = "" if one["key"] == NAMELESS else one["key"]
                row[f"{name}_url"] = lines_url(self.request, days, **{dimension: key})
        return row

    def _days(self, place: int) -> Period:
        """The days of an interval that lie in the span."""
        label = self.labels[place]
        last = {"day": label, "week": label + timedelta(days=6), "month": month_of(label).last}[self.found["interval"]]
        return Period(max(label, self.span.first), min(last, self.span.last))


def _by_month(mark: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{one:%Y-%m}" if isinstance(one, date) else one for name, one in mark.items()}


def _exact(value: Any) -> Any:
    """Dollars as a decimal without the noise of floats."""
    return value if value is None or isinstance(value, int) else to_decimal(value)

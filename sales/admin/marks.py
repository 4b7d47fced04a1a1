"""What charts of days show beside their figures: shaded campaigns, and marks of holidays and notes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from momo.core.days import each_day
from sales.selectors.campaigns import CAMPAIGN, HOLIDAY, NOTE, WARM_UP, Mark, days_marked

NAMES = {HOLIDAY: "假日", CAMPAIGN: "檔期", WARM_UP: "預熱", NOTE: "註記"}


HOLIDAYS_SHOWN = 62  # days of a chart; on longer ones their lines would cover it


def marks_of_chart(first: date, last: date) -> dict[str, Any]:
    """`bands` and `marks` of a chart of kind `series` (static/admin_momo/charts.js) whose labels are days."""
    labels = each_day(first, last)
    return chart_marks(days_marked(first, last), labels)


def chart_marks(marked: Mapping[date, Sequence[Mark]], labels: Sequence[date]) -> dict[str, Any]:
    """As `marks_of_chart`, of days that are read already; `labels` begin the days, weeks or months of the chart."""
    bands: dict[tuple[int | None, str], dict[str, Any]] = {}
    marks = []
    for day, found in marked.items():
        label = labels[max(bisect_right(labels, day) - 1, 0)]
        for mark in found:
            if mark.kind in (CAMPAIGN, WARM_UP):
                band = bands.setdefault((mark.pk, mark.kind), {"from": label, "label": mark.title})
                band["to"] = label
            elif mark.kind == NOTE or len(labels) <= HOLIDAYS_SHOWN:
                marks.append({"at": label, "text": words_of(mark)})
    return {"bands": list(bands.values()), "marks": marks}


def words_of(mark: Mark) -> str:
    """A mark with what it is."""
    return f"{NAMES[mark.kind]}：{mark.title}"

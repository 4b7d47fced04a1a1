"""Charts of tables as PNG, for mails and slides."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from momo.admin.kit.figures import FigureTable
from momo.charts import FontMissing, bar_chart, names_chart
from momo.reports.selectors import Edition

MOST = 7  # a mail carries ten files, two of which are the workbook and the slides


@dataclass(frozen=True)
class Pictures:
    """PNG by the key of its table; `trouble` says why there are none."""

    files: dict[str, bytes]
    trouble: str = ""


def pictures_of(edition: Edition) -> Pictures:
    """The first MOST charts."""
    files: dict[str, bytes] = {}
    for table in edition.tables:
        if table.chart is None or len(files) == MOST:
            continue
        try:
            if (png := _picture(table)) is not None:
                files[table.key] = png
        except FontMissing as missing:
            return Pictures({}, missing.message)
    return Pictures(files)


def _picture(table: FigureTable) -> bytes | None:
    """The chart of a table; None for a kind that is drawn in pages only, and without a value."""
    chart = table.chart or {}
    if chart.get("kind") == "sales" and any(value is not None for value in chart["amount"]):
        days = [dt.date.fromisoformat(day) for day in chart["dates"]]
        return bar_chart(days, chart["amount"], title=f"{table.title}：每日業績")
    if chart.get("kind") == "bars" and chart["labels"]:
        (series, *_) = chart["series"]
        return names_chart(chart["labels"], series["data"], title=f"{table.title}：{series['label']}")
    return None

"""A report as the HTML of a mail: tables, and pictures that the mail carries.

Mail programs neither scroll a table nor change its layout reliably. So a table has only the columns that fit the width
of a phone; the other figures of a row stand in a line below it, each with its label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from momo.admin.kit.figures import Column, FigureTable
from momo.reports.rendering.pictures import Pictures
from momo.reports.rendering.texts import shown, width_of
from momo.reports.selectors import Edition
from notifications.markup import to_mail_html
from notifications.models import Format

ROWS = 30  # of a table; the workbook has all
ONE_LINE = 8  # characters of a cell that is not broken: Chinese breaks anywhere, at last into a column of characters
PHONE = 334  # pixels of a table in a mail on a phone of 390 pixels


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its column, its text, and where it leads."""

    label: str
    text: str
    url: str
    is_figure: bool

    @property
    def is_one_line(self) -> bool:
        """Whether it is not broken."""
        return self.is_figure or len(self.text) <= ONE_LINE


def mail_html(edition: Edition, pictures: Pictures, *, url: str) -> str:
    """The fragment of HTML. The mail carries its pictures, each as `picture_name`; `url` leads to the page."""
    return to_mail_html(_fragment(edition, pictures, url), Format.EMAIL_HTML)


def picture_name(key: str) -> str:
    """The file name of the picture of a table."""
    return f"{key}.png"


def _fragment(edition: Edition, pictures: Pictures, url: str) -> str:
    tables = [
        {
            "title": table.title,
            "note": table.note,
            "picture": f"cid:{picture_name(table.key)}" if table.key in pictures.files else "",
            "more": len(table.rows) - ROWS,
            **_layout(table),
        }
        for table in edition.tables
    ]
    facts = [("期間", edition.period.label), *edition.filters.facts]
    context = {"edition": edition, "facts": facts, "tables": tables, "trouble": pictures.trouble, "url": url}
    return render_to_string("reports/mail.html", context)


def _layout(table: FigureTable) -> dict[str, Any]:
    """The columns, and of each row its cells, the rest below them, and whether it is the totals."""
    rows = [_cells(row, table.columns) for row in table.rows[:ROWS]]
    totals = [_cells(table.totals, table.columns)] if table.totals and rows else []
    number = _columns_that_fit(table.columns, [*rows, *totals])
    split = [(cells[:number], cells[number:], False) for cells in rows]
    split += [(cells[:number], cells[number:], True) for cells in totals]
    return {"columns": [(column.label, column.number) for column in table.columns[:number]], "rows": split}


def _columns_that_fit(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> int:
    """How many of the first columns fit a phone, at least two: a name and a figure."""
    space: float = PHONE
    for place, column in enumerate(columns):
        cells = [row[place] for row in rows]
        lines = [width_of(cell.text, wide=15, narrow=9) for cell in cells if cell.is_one_line]
        broken = ONE_LINE * 15 if len(lines) < len(cells) else 0
        space -= 16 + max([width_of(column.label, wide=13, narrow=8), broken, *lines])
        if space < 0 and place >= 2:
            return place
    return len(columns)


def _cells(row: Mapping[str, Any], columns: Sequence[Column]) -> list[Cell]:
    return [
        Cell(
            column.label,
            shown(column, row.get(column.name)),
            _absolute(row.get(f"{column.name}_url")),
            column.number,
        )
        for column in columns
    ]


def _absolute(url: str | None) -> str:
    return f"{settings.PUBLIC_URL}{url}" if url and url.startswith("/") else url or ""

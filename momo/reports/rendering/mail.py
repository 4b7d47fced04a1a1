"""A report as the HTML of a mail: tables, and pictures that the mail carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from momo.admin.kit.figures import Column
from momo.reports.rendering.pictures import Pictures
from momo.reports.rendering.texts import shown
from momo.reports.selectors import Edition
from notifications.markup import to_mail_html
from notifications.models import Format

ROWS = 30  # of a table; the workbook has all
ONE_LINE = 8  # characters of a cell that is not broken: Chinese breaks anywhere, at last into a column of characters


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, where it leads, and whether it is a figure."""

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
            "columns": [(column.label, column.number) for column in table.columns],
            "rows": [_cells(row, table.columns) for row in table.rows[:ROWS]],
            "totals": _cells(table.totals, table.columns) if table.totals else None,
            "more": len(table.rows) - ROWS,
        }
        for table in edition.tables
    ]
    facts = [("期間", edition.period.label), *edition.filters.facts]
    context = {"edition": edition, "facts": facts, "tables": tables, "trouble": pictures.trouble, "url": url}
    return render_to_string("reports/mail.html", context)


def _cells(row: Mapping[str, Any], columns: Sequence[Column]) -> list[Cell]:
    return [
        Cell(shown(column, row.get(column.name)), _absolute(row.get(f"{column.name}_url")), column.number)
        for column in columns
    ]


def _absolute(url: str | None) -> str:
    return f"{settings.PUBLIC_URL}{url}" if url and url.startswith("/") else url or ""

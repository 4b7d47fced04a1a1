"""A report as text for Telegram: of each table the first rows with their first figures."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from momo.admin.kit.figures import Column, FigureTable
from momo.core.texts import one_line
from momo.reports.rendering.texts import shown
from momo.reports.selectors import Edition

ROWS, FIGURES = 5, 3  # of a table; the rest is in the files
NAME = 40  # characters of what names a row
BAR = "｜"


def telegram_message(edition: Edition) -> str:
    """Telegram's HTML."""
    head = [_bold(edition.name), html.escape(edition.period.label, quote=False)]
    head += [f"{label}：{_text(value)}" for label, value in edition.filters.facts]
    head += [f"⚠️ {_text(sentence)}" for sentence in edition.missing]
    return "\n\n".join("\n".join(part) for part in (head, *map(_lines, edition.tables)))


def _lines(table: FigureTable) -> list[str]:
    names = [column for column in table.columns if not column.number]
    figures = [column for column in table.columns if column.number][:FIGURES]
    labels = BAR.join(column.label for column in figures)
    lines = [_bold(table.title) + (f"（{_text(labels)}）" if labels and table.rows else "")]
    rows = [*table.rows[:ROWS], *([table.totals] if table.totals else [])]
    lines += [_line(row, names, figures) for row in rows]
    if len(table.rows) > ROWS:
        lines.append(f"…共 {len(table.rows)} 列")
    if not table.rows:
        lines.append("沒有資料")
    return lines


def _line(row: Mapping[str, Any], names: Sequence[Column], figures: Sequence[Column]) -> str:
    name = " ".join(shown(column, row.get(column.name)) for column in names)
    if not figures:
        return f"・{_text(name)}"
    values = BAR.join(shown(column, row.get(column.name)) for column in figures)
    return f"・{_text(name[:NAME])}　{_bold(values)}"


def _text(text: str) -> str:
    return html.escape(one_line(text), quote=False)


def _bold(text: str) -> str:
    return f"<b>{_text(text)}</b>"

"""Workbooks that tests upload."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl

_made: dict[str, bytes] = {}


def xlsx(rows: Iterable[Sequence[Any]]) -> bytes:
    """An .xlsx with these rows; the same bytes each time, though openpyxl would write the time of day into it."""
    lines = [list(row) for row in rows]
    key = repr(lines)
    if key not in _made:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for line in lines:
            sheet.append(line)
        content = io.BytesIO()
        book.save(content)
        _made[key] = content.getvalue()
    return _made[key]

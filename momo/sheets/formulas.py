"""Text that no spreadsheet program reads as a formula. Without Django, since reading processes use it too."""

from __future__ import annotations

# Full-width forms too: some programs (and people who convert a column) take them for the others.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
EXCEL_TEXT_LIMIT = 32_767


def neutralised(text: str) -> str:
    """Text that no spreadsheet program reads as a formula, now or after it is saved as CSV."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text

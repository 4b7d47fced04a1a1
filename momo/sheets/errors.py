"""Errors about a file as a whole."""

from __future__ import annotations

from collections.abc import Sequence


class SheetError(ValueError):
    """The file cannot be read. The text is for the user: the problem, and what to do."""


class DuplicateColumn(SheetError):
    """Two columns match the same field equally well."""


class UnknownColumns(SheetError):
    """Columns that are needed were not found.

    `headers` are texts of the file that could be their headers, `found` the names of fields that have a column.
    """

    def __init__(self, text: str, headers: Sequence[str] = (), found: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.headers = list(headers)
        self.found = list(found)

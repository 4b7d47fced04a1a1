"""Errors about a file as a whole."""

from __future__ import annotations


class SheetError(ValueError):
    """The file cannot be read. The text is for the user: the problem, and what to do."""


class DuplicateColumn(SheetError):
    """Two columns match the same field equally well."""

"""What is wrong with a file as a whole."""

from __future__ import annotations


class SheetError(ValueError):
    """The file cannot be read; the text is for people and says what is wrong and what to do."""


class DuplicateColumn(SheetError):
    """Two columns claim to be the same field."""

"""Values of tables as text, as pages show them; equal in message, mail and slides."""

from __future__ import annotations

from typing import Any
from unicodedata import east_asian_width

from django.utils.html import strip_tags

from momo.admin.kit.display import NO_VALUE
from momo.admin.kit.figures import KINDS, Column

NO_BREAK = "\u00a0"  # a sign stays on the line of its figure


def shown(column: Column, value: Any) -> str:
    """A value in a column of this kind; NO_VALUE if it is unknown."""
    if value is None or value == "":
        return NO_VALUE
    text = value if isinstance(value, str) else strip_tags(KINDS[column.kind].show(value))
    return text.replace(" ", NO_BREAK) if column.number else text


def width_of(text: str, *, wide: float, narrow: float) -> float:
    """The width of a line whose Chinese characters are `wide` and others `narrow`."""
    return sum(wide if east_asian_width(character) in "WF" else narrow for character in text)

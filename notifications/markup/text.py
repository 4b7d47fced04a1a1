"""What is true of text whatever it is written in."""

from __future__ import annotations

import re
import unicodedata

_LINE_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Letters and symbols by their category, but drawn as nothing.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufe0e\ufe0f\u034f")
_NOT_DRAWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})


def clean_text(text: str) -> str:
    """`text` as PostgreSQL, JSON and every channel take it.

    Lone surrogates become U+FFFD, control characters go, and every kind of line break becomes a line feed.
    """
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)))


def is_blank(text: str) -> bool:
    """Whether nothing of it would be seen; Telegram refuses such a text."""
    return all(letter in _INVISIBLE or unicodedata.category(letter) in _NOT_DRAWN for letter in text)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, which is how Telegram counts."""
    return len(text) + sum(letter > "\uffff" for letter in text)

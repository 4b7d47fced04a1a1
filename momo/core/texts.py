"""Cleaning of text from outside. Without Django, since the spider's child process uses it too.

Every function drops NUL and lone surrogates, so its result fits PostgreSQL, JSON and UTF-8.
"""

from __future__ import annotations

import re

_LINE_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters, lone surrogates, noncharacters, and the marks that turn the direction of all text after them: text
# in Arabic or Hebrew needs none of these.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` as PostgreSQL stores it: only NUL and lone surrogates are dropped."""
    return _NOT_STORABLE.sub("", text)


def clean_text(text: str) -> str:
    r"""`text` as every message channel takes it: each kind of line break is `\n`, unwanted characters are dropped."""
    if text.isprintable():
        return text
    return _UNWANTED.sub("", _LINE_BREAKS.sub("\n", text))


def one_line(text: str) -> str:
    """`clean_text` on one line: line breaks and runs of white space become one space, none at either end."""
    return " ".join(clean_text(text).split())

"""Cleaning and reading of text from outside. Without Django, since the spider's child process uses it too.

Every function that cleans drops NUL and lone surrogates, so its result fits PostgreSQL, JSON and UTF-8.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

_LINE_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters, lone surrogates, noncharacters, and the marks that turn the direction of all text after them: text
# in Arabic or Hebrew needs none of these.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
JSON_DEPTH = 100  # containers in each other
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` as PostgreSQL stores it: only NUL and lone surrogates are dropped."""
    return _NOT_STORABLE.sub("", text)


def _finite(text: str) -> float:
    """A JSON number, not `1e999`, nor the constants NaN and Infinity, which Python's parser takes as well."""
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for all that is not JSON, or that no client needs.

    Beside broken syntax that is NaN, infinity, an integer of thousands of digits, and more than `JSON_DEPTH` containers
    in each other: what reads or writes the value later may exhaust the stack.
    """
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("[") + text.count("{") > JSON_DEPTH and any(depth > JSON_DEPTH for depth, _ in _parts(value)):
        raise ValueError("nested too deeply")
    return value


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL stores all texts in a JSON value as they are."""
    return not any(isinstance(part, str) and _NOT_STORABLE.search(part) for _, part in _parts(value))


def _parts(value: Any) -> Iterator[tuple[int, Any]]:
    """All values and keys in a JSON value, with the number of containers around each; without recursion."""
    waiting = [(0, value)]
    while waiting:
        depth, part = waiting.pop()
        yield depth, part
        if isinstance(part, dict):
            waiting += [(depth + 1, one) for pair in part.items() for one in pair]
        elif isinstance(part, list):
            waiting += [(depth + 1, one) for one in part]


def clean_text(text: str) -> str:
    r"""`text` as every message channel takes it: each kind of line break is `\n`, unwanted characters are dropped."""
    if text.isprintable():
        return text
    return _UNWANTED.sub("", _LINE_BREAKS.sub("\n", text))


def one_line(text: str) -> str:
    """`clean_text` on one line: line breaks and runs of white space become one space, none at either end."""
    return " ".join(clean_text(text).split())

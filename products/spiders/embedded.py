"""The goods records that Next.js embeds in a product page of 2026, as strings of JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from products.spiders.pages import is_empty, same_code

_PUSH = "self.__next_f.push("
_CODE_KEY = '"goodsCode"'
# Bounds on the work that a hostile page can cause: pushes read, and of them broken (each failure costs the decoder a
# look over all before it), keys tried, braces looked back over for each key, and characters of one object.
_MAX_PUSHES = 2_000
_MAX_BROKEN_PUSHES = 20
_MAX_KEYS = 100
_MAX_BRACES = 8
_MAX_OBJECT = 100_000
_DECODER = json.JSONDecoder()


def find_goods(text: str, wanted: str) -> tuple[dict[str, Any] | None, bool]:
    """Return the object whose goodsCode is the wanted one, and whether there are others: goods that it recommends.

    Of several, the first with a name: others are baskets, trails and the like.
    """
    stream = "".join(_pushed(text))
    at = 0
    found: dict[str, Any] | None = None
    others = False
    for _ in range(_MAX_KEYS):
        at = stream.find(_CODE_KEY, at)
        if at < 0:
            break
        item = _object_around(stream, at)
        at += len(_CODE_KEY)
        if item is None:
            continue
        if not same_code(str(item.get("goodsCode")), wanted):
            others = True
        elif not is_empty(item.get("goodsName")):
            return item, others
        else:
            found = found or item
    return found, others


def _pushed(text: str) -> Iterator[str]:
    """Yield the decoded strings of self.__next_f.push([1,"…"]); an object may go on from one push to the next."""
    at = broken = 0
    for _ in range(_MAX_PUSHES):
        at = text.find(_PUSH, at)
        if at < 0 or broken > _MAX_BROKEN_PUSHES:
            return
        at += len(_PUSH)
        try:
            pushed, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            broken += 1
            continue
        if isinstance(pushed, list):
            yield from (part for part in pushed if isinstance(part, str))


def _object_around(stream: str, at: int) -> dict[str, Any] | None:
    """Decode the object that holds the key at `at`, trying the nearest opening braces before it."""
    brace = at
    for _ in range(_MAX_BRACES):
        brace = stream.rfind("{", max(0, at - _MAX_OBJECT), brace)
        if brace < 0:
            return None
        try:
            value, length = _DECODER.raw_decode(stream[brace : brace + _MAX_OBJECT])
        except (ValueError, RecursionError):
            continue
        if brace + length > at and isinstance(value, dict) and "goodsCode" in value:
            return value
    return None

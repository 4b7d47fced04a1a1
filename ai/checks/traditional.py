"""Simplified characters of a model's answer become those of Taiwan; Traditional text stays as it is."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import opencc

# Only characters: s2twp would also exchange words (血液循環 → 血液迴圈).
TAIWAN, BACK = "s2tw", "t2s"
_CLAUSE = re.compile(r"[^，。！？；：、,.!?;:\s\0]+")  # OpenCC reads until a NUL
# From this share of simplified characters on, a text is simplified as a whole: also 面包, which could be either.
_SHARE = 0.08
_RARE = b"\xc9\x40"  # Big5 from here on has rare characters, among them some that are common in simplified text (体)


@functools.cache
def converter(name: str) -> opencc.OpenCC:
    """The converter of a configuration of OpenCC. Its tables take some 40 MiB, so they load at the first text only."""
    return opencc.OpenCC(name)


@functools.lru_cache(maxsize=32768)
def is_simplified(char: str) -> bool:
    """Whether only simplified Chinese writes `char`; 面, 后 and 台 are Traditional characters as well.

    濕, 裏 and 着 are Traditional variants, whatever s2tw makes of them.
    """
    converted = converter(TAIWAN).convert(char)
    if converted == char or converter(BACK).convert(converted) != char or converter(BACK).convert(char) != char:
        return False
    try:
        return char.encode("big5") >= _RARE
    except UnicodeEncodeError:
        return True


def to_traditional(text: str, protected: Iterable[str] = ()) -> tuple[str, bool]:
    """`text` in Traditional characters, and whether any was converted. `protected` (names, facts) stay as they stand.

    A text, or a clause among Traditional ones, without simplified characters is unchanged. The length never changes.
    """
    number = sum(map(is_simplified, text))
    if not number:
        return text, False
    every = number >= len(text) * _SHARE
    names = sorted(filter(None, set(protected)), key=len, reverse=True)
    kept = re.compile("|".join(map(re.escape, names))) if names else None
    parts, last = [], 0
    for found in kept.finditer(text) if kept else ():
        parts += [_converted(text[last : found.start()], every=every), found.group()]
        last = found.end()
    converted = "".join([*parts, _converted(text[last:], every=every)])
    return converted, converted != text


def _converted(text: str, *, every: bool) -> str:
    return _CLAUSE.sub(lambda found: _clause(found.group(), every=every), text)


@functools.lru_cache(maxsize=32768)
def _is_traditional(char: str) -> bool:
    return str(converter(BACK).convert(char)) != char


def _clause(clause: str, *, every: bool) -> str:
    """Beside Traditional characters 后 and 只 are Traditional too; else their neighbours decide (头发 → 頭髮)."""
    if any(map(_is_traditional, clause)):
        sure = True
    elif every or any(map(is_simplified, clause)):
        sure = False
    else:
        return clause
    converted = converter(TAIWAN).convert(clause)
    if len(converted) != len(clause):
        converted = "".join(map(converter(TAIWAN).convert, clause))
    return "".join(
        new if is_simplified(old) or (not sure and _stands_for(old, new)) else old
        for old, new in zip(clause, map(_taiwan, converted), strict=True)
    )


def _stands_for(old: str, new: str) -> bool:
    """Whether `old` is the simplified form of `new`; variants are not, and 台 is what Taiwan writes."""
    return old != "台" and (converter(BACK).convert(new) == old or old == "着")


def _taiwan(char: str) -> str:
    return "濕" if char == "溼" else char  # what Taiwan writes, not what s2tw makes of 湿

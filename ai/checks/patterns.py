"""The text of a phrase: words, `{疾病}` for any word of a class, and `…` between two parts of one clause."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ai.checks import words
from ai.checks.shadow import spelled

NEAR, FAR = 6, 20  # letters that `…` and `……` may stand for; the second also for the end of a clause
MOST = 8000  # words of one part
SHORTEST = 6  # Latin letters of a disguise
_GAP = re.compile(r"……|…")
_CLASS = re.compile(r"\{([^{}]*)\}")


class BadPattern(ValueError):
    """The text is no pattern; the message is Traditional Chinese."""


@dataclass(frozen=True)
class Pattern:
    """One part, or two with at most `gap` letters between them."""

    parts: tuple[str, ...]
    gap: int


def parse(text: str) -> Pattern:
    """The pattern of a phrase. Raises BadPattern."""
    parts = tuple(part.strip() for part in _GAP.split(text))
    if len(parts) > 2:
        raise BadPattern("「…」只能有一個")
    for part in parts:
        unknown = [name for name in _CLASS.findall(part) if name not in words.classes()]
        if unknown:
            raise BadPattern(f"沒有「{unknown[0]}」這一類詞，可用的有{'、'.join(words.classes())}")
        if "{" in _CLASS.sub("", part) or "}" in _CLASS.sub("", part):
            raise BadPattern("「{」和「}」要成對")
        number = 1
        for name in _CLASS.findall(part):
            number *= len(words.classes()[name])
        if number > MOST:
            raise BadPattern(f"這個組合有 {number:,} 個詞，最多 {MOST:,} 個")
        if not all(spelled(word) for word in expand(part)):
            raise BadPattern("「…」前後和詞句裡要有文字")
    return Pattern(parts, FAR if "……" in text else NEAR)


def expand(part: str) -> Iterator[str]:
    """All words of a part."""
    pieces = _CLASS.split(part)  # literals and names of classes, in turn
    choices = [words.classes()[piece] if place % 2 else (piece,) for place, piece in enumerate(pieces)]
    return map("".join, itertools.product(*choices))


def disguises(word: str) -> Iterator[str]:
    """A word with a letter written as it sounds or in parts (減ㄈㄟ, jian肥, 減月巴), or all of them so."""
    if not 2 <= len(word) <= 4:
        return
    options = [words.readings().get(letter, ()) for letter in word]
    for place, found in enumerate(options):
        short = [reading[0] for reading in found[:1] if len(reading) > 1]  # 注音文: the first sign alone
        for reading in (*found, *short):
            yield word[:place] + reading + word[place + 1 :]
    if all(options):
        yield "".join(found[0] for found in options)
    latin = [next(filter(str.isascii, found), "") for found in options]
    if all(latin) and len("".join(latin)) >= SHORTEST:
        yield "".join(latin)

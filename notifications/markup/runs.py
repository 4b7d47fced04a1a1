"""Text as runs: pieces, each with the marks that lie on it from the outside in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile
from urllib.parse import urlsplit

from momo.core.texts import clean_text

LINK = "a"
QUOTE = "blockquote"
CODE = frozenset({"code", "pre"})
_URL_LENGTH = 2048
_WEB = re.compile(r"https?://[^\s/?#]+", re.IGNORECASE)
_OTHER = re.compile(r"(?:mailto|tel):[^\s]+|tg://[^\s]+", re.IGNORECASE)

# Letters and symbols by their category, but drawn as nothing.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufe0e\ufe0f\u034f")
_NOT_DRAWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})


def is_blank(text: str) -> bool:
    """Whether nothing of `text` would be seen; Telegram refuses such a text."""
    return all(character in _INVISIBLE or unicodedata.category(character) in _NOT_DRAWN for character in text)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, which is how Telegram counts."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(eq=False)
class Mark:
    """Bold, a link, …: one for each element, compared by identity, so that two quotes side by side stay two.

    `kind` is b, i, u, s, tg-spoiler, a, code, pre or blockquote; `value` is the address of a link, the language of a
    preformatted block, or "expandable" of a quote.
    """

    kind: str
    value: str = ""


Marks = tuple[Mark, ...]
Run = tuple[str, Marks]


def within(marks: Marks, mark: Mark) -> Marks:
    """`marks` with one more inside, as far as Telegram allows them together.

    A quote holds all other marks and no second quote; code holds no mark and is in no mark but a quote; no mark is
    in one of its own kind. Where code and a link meet, the outer one stays.
    """
    kinds = {each.kind for each in marks}
    if mark.kind in kinds or (kinds & CODE and mark.kind != QUOTE) or (mark.kind in CODE and LINK in kinds):
        return marks
    if mark.kind == QUOTE:
        return (mark, *marks)
    if mark.kind in CODE:
        marks = tuple(each for each in marks if each.kind == QUOTE)
    return (*marks, mark)


def common(one: Marks, other: Marks) -> int:
    """How many marks, from the outside in, both have."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(one, other, strict=False)))


def link_target(address: str) -> str:
    """`address` if a link may lead there, else "": the web, mail, telephone and Telegram's own.

    Addresses that run or read something where they are opened (`javascript:`, `file:`, …) are none of these.
    """
    address = re.sub(r"\s+", "%20", clean_text(address).strip())
    if address.startswith("//"):
        address = f"https:{address}"
    if len(address) > _URL_LENGTH:
        return ""
    if _OTHER.fullmatch(address):
        return address
    try:
        host = urlsplit(address).hostname if _WEB.match(address) else ""
    except ValueError:
        host = ""
    return address if host else ""


def spell_links(runs: Iterable[Run], keep: tuple[str, ...] = ()) -> Iterator[Run]:
    """Write links out: `text (address)`, or only the address where the text is the same.

    Links with a scheme in `keep` stay links.
    """

    def link_of(run: Run) -> Mark | None:
        return next((mark for mark in run[1] if mark.kind == LINK), None)

    for link, group in groupby(runs, link_of):
        if link is None or link.value.lower().startswith(keep):
            yield from group
            continue
        target = re.sub(r"^(?:mailto|tel):", "", link.value, flags=re.IGNORECASE)
        inside = [(text, tuple(mark for mark in marks if mark is not link)) for text, marks in group]
        text = "".join(each for each, _ in inside).strip()
        if not text:
            yield target, inside[0][1]
            continue
        yield from inside
        if text not in (target, link.value):
            yield f" ({target})", inside[-1][1]

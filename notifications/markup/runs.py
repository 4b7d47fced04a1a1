"""A text as runs: pieces, each with the marks that lie on it from the outside in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

from notifications.markup.text import clean_text

LINK = "a"
QUOTE = "blockquote"
CODE = frozenset({"code", "pre"})
_URL_LENGTH = 2048
_WEB = re.compile(r"https?://[^\s/?#]+", re.IGNORECASE)
_OTHER = re.compile(r"(?:mailto|tel):[^\s]+|tg://[^\s]+", re.IGNORECASE)


@dataclass(eq=False)
class Mark:
    """Bold, a link, …: one for each element that was opened, so that two quotes side by side stay two.

    `kind` is b, i, u, s, spoiler, a, code, pre or blockquote; `value` the address of a link, the language of code,
    or "expandable" of a quote.
    """

    kind: str
    value: str = ""


Marks = tuple[Mark, ...]
Run = tuple[str, Marks]


def in_force(stack: Iterable[Mark]) -> Marks:
    """Those of the open marks that Telegram allows together.

    A quote holds the others and no second one; code holds nothing and is in nothing but a quote; a link is in no
    link. Where code and a link meet, the outer one stays.
    """
    quote: Marks = ()
    others: list[Mark] = []
    kinds: set[str] = set()
    for mark in stack:
        if mark.kind == QUOTE:
            quote = quote or (mark,)
        elif mark.kind in CODE:
            if LINK not in kinds:
                return (*_outer_quote(stack), mark)
        elif mark.kind not in kinds:
            kinds.add(mark.kind)
            others.append(mark)
    return (*quote, *others)


def _outer_quote(stack: Iterable[Mark]) -> Marks:
    return next(((mark,) for mark in stack if mark.kind == QUOTE), ())


def common(one: Marks, other: Marks) -> int:
    """How many marks from the outside in both have."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left is not right:
            break
        count += 1
    return count


def link_target(address: str) -> str:
    """An address that a link may have, or nothing: the web, mail, telephone, and Telegram's own.

    Whatever could run or read something where it is opened is none of these.
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
    """Write out links: `text (address)`, or only the address where the text is the same.

    Those with a scheme in `keep` stay links.
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
        else:
            yield from inside
            if text not in (target, link.value):
                yield f" ({target})", inside[-1][1]

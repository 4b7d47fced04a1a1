"""Cuts Telegram's HTML into parts that Telegram takes, each valid by itself."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from wcwidth import grapheme_boundary_before

from notifications.markup.layout import read_runs
from notifications.markup.runs import common, is_blank
from notifications.markup.write import write_telegram
from notifications.models import Format

TEXT_LIMIT = 4096  # UTF-16 code units of a message
CAPTION_LIMIT = 1024  # and of the text below a file
BYTE_LIMIT = 32_768  # of a message as it is handed over, in UTF-8, markup included
# Telegram shows those beyond as bare text, links too (python-telegram-bot, MessageLimit.MESSAGE_ENTITIES).
ENTITY_LIMIT = 100
_NESTED = 8  # marks, at most, that lie on one character and go on from the part before
_WORD_ENDS = re.compile(r"[ \t\u3000](?=[^ \t\u3000]*\Z)")


def split_telegram(html: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Parts of at most `limit` (at least 2) UTF-16 code units and ENTITY_LIMIT marks, as Telegram counts what it shows.

    With its markup no part has more than BYTE_LIMIT bytes: one character with a link of the greatest length has fewer.

    Markup that is open at the end of a part is closed there and opened again in the next. Cuts are made at the last
    line break that leaves the part a quarter full, which is then left out; else after the last such space; else
    anywhere, but never inside of a surrogate pair, and not inside of a character with its combining marks or an emoji
    of several characters unless it is longer than `limit` itself. The texts of the parts, joined, are the whole again.

    Telegram refuses a message in which nothing can be seen, so such parts are left out; of a text of only spaces
    nothing is left.
    """
    if limit < 2:
        raise ValueError("a part must be able to hold a surrogate pair")
    runs = read_runs(html, Format.TELEGRAM)
    text = "".join(text for text, _ in runs)
    starts = list(accumulate((len(text) for text, _ in runs), initial=0))
    # Where in the text each mark begins.
    openings = [
        start
        for start, (_, marks), (_, before) in zip(starts, runs, [("", ()), *runs], strict=False)
        for _ in marks[common(before, marks) :]
    ]

    def written(begin: int, end: int) -> str:
        touched = slice(bisect_right(starts, begin) - 1, bisect_left(starts, end))
        slices = zip(starts[touched], runs[touched], strict=False)
        return write_telegram((text[max(0, begin - start) : end - start], marks) for start, (text, marks) in slices)

    # What a part has less of than the whole, it has less of in bytes too.
    is_heavy = _size(write_telegram(runs)) > BYTE_LIMIT
    parts = _parts(text, limit, openings, written if is_heavy else None)
    return [written(begin, end) for begin, end in parts if not is_blank(text[begin:end])]


def _parts(
    text: str, limit: int, openings: Sequence[int], written: Callable[[int, int], str] | None
) -> Iterator[tuple[int, int]]:
    """Where parts begin and end; with `written`, a part as it is handed over, none is above BYTE_LIMIT."""
    begin = 0
    while begin < len(text):
        end = _furthest(text, begin, limit)
        first_too_many = bisect_left(openings, begin) + ENTITY_LIMIT - _NESTED
        if first_too_many < len(openings):
            end = min(end, openings[first_too_many])
        if written is not None:
            end = _lightest(begin, end, written)
        following = end
        if end < len(text):
            end, following = _cut(text, begin, end)
        yield begin, end
        begin = following


def _size(html: str) -> int:
    return len(html.encode())


def _lightest(begin: int, end: int, written: Callable[[int, int], str]) -> int:
    """The last place up to `end` that leaves a part from `begin` within BYTE_LIMIT, at least one character further."""
    if _size(written(begin, end)) <= BYTE_LIMIT:
        return end
    # A longer part is never lighter, so the places can be halved.
    ends = range(begin + 1, end)
    return begin + max(1, bisect_right(ends, BYTE_LIMIT, key=lambda place: _size(written(begin, place))))


def _furthest(text: str, begin: int, limit: int) -> int:
    """Where `limit` code units after `begin` end."""
    units = text[begin : begin + limit].encode("utf-16-le")[: 2 * limit]
    return begin + len(units.decode("utf-16-le", "ignore"))


def _cut(text: str, begin: int, end: int) -> tuple[int, int]:
    """The end of a part that cannot reach beyond `end`, and where the next one begins."""
    least = begin + max(1, -(-(end - begin) // 4))
    line = text.rfind("\n", least, end + 1)
    if line >= 0:
        return line, line + 1
    space = _WORD_ENDS.search(text, max(begin, least - 1), end)
    # The last boundary of what is drawn as one character (Unicode's annex 29); `begin` if all is one.
    cut = space.end() if space else begin + grapheme_boundary_before(text[begin : end + 1], end + 1 - begin)
    return (cut, cut) if cut > begin else (end, end)

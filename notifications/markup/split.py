"""Cuts Telegram's HTML into parts that Telegram takes, each valid by itself."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from notifications.markup.layout import read_runs
from notifications.markup.runs import Marks, Run, common
from notifications.markup.text import is_blank
from notifications.markup.write import write_telegram
from notifications.models import Format

TEXT_LIMIT = 4096  # UTF-16 code units of a message
CAPTION_LIMIT = 1024  # and of the text below a file
# Telegram shows those beyond as bare text, links too (python-telegram-bot, MessageLimit.MESSAGE_ENTITIES).
ENTITY_LIMIT = 100
_NESTED = 8  # marks, at most, that lie on one letter and go on from the part before
_LONGEST_CLUSTER = 64  # letters that we look back for the beginning of what is drawn as one
_JOINER = "\u200d"
_WORD_ENDS = re.compile(r"[ \t\u3000](?=[^ \t\u3000]*\Z)")


def split_telegram(html: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Parts of at most `limit` (at least 2) UTF-16 code units and ENTITY_LIMIT marks, as Telegram counts what it shows.

    Markup that is open at the end of a part is closed there and opened again in the next. Cuts are made at the last
    line break that leaves the part a quarter full, which is then left out; else after the last such space; else
    anywhere, but never inside of a surrogate pair, and not inside of a letter with its combining marks or an emoji
    of several characters unless it is longer than `limit` itself. The texts of the parts, joined, are the whole again.

    Telegram refuses a message in which nothing can be seen, so such parts are left out; of a text of only spaces
    nothing is left.
    """
    if limit < 2:
        raise ValueError("a part must be able to hold a surrogate pair")
    runs = read_runs(html, Format.TELEGRAM)
    text = "".join(text for text, _ in runs)
    slices = _Slices(runs)
    parts = _parts(text, limit, _openings(runs))
    return [write_telegram(slices.until(begin, end)) for begin, end in parts if not is_blank(text[begin:end])]


def _openings(runs: Iterable[Run]) -> list[int]:
    """Where in the text each mark begins."""
    found: list[int] = []
    place = 0
    before: Marks = ()
    for text, marks in runs:
        found += [place] * (len(marks) - common(before, marks))
        place += len(text)
        before = marks
    return found


def _parts(text: str, limit: int, openings: Sequence[int]) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < len(text):
        end = _furthest(text, begin, limit)
        first_too_many = bisect_left(openings, begin) + ENTITY_LIMIT - _NESTED
        if first_too_many < len(openings):
            end = min(end, openings[first_too_many])
        following = end
        if end < len(text):
            end, following = _cut(text, begin, end)
        yield begin, end
        begin = following


def _furthest(text: str, begin: int, limit: int) -> int:
    """Where `limit` code units after `begin` end."""
    end, room = begin, limit
    while end < len(text):
        room -= 2 if text[end] > "\uffff" else 1
        if room < 0:
            break
        end += 1
    return end


def _cut(text: str, begin: int, end: int) -> tuple[int, int]:
    """The end of a part that cannot reach beyond `end`, and where the next one begins."""
    least = begin + max(1, -(-(end - begin) // 4))
    line = text.rfind("\n", least, end + 1)
    if line >= 0:
        return line, line + 1
    space = _WORD_ENDS.search(text, max(begin, least - 1), end)
    cut = space.end() if space else end
    return (cut, cut) if space else _between_clusters(text, begin, end)


def _between_clusters(text: str, begin: int, end: int) -> tuple[int, int]:
    for cut in range(end, max(begin, end - _LONGEST_CLUSTER), -1):
        if not _joined(text, cut):
            return cut, cut
    return end, end


def _joined(text: str, cut: int) -> bool:
    """Whether what is before and after `cut` is drawn as one; what Unicode's annex 29 says, for what people write."""
    before, after = text[cut - 1], text[cut]
    if after == _JOINER or before == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        first = cut
        while first > 0 and _is_flag_letter(text[first - 1]):
            first -= 1
        return (cut - first) % 2 == 1
    return "\u1160" <= after <= "\u11ff" and "\u1100" <= before <= "\u11ff"


def _is_flag_letter(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


class _Slices:
    """Pieces of runs by the positions of their text, asked for from left to right."""

    def __init__(self, runs: list[Run]) -> None:
        self._runs = runs
        self._index = 0
        self._start = 0  # where the text of the run at `_index` begins

    def until(self, begin: int, end: int) -> Iterator[Run]:
        while self._index < len(self._runs):
            text, marks = self._runs[self._index]
            stop = self._start + len(text)
            if begin < stop and self._start < end:
                yield text[max(0, begin - self._start) : end - self._start], marks
            if stop > end:
                return
            self._start, self._index = stop, self._index + 1

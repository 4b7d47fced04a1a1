"""Brands, PMs and categories as sales know them, found in text whatever its case, width and spaces."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from bot.words.dates import MASK
from momo.core.texts import one_line
from sales.figures import NAMELESS
from sales.models import DayTotal

LABELS = {one.value: str(one.label) for one in (DayTotal.Dimension.BRAND, DayTotal.Dimension.PM)} | {
    DayTotal.Dimension.CATEGORY.value: str(DayTotal.Dimension.CATEGORY.label)
}
RANKINGS = {name: f"{label} 排行" if label.isascii() else f"{label}排行" for name, label in LABELS.items()}
ALIKE = 0.5  # two characters of which one is right
OFFERED = 6
_SAME = str.maketrans({"臺": "台", "〜": "~", "∼": "~"})
_WEEK = re.compile(r"星期|禮拜|(?<=[上下這本個一近\d])周|周(?=[一二三四五六日天末報])")  # not 周 as a surname


def fold(text: str) -> str:
    """`text` on one line without differences of case, width and variants; a week has one word."""
    folded = unicodedata.normalize("NFKC", one_line(text)).casefold().translate(_SAME)
    return " ".join(_WEEK.sub("週", folded).split())


@dataclass(frozen=True)
class Name:
    """A key of the totals; empty for lines without that field."""

    dimension: str
    key: str

    @property
    def shown(self) -> str:
        """The key for users."""
        return one_line(self.key) or NAMELESS

    @property
    def label(self) -> str:
        """`品牌 蘭蔻`."""
        return f"{LABELS[self.dimension]} {self.shown}"

    @property
    def args(self) -> tuple[str, ...]:
        """The name as arguments of a command: exactly the key."""
        return self.dimension, self.key or NAMELESS


class Names:
    """All keys, by their folded text without spaces."""

    def __init__(self, keys: Iterable[tuple[str, str]]) -> None:
        self._names: defaultdict[str, list[Name]] = defaultdict(list)
        for dimension, key in keys:
            self._names[_folded(key or NAMELESS)].append(Name(dimension, key))

    def exact(self, dimension: str, text: str) -> list[Name]:
        """Names of a dimension that are `text`: to the letter if there is one, else after folding."""
        found = [one for one in self._names.get(_squeeze(fold(text)), ()) if one.dimension == dimension]
        return [one for one in found if one.args[1] == text] or found

    def cut(self, text: str) -> tuple[str, list[list[Name]]]:
        """Mask the names in folded text, the longest first. A group has the names of equal text.

        Single characters stand in many words, so they are no names here; nor is part of a Latin word or of a number.
        """
        places = [place for place, character in enumerate(text) if not character.isspace()]
        squeezed = "".join(text[place] for place in places)
        found: list[tuple[int, list[Name]]] = []
        for words in sorted((one for one in self._names if len(one) > 1 and one in squeezed), key=len, reverse=True):
            start = squeezed.find(words)
            while start >= 0:
                first, after = places[start], places[start + len(words) - 1] + 1
                if not _inside_a_word(text, first) and not _inside_a_word(text, after):
                    found.append((start, self._names[words]))
                    text = text[:first] + MASK * (after - first) + text[after:]
                    squeezed = squeezed[:start] + "\0" * len(words) + squeezed[start + len(words) :]
                start = squeezed.find(words, start + 1)
        return text, [group for _, group in sorted(found, key=lambda pair: pair[0])]

    def like(self, text: str, dimensions: Sequence[str] = ()) -> list[Name]:
        """Names of which `text` is the whole, else those of which it is a part, the shortest first."""
        words = _squeeze(fold(text))
        if not words:
            return []
        found = self._of(dimensions, [words] if words in self._names else ())
        return found or self._of(dimensions, sorted((one for one in self._names if words in one), key=len))

    def near(self, text: str, dimensions: Sequence[str] = ()) -> list[Name]:
        """Names that look like `text`, the nearest first."""
        words = _squeeze(fold(text))
        found = get_close_matches(words, list(self._names), n=OFFERED, cutoff=ALIKE) if len(words) < 200 else []
        return self._of(dimensions, found)

    def _of(self, dimensions: Sequence[str], found: Iterable[str]) -> list[Name]:
        names = [one for words in found for one in self._names[words]]
        return [one for one in names if not dimensions or one.dimension in dimensions]


def has_word(name: Name, text: str) -> bool:
    """Whether folded `text` is part of a name, but no part of a Latin word in it: AMI is not AMIDA."""
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(text)}(?![a-z0-9])", fold(name.shown)))


@lru_cache(maxsize=20_000)  # 20 µs a name, and a sentence is compared with all of them
def _folded(name: str) -> str:
    return _squeeze(fold(name))


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _inside_a_word(text: str, place: int) -> bool:
    """Whether the characters on both sides of a place are Latin letters or digits of one kind."""
    if not 0 < place < len(text):
        return False
    one, other = text[place - 1], text[place]
    return one.isascii() and other.isascii() and one.isalnum() and other.isalnum()

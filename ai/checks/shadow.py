"""The shadow of a text: its letters and digits in one spelling, with the place of each in the text.

Disguises that leave the reader's eye undisturbed leave the shadow unchanged: spaces, emoji, zero-width characters,
full width, simplified characters, variants (臺, 祛), and punctuation between letters.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

from ai.checks.traditional import converter, is_simplified

# One character each, what is written and what is meant: variants, and characters that look like another.
_VARIANTS = dict(
    zip(
        "痠祕臺裏祛囗瘉愈孅粧癥汙汚痹凈溼丰强彊牀衆爲着麪羣峯恒脚佈囘囬迴徬癎羶剋濶冶廋淢曰慾疎覇囱",
        "酸秘台裡去口癒癒纖妝症污污痺淨濕豐強強床眾為著麵群峰恆腳布回回回彷癇膻克闊治瘦減日欲疏霸囪",
        strict=True,
    )
)
# Japanese forms, which s2t leaves alone.
_VARIANTS |= dict(
    zip(
        "嚢痩髪脱発薬効焼圧経気広験脳様黒増浄歯齢乗収豊労糸権険検斎駆覚顔",
        "囊瘦髮脫發藥效燒壓經氣廣驗腦樣黑增淨齒齡乘收豐勞絲權險檢齋驅覺顏",
        strict=True,
    )
)
_VARIANTS |= dict(zip("〇零一二兩三四五六七八九", "001223456789", strict=True))
# Parts of a sentence end here: two words beyond such a mark do not belong together.
_CLAUSE = frozenset("，。！？；：,!?;:\n\r…")
_SENTENCE = frozenset("。！？!?;；\n\r")
_LIST = frozenset("、")  # ends an item: letters on both sides are no word, but two words may belong together
_RULE = frozenset("|｜")  # between texts of their own; letters on both sides may be a word (減|肥)
_TONES = frozenset("ˊˇˋ˙ˉ‧・")
WIDEST = 12  # characters that may stand between two letters of one word


class _Fold(dict[str, str]):
    """The letters of a character in one spelling; none for what a reader overlooks."""

    def __missing__(self, char: str) -> str:
        number = unicodedata.digit(char, None)  # also ❶, which has no other form
        folded = unicodedata.normalize("NFKC", char).casefold() if number is None else str(number)
        kept = "".join(
            _VARIANTS.get(one, one) for one in folded if unicodedata.category(one)[0] in "LN" and one not in _TONES
        )
        self[char] = kept
        return kept


_fold = _Fold()


@dataclass(frozen=True)
class Shadow:
    """`letters[i]` stands at `places[i]` of the text. The counters rise with what stands between letters:

    `pieces` with anything, `stops` with marks that end a clause or an item of a list, `clauses` and `sentences` with
    marks that end those.
    """

    letters: str
    places: list[int]
    pieces: list[int]
    stops: list[int]
    clauses: list[int]
    sentences: list[int]

    def is_word(self, start: int, end: int) -> bool:
        """Whether letters from `start` to before `end` are read as one word, and no part of a longer Latin one.

        Across the end of a clause they are only if every letter is set apart (減，肥，茶), of two at least one alone.
        """
        stops = self.stops
        if self._goes_on(start) or (end < len(stops) and self._goes_on(end)):
            return False
        gaps = stops[end - 1] - stops[start]
        if gaps == 0 or gaps != end - start - 1:
            return gaps == 0
        alone = start == 0 or stops[start - 1] != stops[start]
        return gaps > 1 or alone or end == len(stops) or stops[end] != stops[end - 1]

    def _goes_on(self, place: int) -> bool:
        """Whether a Latin word or a number goes on at `place`."""
        if place == 0 or self.pieces[place - 1] != self.pieces[place]:
            return False
        before, after = self.letters[place - 1], self.letters[place]
        return before.isascii() and after.isascii() and before.isdigit() == after.isdigit()


def shadow_of(text: str) -> Shadow:
    """The shadow of `text`, in time linear to its length."""
    letters: list[str] = []
    places: list[int] = []
    counts: tuple[list[int], ...] = ([], [], [], [])
    pieces, stops, clauses, sentences = counts
    piece = stop = clause = sentence = 0
    last = -1
    for place, char in enumerate(text):
        folded = _fold[char]
        if not folded:
            if char in _CLAUSE:
                stop += 1
                clause += 1
                sentence += char in _SENTENCE
            elif char in _LIST:
                stop += 1
            elif char in _RULE:
                clause += 1
            continue
        if place - last != 1:
            piece += 1
            if place - last > WIDEST:
                stop += 1
                clause += 1
        last = place
        for letter in folded:
            letters.append(letter)
            places.append(place)
            pieces.append(piece)
            stops.append(stop)
            clauses.append(clause)
            sentences.append(sentence)
    return Shadow(_traditional("".join(letters)), places, pieces, stops, clauses, sentences)


def _traditional(letters: str) -> str:
    """`letters` with simplified characters converted; their number stays, since places belong to them."""
    if not any(map(is_simplified, set(letters))):
        return letters
    converted = "".join(_VARIANTS.get(one, one) for one in converter("s2t").convert(letters))
    return converted if len(converted) == len(letters) else letters


@functools.lru_cache(maxsize=65536)
def spelled(word: str) -> str:
    """The letters of a word or phrase as a shadow has them."""
    return shadow_of(word).letters

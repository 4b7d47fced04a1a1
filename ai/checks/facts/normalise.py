"""A text as the fact lock reads it: the shadow, in which one notation stands for many, with a map back to the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Simplified forms and variants of characters that the tables of this package use, one for one.
_VARIANTS = dict(
    zip(
        "万亿两点专医师荐奖证认国赠买运无装个级钱价优岁时销军热卖后种颗双对块条张组盘实际产进口韩湾荣获"
        "质检验标绝术层项码惠现满满减费礼预药养达网红红明过总单罗亚欧礼颜龄龙臺裏着週壹貳肆伍陸柒捌玖拾佰仟圓〇廿",
        "萬億兩點專醫師薦獎證認國贈買運無裝個級錢價優歲時銷軍熱賣後種顆雙對塊條張組盤實際產進口韓灣榮獲"
        "質檢驗標絕術層項碼惠現滿滿減費禮預藥養達網紅紅明過總單羅亞歐禮顏齡龍台裡著周一二四五六七八九十百千元零廿",
        strict=True,
    )
)
_VARIANTS |= dict.fromkeys("✕✖╳⨉*＊✗", "×") | dict.fromkeys("～〜∼", "~") | dict.fromkeys("–—−‐‑", "-")
_VARIANTS |= dict.fromkeys("➜➔➝⇒➡➞▶►⇨", "→")
_VARIANTS |= {"，": "，", "﹐": "，", "\n": "\n", "\r": "\n", "•": "，", "｡": "。"}


class _Folds(dict[int, str]):
    """What each character becomes, computed once: NFKC, lower case, one variant, nothing for invisible ones."""

    def __init__(self) -> None:
        self.uneven: set[str] = set()  # characters that become none, or several

    def __missing__(self, number: int) -> str:
        character = chr(number)
        folded = _VARIANTS.get(character)
        if folded is None:
            if unicodedata.category(character) in {"Cf", "Mn", "Me", "Cs"}:
                folded = ""
            else:
                parts = unicodedata.normalize("NFKC", character).lower()
                folded = "".join(" " if part.isspace() else _VARIANTS.get(part, part) for part in parts)
        if len(self) < 50_000:
            self[number] = folded
        if len(folded) != 1:
            self.uneven.add(character)
        return folded


_FOLDS = _Folds()
_DIGITS = "零一二兩三四五六七八九"
# Spaces mean something only between two words or numbers in Latin letters (`iPhone 15`, `30 ml`), marks of
# Markdown nowhere; between two amounts they keep these apart (4入 74折).
_SPACES = re.compile(
    rf"(?=[×~` ])(?:×{{2,}}|~{{2,}}|`+| +(?![a-z0-9${_DIGITS}])"
    rf"|(?<![a-z0-9%+{_DIGITS}件瓶盒入組包罐支條片個雙箱袋杯折元]) +|(?<= ) +)"
)
_PLAIN_COMMA = re.compile(r"(?<!\d),|,(?!\d)")
_WIDE_DIGITS = re.compile("(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")


@dataclass(frozen=True)
class Shadow:
    """`text` is folded; `origins[i]` is the offset in the text as given of the i-th folded character."""

    text: str
    origins: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text as given, in code points."""
        return self.origins[start], self.origins[end - 1] + 1


def _origins(text: str) -> list[int]:
    """The offset in `text` of each folded character."""
    made: list[int] = []
    last = 0
    for at in [at for at, character in enumerate(text) if character in _FOLDS.uneven]:
        made += range(last, at)
        made += [at] * len(_FOLDS[ord(text[at])])
        last = at + 1
    return made + list(range(last, len(text)))


def shadow_of(text: str) -> Shadow:
    """Folded text: full width, case, variants, invisible characters, and spaces beside Chinese characters."""
    text = _WIDE_DIGITS.sub(",", text)
    joined = text.translate(_FOLDS)
    origins: Sequence[int] = range(len(text))
    if not _FOLDS.uneven.isdisjoint(text):
        origins = _origins(text)
    joined = _PLAIN_COMMA.sub("，", joined)
    dropped = [match.span() for match in _SPACES.finditer(joined)]
    if not dropped:
        return Shadow(joined, origins)
    kept: list[str] = []
    map_back: list[int] = []
    at = 0
    for start, end in [*dropped, (len(joined), len(joined))]:
        kept.append(joined[at:start])
        map_back += origins[at:start]
        at = end
    return Shadow("".join(kept), map_back)

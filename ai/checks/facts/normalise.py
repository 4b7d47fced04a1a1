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


class _Folds(dict[str, str]):
    """What each character becomes, computed once: NFKC, lower case, one variant, nothing for invisible ones."""

    def __missing__(self, character: str) -> str:
        folded = _VARIANTS.get(character)
        if folded is None:
            if unicodedata.category(character) in {"Cf", "Mn", "Me", "Cs"}:
                folded = ""
            else:
                parts = unicodedata.normalize("NFKC", character).lower()
                folded = "".join(" " if part.isspace() else _VARIANTS.get(part, part) for part in parts)
        if len(self) < 50_000:
            self[character] = folded
        return folded


_FOLDS = _Folds()
_DIGITS = "零一二兩三四五六七八九"
# Spaces mean something only between two words or numbers in Latin letters (`iPhone 15`, `30 ml`), marks of
# Markdown nowhere; between two amounts they keep these apart (4入 74折).
_SPACES = re.compile(
    rf"×{{2,}}|~{{2,}}|`+| +(?![a-z0-9${_DIGITS}])"
    rf"|(?<![a-z0-9%+{_DIGITS}件瓶盒入組包罐支條片個雙箱袋杯折元]) +|(?<= ) +"
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


def shadow_of(text: str) -> Shadow:
    """Folded text: full width, case, variants, invisible characters, and spaces beside Chinese characters."""
    folded = [_FOLDS[character] for character in _WIDE_DIGITS.sub(",", text)]
    joined = "".join(folded)
    origins: Sequence[int] = range(len(text))
    if len(joined) != len(text) or "" in folded:
        origins = [at for at, piece in enumerate(folded) for _ in piece]
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

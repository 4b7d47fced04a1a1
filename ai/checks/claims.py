"""The claim check: phrases that the law on advertising forbids, found in a text whatever their spelling.

Phrases of all domains are found by one Aho–Corasick automaton over the text's shadow. Those of the domain count;
allowed ones absorb the forbidden ones that they cover; of nested ones the longest is reported.
"""

from __future__ import annotations

import logging
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ahocorasick

from ai.checks.patterns import FAR, BadPattern, disguises, expand, parse
from ai.checks.shadow import Shadow, shadow_of, spelled
from ai.checks.warnings import Check, Severity, Warning

logger = logging.getLogger("ai")

# Category of allowed phrases that are words of their own (髮絲, 治療室): what only overlaps them, or is a part of them,
# is not there at all (生髮 in 養生髮絲).
WORD = "斷詞"
_RANK = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2}
# Words before a phrase that deny it, and what may stand between: 不具預防或治療疾病之功效.
_DENIED = re.compile(
    "(?:不具備?|不能|無法|不可|不得|不宜|並非|並不是|絕非|非|不是|不屬於|沒有|未|不宣稱|不強調|不主打|不會|無|請勿|切勿|勿|拒絕|不鼓勵|不建議|不主張|不保證|不添加|未添加|不含|無添加|零添加)"
    "(?:任何|宣稱|聲稱|強調|有|具有?|用於|用來|作為|做為|當作|當成|視為|取代|代替|替代|誤認|誤信|醫療|診斷|預防|治療|改善|緩解|減輕|疾病|或|及|和|與|之|的|等|"
    "病症|症狀|對|以|為|效果|功效|療效|達到|可|能|所謂|藥品|藥物|一種|是|來|相信|醫)*$"
)
_BEFORE = 24  # letters that are looked at
_DENIED_TWICE = ("不可", "不行", "莫屬", "不了")


@dataclass(frozen=True)
class Rule:
    """A phrase that is forbidden, or allowed, in a domain; in all of them if `domain` is empty."""

    text: str
    domain: str
    category: str
    allowed: bool
    severity: Severity
    law: str
    reason: str
    suggestion: str


@dataclass(frozen=True)
class Hit:
    """A rule in a shadow: its letters from `start` to before `end`."""

    start: int
    end: int
    rule: Rule


Spans = list[tuple[int, int]]


class Phrases:
    """Rules that are ready to be found. A rule whose text is no pattern is left out, with an error in the log."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._automaton = ahocorasick.Automaton()
        self._parts: dict[str, int] = {}
        self._words: set[int] = set()  # parts that are words of their own
        # By domain and first part: rules, each with its second part (-1: none) and the letters between.
        self._rules: dict[str, dict[int, list[tuple[Rule, int, int]]]] = defaultdict(lambda: defaultdict(list))
        disguised: set[int] = set()
        for rule in rules:
            try:
                pattern = parse(rule.text)
            except BadPattern as error:
                logger.error("Phrase %r is not checked: %s", rule.text, error)
                continue
            numbers = [self._parts.setdefault(part, len(self._parts)) for part in pattern.parts]
            second = numbers[1] if len(numbers) == 2 else -1
            self._rules[rule.domain][numbers[0]].append((rule, second, pattern.gap))
            if not rule.allowed:
                disguised.update(numbers)
            elif rule.category == WORD:
                self._words.update(numbers)
        self._build(disguised)

    def _build(self, disguised: set[int]) -> None:
        words: dict[str, set[int]] = defaultdict(set)
        for part, number in self._parts.items():
            for word in map(spelled, expand(part)):
                words[word].add(number)
                if number in disguised:
                    for other in disguises(word):
                        words[spelled(other)].add(number)
        for word, found in words.items():
            self._automaton.add_word(word, (len(word), tuple(found)))
        self._automaton.make_automaton()

    def hits(self, shadow: Shadow, domain: str) -> list[Hit]:
        """All rules of the domain that stand in the shadow, by place."""
        if not len(self._automaton):
            return []
        spots: dict[int, Spans] = defaultdict(list)
        for last, (length, parts) in self._automaton.iter(shadow.letters):
            start, end = last + 1 - length, last + 1
            if length == 1 or shadow.is_word(start, end):
                for part in parts:
                    spots[part].append((start, end))
        words = _Words(shadow, [span for part in self._words & spots.keys() for span in spots[part]])
        for part, spans in spots.items():
            if part not in self._words:
                spans[:] = [span for span in spans if not words.cut(*span)]
            spans.sort()
        found: list[Hit] = []
        for name in {"", domain}:
            rules = self._rules.get(name, {})
            for part in rules.keys() & spots.keys():
                for rule, second, gap in rules[part]:
                    spans = spots[part] if second < 0 else _pairs(shadow, spots[part], spots.get(second, []), gap)
                    found += [Hit(start, end, rule) for start, end in spans]
        found.sort(key=lambda hit: (hit.start, -hit.end, _RANK[hit.rule.severity], not hit.rule.domain))
        return found


def _pairs(shadow: Shadow, firsts: Spans, seconds: Spans, gap: int) -> Spans:
    """From each first to the nearest second that follows it in the same clause, or, if far, in the same sentence."""
    marks = shadow.sentences if gap == FAR else shadow.clauses
    starts = [start for start, _ in seconds]
    made = []
    for start, end in firsts:
        place = bisect_left(starts, end)
        if place < len(starts) and starts[place] - end <= gap and marks[start] == marks[starts[place]]:
            # Of seconds that start together the longest.
            last = bisect_right(starts, starts[place]) - 1
            made.append((start, seconds[last][1]))
    return made


def check_claims(text: str, domain: str, phrases: Phrases) -> list[Warning]:
    """What the law objects to in `text` about a product of `domain`, by place; offsets are code points of `text`."""
    shadow = shadow_of(text)
    hits = phrases.hits(shadow, domain)
    allowed = _Absorber([hit for hit in hits if hit.rule.allowed])
    kept: list[Warning] = []
    reached = 0  # end of the longest hit so far
    for hit in hits:
        if hit.rule.allowed or hit.end <= reached or allowed.covers(hit):
            continue
        reached = hit.end
        if _is_denied(shadow, hit):
            continue
        start, end = shadow.places[hit.start], shadow.places[hit.end - 1] + 1
        rule = hit.rule
        kept.append(
            Warning(
                check=Check.CLAIMS,
                kind=rule.category,
                severity=rule.severity,
                start=start,
                end=end,
                text=text[start:end],
                reason=rule.reason,
                suggestion=rule.suggestion,
                law=rule.law,
            )
        )
    return kept


class _Words:
    """Words of their own, in one piece."""

    def __init__(self, shadow: Shadow, spans: Spans) -> None:
        pieces = shadow.pieces
        self._spans = sorted(span for span in spans if pieces[span[0]] == pieces[span[1] - 1])
        self._longest = max((end - start for start, end in spans), default=0)

    def cut(self, start: int, end: int) -> bool:
        """Whether the letters from `start` to before `end` overlap a word that they do not contain."""
        first = bisect_left(self._spans, (start - self._longest, 0))
        last = bisect_left(self._spans, (end, 0))
        return any(until > start and (since < start or until > end) for since, until in self._spans[first:last])


class _Absorber:
    """Allowed hits, which cover forbidden ones."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._starts = [hit.start for hit in hits]
        self._reach: list[int] = []  # the furthest end of the hits up to each
        for hit in hits:
            self._reach.append(max(hit.end, self._reach[-1] if self._reach else 0))

    def covers(self, hit: Hit) -> bool:
        place = bisect_right(self._starts, hit.start) - 1
        return place >= 0 and self._reach[place] >= hit.end


def _is_denied(shadow: Shadow, hit: Hit) -> bool:
    """Whether the words before a hit deny what it says, in its own clause."""
    first = bisect_left(shadow.clauses, shadow.clauses[hit.start], max(0, hit.start - _BEFORE), hit.start)
    if not _DENIED.search(shadow.letters[first : hit.start]):
        return False
    return not shadow.letters.startswith(_DENIED_TWICE, hit.end)

"""The claim check: phrases that the law on advertising forbids, found in a text whatever their spelling.

Phrases of all domains are found by one Aho–Corasick automaton over the text's shadow. Those of the domain count;
allowed ones absorb the forbidden ones that they cover; of nested ones the longest is reported.
"""

from __future__ import annotations

import logging
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
    "(?:不具備?|不能|無法|不可|不得|不宜|並非|並不是|絕非|非|不是|不屬於|沒有|未|不宣稱|不強調|不主打|不會|無|請勿|切勿|勿|別再|別|不要|不賣|不吹噓|不標榜|不訴求|不涉及|不敢說|從不說|拒絕|不鼓勵|不建議|不主張|不保證|不添加|未添加|不含|無添加|零添加)"
    "(?:任何|宣稱|聲稱|強調|有|具有?|用於|用來|作為|做為|當作|當成|視為|取代|代替|替代|誤認|誤信|醫療|診斷|預防|治療|改善|緩解|減輕|疾病|或|及|和|與|之|的|等|"
    r"相信|聽信|輕信|誤信|\d|天|周|個月|讓|使|你|妳|您|我|會|因此|直接|保證|說|什麼|那些|病症|症狀|對|以|為|效果|功效|療效|達到|可|能|所謂|藥品|藥物|一種|是|來|相信|醫)*$"
)
# What is said after a phrase about its being untrue: 三天瘦五公斤的廣告都是假的.
_UNTRUE = re.compile(
    "不可信|不能信|不要信|別信|別相信|請勿相信|請勿聽信|都是假|是假的|騙人|是錯的|迷思|不正確|不屬實|沒有根據|不存在|沒有解藥|沒有特效藥"
    "|[我都誰]不信(?!邪)|別當真|不當真|開玩笑|只是玩笑|純屬玩笑|書名"
)
# Words of not saying deny the rest of the clause (不敢說擦了就年輕十歲), unless it turns (不敢說最好但絕對有效).
_UNSAID = re.compile(
    "(?:不敢說|不敢稱|從不說|不宣稱|不聲稱|不吹噓|不吹捧|不標榜|不訴求|才不是|沒有?什麼"
    "|(?:不要|請勿|切勿|勿|別|別再)(?:相信|聽信|輕信|誤信))(?:(?!但|卻|不過|只|就是|直接|絕對|比).){0,12}$"
)
_SAYING = frozenset("敢說宣聲吹標訴是麼信")  # none of these, and no search
# Between the parts of a pair: 宿醉沒有解藥.
_FAILS = ("沒", "沒有", "無", "無法", "不能", "不會", "並不", "無從", "未能")
# 剛做完雷射的肌膚請先詢問醫師: a treatment that the reader had, and advice about it.
_HAD = ("做完", "做過", "接受", "接受過", "打完", "動完")
_ADVICE = re.compile("請先|請勿|勿|不宜|避免|諮詢|詢問|請洽")
# A question (能治療青春痘嗎？) and how its answer begins when that is no.
_ASKED = ("嗎", "呢", "是不是", "能不能", "有沒有")
_NO_ALONE = frozenset(["不", "不是", "沒有", "沒", "錯", "否", "不對", "當然不", "當然不是", "並不是"])  # 止痛？沒有，…
_NO = re.compile(
    "(?:a|ans|答|店長|小編)?(?:不|無法|沒有|否|抱歉|並不|並非|當然不|本(?:產品|品|商品)[^，]{0,8}?(?:不|非|無|沒有))"
)
MOST_LISTED = 2_000  # pairs of one rule in a text
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
    """A rule in a shadow: its letters from `start` to before `end`; those of a second part from `last`."""

    start: int
    end: int
    rule: Rule
    last: int = -1


Spans = list[tuple[int, int]]


class Phrases:
    """Rules that are ready to be found. A rule whose text is no pattern is left out, with an error in the log."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._automaton = ahocorasick.Automaton()
        self._parts: dict[str, int] = {}
        self._words: set[int] = set()  # parts that are words of their own
        # By domain and first part: rules, each with its second part (-1: none) and the letters between.
        self._rules: dict[str, dict[int, list[tuple[Rule, int, int]]]] = defaultdict(lambda: defaultdict(list))
        self._forbidden: set[int] = set()  # parts of forbidden rules: those are disguised, and cut by words
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
                self._forbidden.update(numbers)
            elif rule.category == WORD:
                self._words.update(numbers)
        self._build()

    def _build(self) -> None:
        words: dict[str, set[int]] = defaultdict(set)
        for part, number in self._parts.items():
            for word in map(spelled, expand(part)):
                words[word].add(number)
                if number in self._forbidden:
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
            if part in self._forbidden:
                spans[:] = [span for span in spans if not words.cut(*span)]
            spans.sort()
        found = [hit for name in {"", domain} for hit in self._found(name, spots, shadow)]
        found.sort(key=_order)
        return found

    def _found(self, domain: str, spots: dict[int, Spans], shadow: Shadow) -> Iterator[Hit]:
        """Hits of the domain's own rules whose parts stand at `spots`."""
        rules = self._rules.get(domain, {})
        for part in rules.keys() & spots.keys():
            for rule, second, gap in rules[part]:
                if second < 0:
                    yield from (Hit(start, end, rule) for start, end in spots[part])
                elif second in spots:
                    pairs = _pairs(shadow, spots[part], spots[second], gap)
                    yield from (Hit(start, end, rule, last) for start, end, last in pairs)


def _order(hit: Hit) -> tuple[int, int, int, bool, bool]:
    """By place; of equal ones the severer, that of the domain, and a phrase before a pattern."""
    rule = hit.rule
    return hit.start, -hit.end, _RANK[rule.severity], not rule.domain, "{" in rule.text


def _pairs(shadow: Shadow, firsts: Spans, seconds: Spans, gap: int) -> list[tuple[int, int, int]]:
    """From each first to the nearest second that follows it in the same clause, or, if far, in the same sentence.

    Start, end, and where the second begins.
    """
    marks = shadow.sentences if gap == FAR else shadow.clauses
    starts = [start for start, _ in seconds]
    made = []
    for start, end in firsts:
        place = bisect_left(starts, end)
        if place < len(starts) and starts[place] - end <= gap and marks[start] == marks[starts[place]]:
            # Of seconds that start together the longest.
            last = bisect_right(starts, starts[place]) - 1
            if shadow.letters.endswith(_FAILS, end, starts[place]):
                continue
            made.append((start, seconds[last][1], starts[place]))
            # Of a list (預防蛀牙、牙齦出血) also the rest: an allowed first item absorbs itself alone.
            while last + 1 < len(starts) and 0 <= starts[last + 1] - made[-1][1] <= 1 and len(made) < MOST_LISTED:
                last = bisect_right(starts, starts[last + 1]) - 1
                if marks[start] != marks[seconds[last][1] - 1]:
                    break
                made.append((starts[last], seconds[last][1], -1))
    return made


def check_claims(text: str, domain: str, phrases: Phrases) -> list[Warning]:
    """What the law objects to in `text` about a product of `domain`, by place; offsets are code points of `text`."""
    shadow = shadow_of(text)
    hits = phrases.hits(shadow, domain)
    allowed = _Absorber([hit for hit in hits if hit.rule.allowed])
    hits = [hit for hit in hits if not hit.rule.allowed and not allowed.covers(hit)]
    stops = shadow.stops
    whole = {hit.start for hit in hits if stops[hit.start] == stops[hit.end - 1]}
    kept: list[Warning] = []
    reached = 0  # end of the longest hit so far
    for hit in hits:
        # 擊退橘皮、消水腫: what one item of a list says goes before what two of them say together.
        if hit.end <= reached or (hit.start in whole and stops[hit.start] != stops[hit.end - 1]):
            continue
        reached = hit.end
        if _is_denied(shadow, hit) or _is_question(shadow, hit, text):
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
        # From each start the end of the longest phrase; a pair (糖尿病……請諮詢醫師) excuses no 改善糖尿病.
        self._ends = {hit.start: hit.end for hit in reversed(hits) if hit.last < 0}
        self._reach: list[int] = []  # the furthest end of the hits up to each
        for hit in hits:
            self._reach.append(max(hit.end, self._reach[-1] if self._reach else 0))

    def covers(self, hit: Hit) -> bool:
        """Whether an allowed hit covers it, or begins with its second part: 一瓶…緊實 in 一瓶乳霜，緊實肌膚."""
        if self._ends.get(hit.last, 0) > hit.end:
            return True
        place = bisect_right(self._starts, hit.start) - 1
        return place >= 0 and self._reach[place] >= hit.end


def _is_question(shadow: Shadow, hit: Hit, text: str) -> bool:
    """Whether a hit is asked and the answer says no: 能治療青春痘嗎？不能, 止痛？沒有."""
    letters, clauses, sentences = shadow.letters, shadow.clauses, shadow.sentences
    after = min(len(letters), hit.end + _BEFORE)
    over = bisect_right(sentences, sentences[hit.end - 1], hit.end, after)
    if letters.endswith(_ASKED, hit.start, over):
        return bool(_NO.match(letters, over))
    if over == len(letters) or "?" not in text[shadow.places[over - 1] : shadow.places[over]].replace("？", "?"):
        return False
    answered = bisect_right(clauses, clauses[over], over, min(len(letters), over + _BEFORE))
    return letters[over:answered] in _NO_ALONE


def _is_denied(shadow: Shadow, hit: Hit) -> bool:
    """Whether a hit's own clause denies what it says, or speaks of what the reader had done before."""
    letters, clauses, sentences = shadow.letters, shadow.clauses, shadow.sentences
    first = bisect_left(clauses, clauses[hit.start], max(0, hit.start - _BEFORE), hit.start)
    before = letters[first : hit.start]
    if _DENIED.search(before):
        return not letters.startswith(_DENIED_TWICE, hit.end)
    after = min(len(letters), hit.end + _BEFORE)
    last = bisect_right(clauses, clauses[hit.end - 1], hit.end, after)
    if _UNTRUE.search(letters, hit.end, last) or (not _SAYING.isdisjoint(before) and _UNSAID.search(before)):
        return True
    if not before.endswith(_HAD):
        return False
    over = bisect_right(sentences, sentences[hit.end - 1], hit.end, after)
    return bool(_ADVICE.search(letters, hit.end, over))

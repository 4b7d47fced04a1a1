"""The claim check: what the law objects to is found in any spelling, and what it allows is not."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.checks.claims import WORD, Phrases, Rule, check_claims
from ai.checks.patterns import BadPattern, expand, parse
from ai.checks.warnings import Severity
from ai.models import Domain
from tests.ai.conftest import shipped_rules
from tests.ai.corpus_claims import DISGUISED, breaks, innocent

SEPARATORS = [" ", "　", "\u200b", "-", "・", "🔥", "*", ".", "_", "♥️", "\u2060"]


def rule(text: str, domain: str = "", *, allowed: bool = False, category: str = "甲", **values: str) -> Rule:
    return Rule(text, domain, category, allowed, Severity.HIGH, "", "", "", **values)  # type: ignore[arg-type]


def found(text: str, domain: str, phrases: Phrases) -> list[str]:
    return [warning.text for warning in check_claims(text, domain, phrases)]


def test_every_rule_break_is_found_at_its_place(phrases: Phrases) -> None:
    cases = breaks()
    missed = []
    for domain, category, text, start, end in cases:
        hits = [
            warning
            for warning in check_claims(text, domain, phrases)
            if warning.start < end
            and warning.end > start
            and warning.kind == category
            and warning.end - warning.start <= max(20, 3 * (end - start))
        ]
        if not hits:
            missed.append((domain, category, text))
    assert missed == []
    assert len(cases) >= 120
    assert len(DISGUISED.strip().splitlines()) >= 30


def test_innocent_texts_stay_silent(phrases: Phrases) -> None:
    cases = innocent()
    assert [(text, found(text, domain, phrases)) for domain, text in cases if found(text, domain, phrases)] == []
    assert len(cases) >= 120


def test_every_suggestion_passes_the_check_itself(phrases: Phrases) -> None:
    suggestions = {(one.suggestion, one.domain) for one in shipped_rules() if one.suggestion}
    objected = [
        (text, name)
        for text, domain in suggestions
        for name in ([domain] if domain else Domain.values)
        if check_claims(text, name, phrases)
    ]
    assert suggestions
    assert objected == []


def test_every_forbidden_phrase_is_found_and_every_allowed_one_is_silent(phrases: Phrases) -> None:
    allowed = {(one.text, one.domain) for one in shipped_rules() if one.allowed and one.category != WORD}
    wrong = []
    for one in shipped_rules():
        if one.category == WORD or len(parse(one.text).parts) > 1:
            continue
        word = next(iter(expand(one.text)))
        hits = found(word, one.domain or Domain.GENERAL, phrases)
        if bool(hits) == one.allowed and (word, one.domain) not in allowed:
            wrong.append((one.text, one.domain, hits))
    assert wrong == []


def test_every_shipped_row_says_why_and_where_it_is_from() -> None:
    for one in shipped_rules():
        assert one.category
        assert one.reason
        assert one.allowed or (one.law and one.suggestion), one


@pytest.mark.parametrize("separator", SEPARATORS)
def test_what_stands_between_letters_hides_nothing(separator: str, phrases: Phrases) -> None:
    text = f"每天一杯{separator.join('減肥')}茶"
    [warning] = check_claims(text, "food", phrases)
    assert warning.text == f"減{separator}肥"
    assert text[warning.start : warning.end] == warning.text


@settings(max_examples=60)
@given(st.text(max_size=60), st.sampled_from(Domain.values))
def test_offsets_are_those_of_the_text(phrases: Phrases, text: str, domain: str) -> None:
    for warning in check_claims(f"{text}減🔥肥{text}全台第一", domain, phrases):
        whole = f"{text}減🔥肥{text}全台第一"
        assert whole[warning.start : warning.end] == warning.text != ""


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("本產品不具治療疾病之功效", []),
        ("本品不能預防、改善或治療疾病", []),
        ("不含酒精，治療濕疹", ["治療濕疹"]),
        ("夏天非減肥不可", ["減肥"]),
        ("非常有效的減肥茶", ["減肥"]),
        ("別相信三天瘦五公斤的廣告", []),
        ("三天瘦五公斤的廣告都是騙人的", []),
        ("Q：可以治療失眠嗎？A：不行，這是食品", []),
        ("Q：可以治療失眠嗎？A：當然可以", ["治療失眠"]),
    ],
)
def test_a_denial_counts_for_what_it_denies(text: str, hits: list[str], phrases: Phrases) -> None:
    assert found(text, "food", phrases) == hits


def test_two_clauses_make_no_word(phrases: Phrases) -> None:
    assert found("天然而生，髮根清爽", "cosmetic", phrases) == []
    assert found("有效改善收納，疾病管制署提醒勤洗手", "general", phrases) == []


@pytest.mark.parametrize(("text", "hits"), [("UNO 1 系列", []), ("No.10", []), ("吸力 N o . 1！", ["N o . 1"])])
def test_latin_words_and_numbers_are_whole(text: str, hits: list[str], phrases: Phrases) -> None:
    assert found(text, "general", phrases) == hits


def test_phrases_of_other_domains_neither_count_nor_hide_others() -> None:
    both = Phrases([rule("深層殺菌", "food"), rule("殺菌", "cosmetic")])
    assert found("深層殺菌", "cosmetic", both) == ["殺菌"]
    assert found("深層殺菌", "food", both) == ["深層殺菌"]
    assert found("深層殺菌", "general", both) == []


def test_allowed_phrases_absorb_what_they_cover_and_only_that() -> None:
    some = Phrases([rule("除毛"), rule("去除毛孔髒污", allowed=True)])
    assert found("去除毛孔髒污", "cosmetic", some) == []
    assert found("去除毛髮", "cosmetic", some) == ["除毛"]


def test_words_of_their_own_are_not_cut() -> None:
    some = Phrases([rule("生髮"), rule("髮絲", allowed=True, category=WORD)])
    assert found("養生髮絲", "cosmetic", some) == []
    assert found("生髮水", "cosmetic", some) == ["生髮"]


def test_of_nested_hits_the_longest_is_reported() -> None:
    assert found("全台銷量第一", "food", Phrases([rule("第一"), rule("銷量第一")])) == ["銷量第一"]


def test_two_parts_stand_near_each_other_in_one_clause() -> None:
    some = Phrases([rule("{對治}…{疾病}")])
    assert found("改善惱人濕疹", "cosmetic", some) == ["改善惱人濕疹"]
    assert found("改善生活品質與居家環境的濕疹", "cosmetic", some) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{怪獸}", "沒有「怪獸」這一類詞"),
        ("甲…乙…丙", "只能有一個"),
        ("！！", "要有文字"),
        ("{疾病", "成對"),
        ("{疾病}{對治}", "最多"),
    ],
)
def test_texts_that_are_no_pattern(text: str, message: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BadPattern, match=message):
        parse(text)
    # One bad row leaves the others.
    assert found("減肥", "food", Phrases([rule(text), rule("減肥")])) == ["減肥"]
    assert text in caplog.text


@pytest.mark.parametrize("piece", ["治療", "改善疾病", "減 ", "不", "治療濕疹第一", "\u200b"])
def test_hostile_texts_take_work_linear_to_their_length(piece: str, phrases: Phrases) -> None:
    def calls(letters: int) -> int:
        """Calls of functions, and turns of generators: the same in every run."""
        text, number = (piece * letters)[:letters], 0

        def count(*event: object) -> None:
            nonlocal number
            number += 1

        check_claims(text, "food", phrases)  # what is remembered of characters is not counted
        sys.setprofile(count)
        try:
            check_claims(text, "food", phrases)
        finally:
            sys.setprofile(None)
        return number

    assert calls(10_000) < 15 * calls(1_000)

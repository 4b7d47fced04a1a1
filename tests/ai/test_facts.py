"""The fact lock: lies are found at their place, honest texts are left alone, in every notation and within bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.checks.facts import Facts, Kind, check_facts
from ai.checks.warnings import Check
from tests.ai import corpus_facts_more
from tests.ai.corpus_facts import FACTS, HONEST, LIES

ALL = {key: Facts.from_mapping(mapping) for key, mapping in FACTS.items()}


@pytest.mark.parametrize(("key", "marked", "kind"), LIES)
def test_finds_each_lie_at_its_place(key: str, marked: str, kind: str) -> None:
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    found = check_facts(text, ALL[key])
    assert found, "nothing found"
    assert all(hit.start < end and hit.end > start for hit in found), found
    assert all(
        hit.end - hit.start <= max(20, 3 * (end - start)) and hit.text == text[hit.start : hit.end] for hit in found
    )
    assert kind in {hit.kind for hit in found}, found
    assert all(hit.check is Check.FACTS and hit.reason for hit in found)


@pytest.mark.parametrize(("key", "text"), HONEST)
def test_is_silent_about_honest_texts(key: str, text: str) -> None:
    assert check_facts(text, ALL[key]) == []


@pytest.mark.parametrize("key", {**corpus_facts_more.FACTS, **corpus_facts_more.VOICES})
def test_tells_more_lies_from_honest_texts(key: str) -> None:
    facts = Facts.from_mapping({**FACTS, **corpus_facts_more.FACTS}[key])
    voices = corpus_facts_more.VOICES.get(key, ("", ""))
    honest = f"{corpus_facts_more.HONEST.get(key, '')}\n{voices[0]}".split("\n")
    honest.append(corpus_facts_more.PAGES.get(key, ""))
    assert {text: found for text in honest if (found := check_facts(text, facts))} == {}
    for marked in f"{corpus_facts_more.LIES.get(key, '')}\n{voices[1]}".split("\n"):
        if not marked:
            continue
        start, end = marked.index("«"), marked.index("»") - 1
        found = check_facts(marked.replace("«", "").replace("»", ""), facts)
        hits = [hit for hit in found if hit.start < end and hit.end > start]
        assert hits, marked
        assert all(hit.end - hit.start <= max(20, 3 * (end - start)) for hit in hits)


def test_the_corpora_hold_every_kind() -> None:
    assert len(LIES) >= 120
    assert len(HONEST) >= 120
    assert {kind for _, _, kind in LIES} >= set(Kind) - {Kind.NUMBER}


# ── Every notation of a number ───────────────────────────────────────────────────────────────────────────────────────
_DIGITS = "零一二三四五六七八九"


def _chinese(number: int) -> str:
    """A number below 10,000 as one says it."""
    text, gap = "", False
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // scale % 10
        if digit:
            text += ("零" if gap else "") + _DIGITS[digit] + name
        gap = bool(text) and not digit
    return text


def _notations(number: int) -> list[str]:
    wide = str(number).translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    return [
        str(number),
        f"{number:,}",
        wide,
        _chinese(number),
        _chinese(number).replace("二千", "兩千").replace("二百", "兩百"),
    ]


# Each with the key whose value stands in it.
SENTENCES = [
    ("price", "✨現在只要{}元，快加入購物車！"),
    ("price", "限定優惠價NT${}"),
    ("price", "售價：{} 元\n數量有限"),
    ("price", "「特價{}元」帶回家"),
    ("list_price", "原價{}元，現在更划算"),
    ("list_price", "定價 {} 元的好物"),
    ("content", "大容量{}ml，用得久"),
    ("content", "每瓶{}毫升的滋潤"),
    ("content", "內容量：{} mL"),
    ("count", "超值{}入組"),
    ("count", "一次帶走{}瓶💖"),
    ("warranty", "原廠保固{}年"),
    ("warranty", "享{}年保固"),
    ("shelf", "保存期限{}個月"),
    ("hours", "長效保濕{}小時"),
    ("percent", "含{}%菸鹼醯胺"),
    ("sold", "熱銷{}瓶"),
]


@st.composite
def _worlds(draw: st.DrawFn) -> dict[str, int]:
    price = draw(st.integers(101, 8_000))
    return {
        "price": price,
        "list_price": price + draw(st.integers(10, 1_900)),
        "content": draw(st.integers(31, 950)),
        "count": draw(st.integers(2, 12)),
        "warranty": draw(st.integers(2, 9)),
        "shelf": draw(st.integers(13, 35)),
        "hours": draw(st.integers(3, 23)),
        "percent": draw(st.integers(2, 60)),
        "sold": draw(st.integers(1_000, 9_999)),
    }


def _facts(world: dict[str, int]) -> Facts:
    return Facts.from_mapping(
        {
            "brand": "小森林",
            "name": "小森林 B5 保濕精華",
            "price": world["price"],
            "list_price": f"NT${world['list_price']:,}",
            "content": f"{world['content']}ml",
            "count": world["count"],
            "warranty": f"{world['warranty']}年",
            "shelf_life": f"{world['shelf']}個月",
            "ingredients": [f"菸鹼醯胺{world['percent']}%"],
            "other": [f"{world['hours']}小時保濕", f"熱銷{world['sold']}瓶"],
        }
    )


@settings(max_examples=25, deadline=None)
@given(world=_worlds(), data=st.data())
def test_a_true_number_passes_in_every_notation_and_a_changed_one_is_found(
    world: dict[str, int], data: st.DataObject
) -> None:
    facts = _facts(world)
    for key, sentence in SENTENCES:
        written = data.draw(st.sampled_from(_notations(world[key])))
        assert check_facts(sentence.format(written), facts) == [], sentence.format(written)

        # More than any rounding or sum of the facts, and in no relation to them.
        false = (
            world[key] * 3 + 7
            if key == "count"
            else world[key] + data.draw(st.integers(world[key] // 10 + 1, world[key] // 5 + 9))
        )
        if key in {"content", "warranty", "shelf", "hours", "count"} and false in {
            world[key] * n for n in range(2, 30)
        }:
            continue
        if false in {world["price"], world["list_price"], world["list_price"] - world["price"]} | {
            world["price"] * n for n in range(2, 9)
        }:
            continue
        written = data.draw(st.sampled_from(_notations(false)))
        text = sentence.format(written)
        place = text.index(written)
        found = check_facts(text, facts)
        assert [hit for hit in found if hit.start < place + len(written) and hit.end > place], text
        assert all(hit.end - hit.start <= max(20, 3 * len(written)) for hit in found)


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(
        st.sampled_from(
            list("0123456789,.%一二三百千萬折買送第元個年月ml$×x-/ 無不含 原價特價省第名NO日本製️⃣①㎖½\n，「」🔥")
        ),
        max_size=120,
    )
)
def test_offsets_are_those_of_the_text_whatever_it_is(text: str) -> None:
    for warning in check_facts(text, ALL["serum"]):
        assert 0 <= warning.start < warning.end <= len(text)
        assert warning.text == text[warning.start : warning.end]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("特價990元", "NT$1,280"),
        ("原價2,000元", "NT$1,600"),
        ("打7折", "8折"),
        ("現省500元", "NT$320"),
        ("大容量50ml", "30ml"),
        ("保存期限5年", "3年"),
        ("榮獲金獎", ""),
    ],
)
def test_suggests_what_the_facts_say(text: str, suggestion: str) -> None:
    assert [warning.suggestion for warning in check_facts(text, ALL["serum"])] == [suggestion]


def test_a_disguised_lie_is_found() -> None:
    for text in ("特價 ９９０ 元", "特價9\u200b90元", "打７折", "S​GS、無 防 腐 劑", "售价９９０元"):
        assert len(check_facts(text, ALL["serum"])) == 1, text


# ── Facts from any mapping ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("price", ["NT$1,280", "1,280 元", "１２８０", 1280, 1280.0, Decimal("1280.00"), ["1280"]])
def test_prices_are_read_from_dirty_values(price: Any) -> None:
    assert Facts.from_mapping({"price": price}).prices == (1280,)


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"price": {"a": 1}}, "price"),
        ({"content": object()}, "content"),
        ({"count": True}, "count"),
        ({"other": [["a"]]}, "other"),
        ({"usage": float("nan")}, "usage"),
        ({"name": "長" * 20_001}, "name"),
    ],
)
def test_other_shapes_are_refused_with_their_key(mapping: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=key):
        Facts.from_mapping(mapping)


def test_empty_facts_support_nothing_but_plain_words() -> None:
    facts = Facts.from_mapping({"name": None, "price": "", "other": []})
    assert check_facts("一見鍾情的好物", facts) == []
    assert len(check_facts("只要990元，日本製", facts)) == 2


def test_unknown_keys_are_supporting_texts() -> None:
    assert check_facts("每日3滴，敷15分鐘", Facts.from_mapping({"usage": ["每日3滴", "敷15分鐘後洗淨"]})) == []


# ── Bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_texts_beyond_the_bound_are_refused() -> None:
    with pytest.raises(ValueError, match="20,000"):
        check_facts("長" * 20_001, ALL["bare"])


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1,",
        "1,111",
        "(",
        "$",
        "百",
        "一二三",
        "a",
        "a-",
        "不含",
        "買1",
        "1-",
        "醫師",
        " ",
        "11/",
        "無",
        "第",
        "滿1",
        "a1/1",
        "http://",
        "最後1",
        "萬1千",
    ],
)
def test_hostile_texts_take_linear_work(piece: str) -> None:
    """20,000 characters end at all within the suite's time limit; a quadratic pattern would take minutes."""
    check_facts((piece * 20_000)[:20_000], ALL["serum"])

"""Conversion to Traditional Chinese: only what is simplified changes."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ai.checks.traditional import is_simplified, to_traditional

# Characters that s2tw changes although Traditional text has them, and some that it must not touch.
TRADITIONAL = "濕溼裏裡着著台臺床牀面麵里裡只隻後后乾干幹發髮製制雲云余餘松鬆症癥污汙群羣峰峯線綫吃喫痴癡了瞭準准系係"


@settings(max_examples=80)
@given(st.text(alphabet=TRADITIONAL + "，。 保養公尺皇只有血液循環abc123🔥", max_size=40))
def test_traditional_text_stays_as_it_is(text: str) -> None:
    assert to_traditional(text) == (text, False)


@settings(max_examples=60)
@given(st.text(max_size=40))
@example("这款\0精华")
def test_the_length_never_changes_and_twice_is_once(text: str) -> None:
    converted, changed = to_traditional(text)
    assert len(converted) == len(text)
    assert changed == (converted != text)
    assert not any(is_simplified(char) and to_traditional(char)[0] != char for char in converted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("这款精华滋润皮肤，促进血液循环", "這款精華滋潤皮膚，促進血液循環"),
        ("头发护理与面包，皇后与后天", "頭髮護理與麵包，皇后與後天"),
        ("台湾保湿第一", "台灣保濕第一"),
        ("體驗柔滑，体验一次；一只干擾", "體驗柔滑，體驗一次；一只干擾"),
        ("干净的里面", "乾淨的裡面"),
    ],
)
def test_simplified_text(text: str, expected: str) -> None:
    assert to_traditional(text) == (expected, True)


def test_names_and_facts_are_protected() -> None:
    assert to_traditional("苏菲亚的头发，苏菲", ["苏菲", "苏菲亚", ""]) == ("苏菲亚的頭髮，苏菲", True)
    assert to_traditional("苏菲亚", ["苏菲亚"]) == ("苏菲亚", False)

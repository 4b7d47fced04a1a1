"""Parts of a long text: each is valid by itself, nothing is lost, and cuts are at line ends or spaces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.markup import is_blank, split_telegram, to_telegram, visible_length
from notifications.models import Format
from tests.fakes.telegram import visible
from tests.notifications.markups import ANY_TEXT, MARKUP, PIECES

LIMITS = st.one_of(st.integers(8, 60), st.sampled_from([200, 1024, 4096]))
FAMILY = "👨‍👩‍👧‍👦"
# A name that is as long as it may be, made of whatever meets in names.
NAMES = st.lists(PIECES, min_size=3, max_size=12).map(lambda pieces: ("".join(pieces) * 5000)[:5000])


def check_joined(parts: list[str], whole: str) -> None:
    """The parts are the whole, in order; between them is nothing but what cannot be seen."""
    place = 0
    for part in map(visible, parts):
        found = whole.find(part, place)
        assert found >= 0, (part, whole[place:])
        assert is_blank(whole[place:found]), whole[place:found]
        place = found + len(part)
    assert is_blank(whole[place:]), whole[place:]


def marks(part: str) -> int:
    """What Telegram calls entities: a language of code belongs to its block."""
    return len(re.findall(r"<[a-z]", part)) - part.count("<pre><code class=")


def check(html: str, limit: int) -> list[str]:
    parts = split_telegram(html, limit)
    for part in parts:
        seen = visible(part)  # raises for what is not valid by itself
        assert visible_length(part) <= limit
        assert marks(part) <= 100
        assert len(part.encode()) <= 32_768
        assert seen.strip()
    return parts


@given(MARKUP.map(lambda html: to_telegram(html, Format.TELEGRAM)), LIMITS)
def test_any_markup(html: str, limit: int) -> None:
    parts = check(html, limit)
    check_joined(parts, visible(html))


@given(ANY_TEXT.map(lambda text: to_telegram(text, Format.PLAIN)), LIMITS)
def test_any_text(html: str, limit: int) -> None:
    parts = check(html, limit)
    check_joined(parts, visible(html))


@given(st.lists(NAMES, min_size=1, max_size=3), st.sampled_from([Format.PLAIN, Format.TELEGRAM, Format.EMAIL_HTML]))
@settings(max_examples=30, deadline=None)
def test_names_of_five_thousand_letters(names: list[str], format: str) -> None:
    html = to_telegram("\n".join(names), format)
    check_joined(check(html, 4096), visible(html))


WORDS = st.lists(st.tuples(st.text("ab", min_size=1, max_size=60), st.sampled_from(" \n")), min_size=1, max_size=30)


# From 5 on, a quarter of a part holds more than the one space that would make a part of nothing.
@given(WORDS, st.integers(5, 40))
def test_where_it_cuts(words: list[tuple[str, str]], limit: int) -> None:
    """At a line end, or else after a space, wherever one leaves the part a quarter full; only the line end goes."""
    text = "".join(word + end for word, end in words)[:-1]
    place = 0
    for part in check(text, limit):
        assert text.startswith(part, place)
        after = place + len(part)
        least = place + -(-limit // 4)
        if len(text) - place <= limit:
            assert after == len(text)
        elif "\n" in text[least : place + limit + 1]:
            assert text[after] == "\n"
            assert "\n" not in text[after + 1 : place + limit + 1]
            after += 1
        elif " " in text[least - 1 : place + limit]:
            assert part.endswith(" ")
            assert " " not in text[after : place + limit]
        else:
            assert len(part) == limit
        place = after
    assert place == len(text)


def test_a_short_text_is_one_part() -> None:
    assert split_telegram("<b>短</b>") == ["<b>短</b>"]
    assert split_telegram(" \n ") == []
    assert split_telegram("") == []


def test_it_cuts_at_line_ends() -> None:
    html = "\n".join(f"<b>第 {number} 行</b> " + "字" * 20 for number in range(20))
    parts = check(html, 100)
    assert "\n".join(parts) == html
    assert all(part.startswith("<b>第") for part in parts)


def test_it_cuts_before_marks_that_telegram_would_not_show() -> None:
    html = "\n".join(f'<b>降</b> <a href="https://example.com/{number}">商品</a>' for number in range(150))
    parts = check(html, 4096)
    assert "\n".join(parts) == html
    assert [part.count("<a ") for part in parts] == [46, 46, 46, 12]
    together = "".join(f"<b>{number % 10}</b><i>、</i>" for number in range(150))
    assert "".join(check(together, 4096)) == together


def test_marks_that_go_on_count_too() -> None:
    html = "<blockquote><u><s>" + "".join(f"<b>{number}</b>\n" for number in range(120)) + "</s></u></blockquote>"
    assert len(check(html, 4096)) == 2


# A few characters that are shown, with thousands of bytes that are not.
HEAVY = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(["", "&amp;", "&quot;", "字"]), st.text("看字\n ", min_size=1)),
    min_size=10,
    max_size=60,
).map(lambda links: "".join(f'<a href="https://x.tw/{"p" * n}{more * 20}">{text}</a>' for n, more, text in links))


@given(HEAVY, st.sampled_from([1024, 4096]))
@settings(max_examples=25)
def test_parts_are_bounded_in_bytes_too(html: str, limit: int) -> None:
    check_joined(check(html, limit), visible(html))


def test_long_links_are_cut_at_line_ends() -> None:
    html = "\n".join(f'<a href="https://x.tw/{number}{"p" * 400}">商品 {number}</a>' for number in range(91))
    parts = check(html, 4096)
    assert "\n".join(parts) == html
    assert len(parts) == 2


@given(
    st.lists(
        st.sampled_from(["<b>粗</b>", "<i>斜</i>", "字", "\n", " ", "<u><s>刪</s></u>"]), min_size=90, max_size=400
    )
)
@settings(max_examples=40)
def test_any_number_of_marks(pieces: list[str]) -> None:
    html = to_telegram("".join(pieces), Format.TELEGRAM)
    check_joined(check(html, 4096), visible(html))


def test_else_at_spaces() -> None:
    parts = check("word " * 40, 32)
    assert all(re.fullmatch(r"(word ?)+", part) for part in parts)


def test_open_markup_goes_on() -> None:
    parts = check(f"<b><i>{'字' * 30}</i></b>", 20)
    assert parts == [f"<b><i>{'字' * 20}</i></b>", f"<b><i>{'字' * 10}</i></b>"]
    quoted = check("<blockquote>" + "\n".join(["引" * 9] * 5) + "</blockquote>", 20)
    assert all(part.startswith("<blockquote>") and part.endswith("</blockquote>") for part in quoted)


def test_code_goes_on_as_code() -> None:
    parts = check('<pre><code class="language-python">' + "x = 1\n" * 20 + "</code></pre>", 40)
    assert len(parts) > 2
    assert all(part.startswith('<pre><code class="language-python">x') for part in parts)


@pytest.mark.parametrize(
    ("text", "limit"),
    [("😀" * 50, 9), (FAMILY * 20, 25), ("🇹🇼" * 30, 10), ("e\u0301" * 50, 9), ("&amp;" * 50, 8)],
    ids=["emoji", "family", "flags", "accents", "entities"],
)
def test_nothing_is_torn(text: str, limit: int) -> None:
    whole = visible(text)
    unit = re.match(r"🇹🇼|e\u0301|" + FAMILY + "|.", whole)
    assert unit is not None
    parts = [visible(part) for part in check(text, limit)]
    assert "".join(parts) == whole
    assert all(len(part) % len(unit[0]) == 0 and part.startswith(unit[0]) for part in parts)


def test_a_long_link_stays_one() -> None:
    html = f'<a href="https://x.tw/{"p" * 1500}">{"字" * 30}</a>'
    parts = check(html, 20)
    assert [visible(part) for part in parts] == ["字" * 20, "字" * 10]
    assert all('href="https://x.tw/' in part for part in parts)


def test_a_letter_that_is_longer_than_a_part() -> None:
    assert "".join(map(visible, check("a" + "\u0301" * 100, 16))) == "a" + "\u0301" * 100


def test_a_limit_that_holds_no_letter() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        split_telegram("😀", 1)

"""Any input becomes output that is valid for its channel and shows the same text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given

from momo.core.texts import clean_text
from notifications.markup import split_telegram, to_mail_html, to_telegram, to_text, visible_length
from notifications.markup.write import tidy
from notifications.models import Format
from notifications.templating.bounds import BODY_BYTES
from notifications.templating.tags import TELEGRAM_TAGS
from tests.fakes.telegram import visible
from tests.fakes.telegram.html import length
from tests.kit.clock import cpu_time
from tests.notifications.markups import ANY_TEXT, FORMATS, MARKUP

TELEGRAM, MAIL, TEXT, PLAIN = Format.TELEGRAM, Format.EMAIL_HTML, Format.EMAIL_TEXT, Format.PLAIN
VOID = {"br", "hr", "img", "col"}


class Strict(HTMLParser):
    """Raises for what a mail must not hold, and for what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "style", "iframe", "object", "form", "input", "link", "meta", "svg"}
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in {"href", "src"}:
                assert (value or "").lower().startswith(("http://", "https://", "mailto:", "tel:")), value
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    @classmethod
    def check(cls, html: str) -> None:
        parser = cls()
        parser.feed(html)
        parser.close()
        assert not parser.open


@pytest.mark.parametrize(
    ("body", "format", "expected"),
    [
        ("<b>漲</b> &amp; 1 &lt; 2", TELEGRAM, "<b>漲</b> &amp; 1 &lt; 2"),
        ("1 < 2 & 3", PLAIN, "1 &lt; 2 &amp; 3"),
        ("<b>粗", TELEGRAM, "<b>粗</b>"),
        ("</b>x", TELEGRAM, "x"),
        ("<b><i>x</b>y</i>", TELEGRAM, "<b><i>x</i></b><i>y</i>"),
        ("<strong>x</strong><em>y</em>", TELEGRAM, "<b>x</b><i>y</i>"),
        ('<a href="javascript:x">看</a>', TELEGRAM, "看"),
        ('<a href="https://x.tw/?a=1&amp;b=2">看</a>', TELEGRAM, '<a href="https://x.tw/?a=1&amp;b=2">看</a>'),
        ("<script>alert(1)</script>x", TELEGRAM, "x"),
        ("<h1>標題</h1><p>一</p><p>二</p>", MAIL, "<b>標題</b>\n\n一\n\n二"),
        ("<ul><li>甲</li><li>乙</li></ul>", MAIL, "• 甲\n• 乙"),
        ("<ol><li>甲</li><li>乙</li></ol>", MAIL, "1. 甲\n2. 乙"),
        ("一<br>二", MAIL, "一\n二"),
        ("a\0b\ud800c", PLAIN, "abc"),
        ("a&nbsp;b", MAIL, "a\xa0b"),
    ],
)
def test_telegram(body: str, format: str, expected: str) -> None:
    assert to_telegram(body, format) == expected


@pytest.mark.parametrize(
    ("body", "format", "expected"),
    [
        ("<b>漲</b>\n第二行", TELEGRAM, "<b>漲</b><br>第二行"),
        ("1 < 2\n3", PLAIN, "1 &lt; 2<br>3"),
        (
            "見 https://x.tw/a?b=1&c=2。",
            PLAIN,
            '見 <a href="https://x.tw/a?b=1&amp;c=2" rel="noopener noreferrer">https://x.tw/a?b=1&amp;c=2</a>。',
        ),
        ('<p onclick="x">一<script>x</script></p>', MAIL, "<p>一</p>"),
        ('<a href="javascript:x">看</a>', MAIL, '<a rel="noopener noreferrer">看</a>'),
    ],
)
def test_mail(body: str, format: str, expected: str) -> None:
    assert to_mail_html(body, format) == expected


@pytest.mark.parametrize(
    ("body", "format", "expected"),
    [
        ('<a href="https://x.tw">看</a>', TELEGRAM, "看 (https://x.tw)"),
        ('<a href="https://x.tw">https://x.tw</a>', TELEGRAM, "https://x.tw"),
        ("<b>1 &lt; 2</b>\n行", TELEGRAM, "1 < 2\n行"),
        ("1 < 2\n<b>", PLAIN, "1 < 2\n<b>"),
        ("<p>一</p><p>二</p>", MAIL, "一\n\n二"),
    ],
)
def test_text(body: str, format: str, expected: str) -> None:
    assert to_text(body, format) == expected


@given(ANY_TEXT, FORMATS)
def test_whatever_comes_in_telegram_takes(text: str, format: str) -> None:
    html = to_telegram(text, format)
    assert visible_length(html) == length(visible(html))
    assert to_telegram(html, TELEGRAM) == html


@given(ANY_TEXT, FORMATS)
def test_whatever_comes_in_is_a_safe_mail(text: str, format: str) -> None:
    html = to_mail_html(text, format)
    Strict.check(html)
    Strict.check(tidy(html))
    html.encode()


@given(ANY_TEXT, FORMATS)
def test_whatever_comes_in_is_plain_text(text: str, format: str) -> None:
    plain = to_text(text, format)
    plain.encode()
    assert "\0" not in plain
    if format in (TEXT, PLAIN):
        assert plain == clean_text(text)


@given(ANY_TEXT)
def test_plain_text_says_the_same_everywhere(text: str) -> None:
    assert visible(to_telegram(text, PLAIN)) == clean_text(text)


@given(MARKUP)
def test_markup_says_the_same_everywhere(html: str) -> None:
    cleaned = to_telegram(html, TELEGRAM)
    assert visible(cleaned) == visible(to_telegram(cleaned, TELEGRAM))
    Strict.check(to_mail_html(cleaned, TELEGRAM))


@pytest.mark.parametrize("tag", sorted(TELEGRAM_TAGS))
def test_what_templates_may_write_is_what_telegram_gets(tag: str) -> None:
    """The two lists of tags agree: nothing that a template may hold is lost on its way."""
    attribute = {"a": ' href="https://x.tw"', "code": "", "blockquote": " expandable"}.get(tag, "")
    written = to_telegram(f"<{tag}{attribute}>字</{tag}>", TELEGRAM)
    assert written.startswith("<")
    assert visible(written) == "字"


HOSTILE = [
    *("<", "<b>", "&", '<a href="', "<!--", "<!", "<p>", "<ul><li>", "<table><tr><td>", "\u0301"),
    *("<b a=1 b=2>", '<a href="https://x.tw">x', "<div>x</p>", "<code>x</b>\n"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_input_takes_time_by_its_length(piece: str) -> None:
    """At the greatest size that a template may render, four times the length takes far less than 16 times as long."""

    def seconds(length: int) -> float:
        body = (piece * length)[:length]
        with cpu_time() as spent:
            for format in (TELEGRAM, MAIL):
                html = to_telegram(body, format)
                to_mail_html(body, format)
                split_telegram(html)
        visible(html)
        return spent.seconds

    assert seconds(BODY_BYTES) < 8 * seconds(BODY_BYTES // 4) + 0.25


def test_depth_is_bounded() -> None:
    """Elements beyond the depth lose their tags and keep their text."""
    deep = "<blockquote><div><b>" * 5000 + "字" + "</b></div></blockquote>" * 5000 + "尾"
    assert visible(to_telegram(deep, TELEGRAM)).split() == ["字", "尾"]
    assert to_mail_html(deep, MAIL).count("<") <= 2 * 100
    assert "字" in to_mail_html(deep, MAIL)


def test_many_attributes_of_one_tag() -> None:
    body = "<a " + " ".join(f"a{number}" for number in range(10_000)) + ' href="https://x.tw">字</a>'
    with cpu_time() as spent:
        assert to_telegram(body, TELEGRAM) == '<a href="https://x.tw">字</a>'
        assert 'href="https://x.tw"' in to_mail_html(body, MAIL)
    assert spent.seconds < 1

"""Texts and markup for property tests: usual ones and hostile ones."""

from __future__ import annotations

from hypothesis import strategies as st

from notifications.models import Format

FORMATS = st.sampled_from([each.value for each in Format])
# Pieces that meet in product names, and in attacks, beside whatever else there is.
PIECES = st.sampled_from(
    [
        *("<b>", "</b>", "<i>", "</i>", "<a href='http://x.tw'>", '<a href="javascript:alert(1)">', "</a>", "<br>"),
        *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<p onclick='x'>", "</p>", "<!--", "-->", "<"),
        *(
            ">",
            "&",
            "&amp;",
            "&lt;b&gt;",
            "&nbsp;",
            "&#0;",
            "&#xD800;",
            '"',
            "'",
            "<pre>",
            "</pre>",
            "<code>",
            "</code>",
        ),
        *("<blockquote>", "</blockquote>", "<tg-spoiler>", "</tg-spoiler>", "<table><tr><td>", "<ul><li>", "<style>"),
        *(
            "\0",
            "\ud800",
            "\udc00",
            "\u202e",
            "\u200f",
            "\u200d",
            "👨‍👩‍👧‍👦",
            "🇹🇼",
            "é",
            "\r\n",
            "\n",
            "\t",
            "  ",
            "\xa0",
            "\u2028",
        ),
        *("【蘭芝】睡美人晚安面膜 70ml x 2", "https://www.momoshop.com.tw/product/12345678?a=1&b=2", "مرحبا", "שלום"),
    ]
)
ANY_TEXT = st.lists(st.one_of(PIECES, st.text(st.characters(exclude_categories=()), max_size=8)), max_size=25).map(
    "".join
)

_TAGS = ("b", "i", "u", "s", "tg-spoiler", "blockquote")
_LEAVES = st.text(st.characters(exclude_characters="<>&", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


def _wrap(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    inner = st.lists(children, min_size=1, max_size=4).map("".join)
    return st.one_of(
        st.tuples(st.sampled_from(_TAGS), inner).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"),
        inner.map(lambda text: f'<a href="https://x.tw/?q=1&amp;r=2">{text}</a>'),
        _LEAVES.map(lambda text: f"<code>{text}</code>"),
        _LEAVES.map(lambda text: f'<pre><code class="language-python">{text}</code></pre>'),
        st.tuples(inner, inner).map("\n".join),
    )


# Markup as templates write it; cleaned by `to_telegram` before it is used, since it may nest what Telegram does not.
MARKUP = st.recursive(
    st.one_of(_LEAVES, st.sampled_from(["&lt;", "&amp;", "\n", " ", "😀", "👨‍👩‍👧", "e\u0301"])), _wrap, max_leaves=25
)

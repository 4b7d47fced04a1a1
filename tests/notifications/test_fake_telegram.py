"""The stand-in refuses what Telegram refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.telegram import TOKEN, BadMarkup, TelegramStandIn, read_record, visible


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#x27;", "a <b> & \"c\" 'd'"),
        ("<b>粗<i>斜</i></b><u>線</u><s>刪</s><tg-spoiler>藏</tg-spoiler>", "粗斜線刪藏"),
        ('<a href="https://x.tw/?a=1&amp;b=2">連結</a>', "連結"),
        ('<pre><code class="language-python">1 &lt; 2</code></pre>', "1 < 2"),
        ("<blockquote expandable>引</blockquote>", "引"),
        ('<span class="tg-spoiler">x</span>', "x"),
    ],
)
def test_good_markup(html: str, seen: str) -> None:
    assert visible(html) == seen


@pytest.mark.parametrize(
    "html",
    [
        *("1 < 2", "a & b", "a > b", "<b>x", "x</b>", "<b><i>x</b></i>", "<div>x</div>", "<br>", "<p>x</p>"),
        *("&nbsp;", "&copy;", "&#0;", "&#xD800;", '<b class="x">x</b>', "<a>x</a>", '<a href="javascript:x">x</a>'),
        *("<code><b>x</b></code>", '<a href="http://a.tw"><a href="http://b.tw">x</a></a>', "<span>x</span>"),
        *("<blockquote><blockquote>x</blockquote></blockquote>", '<a href="http://a" onclick="x">x</a>', "<!-- -->"),
    ],
)
def test_bad_markup(html: str) -> None:
    with pytest.raises(BadMarkup, match="can't parse entities"):
        visible(html)


def ask(running: TelegramStandIn, **fields: Any) -> dict[str, Any]:
    return httpx.post(f"{running.url}/bot{TOKEN}/sendMessage", data=fields).json()


def test_lengths_and_empty_texts() -> None:
    with TelegramStandIn() as running:
        assert ask(running, chat_id="1", text="😀" * 2048)["ok"]
        assert "too long" in ask(running, chat_id="1", text="😀" * 2048 + "a")["description"]
        assert ask(running, chat_id="1", text="&lt;" * 4096, parse_mode="HTML")["ok"]
        link = '<a href="https://x.tw/{}">a</a>'
        path = "p" * (32_768 - len(link.format("")))
        assert ask(running, chat_id="1", text=link.format(path), parse_mode="HTML")["ok"]
        refused = ask(running, chat_id="1", text=link.format(path + "p"), parse_mode="HTML")
        assert refused["description"] == "Bad Request: Text is too long"
        assert "empty" in ask(running, chat_id="1", text="<b> </b>", parse_mode="HTML")["description"]
        assert "not found" in ask(running, chat_id="x", text="a")["description"]


def test_the_pace() -> None:
    with TelegramStandIn(paced=True) as running:
        assert ask(running, chat_id="1", text="a")["ok"]
        refused = ask(running, chat_id="1", text="b")
        assert (refused["error_code"], refused["parameters"]) == (429, {"retry_after": 1})
        group = [ask(running, chat_id="-5", text="a")["ok"] for _ in range(21)]
        assert group == [True] * 20 + [False]


def test_the_record_outlives_the_server(tmp_path: Path) -> None:
    path = tmp_path / "record"
    with TelegramStandIn(record=path) as running:
        ask(running, chat_id="1", text="一")
        told = httpx.get(f"{running.url}/accepted").json()
    assert [one.__dict__ for one in read_record(path)] == told
    assert [(one["chat"], one["text"]) for one in told] == [("1", "一")]

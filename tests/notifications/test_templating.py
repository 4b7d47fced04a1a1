"""The template language: what it says, what it prints, and the line of what it does not take."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from momo.core.errors import ValidationFailed
from notifications.templating import bounds, language
from notifications.templating.check import check_template
from notifications.templating.faults import TemplateFailed
from notifications.templating.render import render
from notifications.templating.variables import declared, examples
from tests.kit.clock import cpu_time

VARIABLES: list[dict[str, Any]] = [
    {"name": "title", "type": "text", "required": True, "example": "標題"},
    {"name": "note", "type": "text", "example": "備註"},
    {"name": "count", "type": "integer", "example": 12345},
    {"name": "rate", "type": "number", "example": 5.5},
    {"name": "done", "type": "boolean", "example": True},
    {"name": "day", "type": "date", "example": "2026-11-25"},
    {"name": "at", "type": "datetime", "example": "2026-11-25T06:05:00Z"},
    {"name": "link", "type": "url", "example": "https://example.com/a?b=1&c=2"},
    {"name": "tags", "type": "list", "example": ["甲", "乙", "丙"]},
    {
        "name": "rises",
        "type": "list",
        "example": [{"name": "A<b>", "price": 5}, {"name": "B&C", "price": -1200}, {"name": "D", "price": None}],
        "fields": [{"name": "name", "type": "text"}, {"name": "price", "type": "integer"}],
    },
]


def said(body: str, *, format: str = "plain", **values: Any) -> str:
    """What a template says with the examples, changed by `values`."""
    given = {**examples(declared(VARIABLES)), **values}
    return render(format=format, subject="", body=body, variables=VARIABLES, values=given).body


def refused(body: str, *, subject: str = "", format: str = "plain") -> dict[str, list[str]]:
    with pytest.raises(ValidationFailed) as caught:
        check_template(format=format, subject=subject, body=body, variables=VARIABLES)
    return caught.value.fields


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{{ title }}：{{ note }}", "標題：備註"),
        ("{% if done %}是{% else %}否{% endif %}", "是"),
        ("{% if count > 5 and rate < 6 %}中{% elsif done %}次{% endif %}", "中"),
        ("{% if note == '備註' or done %}有{% endif %}", "有"),
        ("{% if title contains '題' %}有{% endif %}{% if tags contains '甲' %}有{% endif %}", "有有"),
        ("{% unless done %}未{% elsif count > 1 %}已{% else %}無{% endunless %}", "已"),
        ("{% case count %}{% when 1, 2 %}一{% when 12345 or 3 %}二{% else %}三{% endcase %}", "二"),
        ("{% case note %}\n{% when '別的' -%}\n一\n{%- else -%}\n三\n{%- endcase %}", "三"),
        ("{% case done %}{% when 1 %}一{% when true %}真{% endcase %}", "真"),
        (
            "{% for tag in tags %}{{ forloop.index }}{{ tag }}{% unless forloop.last %}、{% endunless %}{% endfor %}",
            "1甲、2乙、3丙",
        ),
        (
            "{% for tag in tags limit: 1 offset: 1 %}{{ tag }}{{ forloop.first }}{{ forloop.length }}{% endfor %}",
            "乙是1",
        ),
        ("{% for tag in tags reversed %}{{ tag }}{% endfor %}", "丙乙甲"),
        ("{% for tag in tags %}{% if tag == '乙' %}{% continue %}{% endif %}{{ tag }}{% endfor %}", "甲丙"),
        ("{% for tag in tags %}{% if tag == '乙' %}{% break %}{% endif %}{{ tag }}{% endfor %}", "甲"),
        (
            "{% for one in tags %}{% for two in tags limit: 2 %}{{ two }}{% break %}{% endfor %}{{ one }}{% endfor %}",
            "甲甲甲乙甲丙",
        ),
        ("{% for rise in rises %}{{ rise.name }}={{ rise['price'] | money }};{% endfor %}", "A<b>=$5;B&C=-$1,200;D=;"),
        ("{{ tags.size }}{{ rises | size }}{{ title | size }}", "332"),
        ("{% comment %}{{ nobody }} {% if %}{% endcomment %}甲{% raw %}{{ title }}{% endraw %}", "甲{{ title }}"),
        ("甲  {{- title -}}  乙 {%- if done -%} 丙 {%- endif -%} 丁", "甲標題乙丙丁"),
        ("開\n{%- if done %}\n  甲\n{%- endif %}\n終", "開\n  甲\n終"),
        ("開\n{% if done %}\n甲\n{% endif %}\n終", "開\n\n甲\n\n終"),
        ("開\n  {%- if done %}{% if count %}\n甲\n{%- endif %}{% endif %}\n終", "開\n甲\n終"),
        ("甲\n{%- comment %}一\n二{% endcomment %}\n乙{% comment %}\n{% endcomment %}\n丙", "甲\n乙\n丙"),
        ("{% raw %}\n{% if %}\n{% endraw %}甲", "\n{% if %}\n甲"),
        ("{% case count %}{% when 12345, 12345 %}一{% when 12345 %}二{% else %}三{% endcase %}", "一"),
        ("{% for tag in tags limit: 0 %}{{ tag }}{% else %}無{% endfor %}", "無"),
        ("{% for tag in tags offset: 9 %}{{ tag }}{% endfor %}甲", "甲"),
        ("{{ done }}{{ day }} {{ at }} {{ link }}", "是2026-11-25 2026-11-25 14:05 https://example.com/a?b=1&c=2"),
    ],
)
def test_what_templates_say(body: str, text: str) -> None:
    check_template(format="plain", subject="", body=body, variables=VARIABLES)
    assert said(body) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("12345 | money", "$12,345"),
        ("-1200 | money", "-$1,200"),
        ("0.5 | money", "$1"),
        ("-0.4 | money", "$0"),
        ("1234567 | number", "1,234,567"),
        ("1234.5 | number", "1,234.5"),
        ("5.5 | percent", "5.5%"),
        ("5.0 | percent", "5%"),
        ("33.333333 | percent", "33.33%"),
        ("5.5 | signed_percent", "+5.5%"),
        ("-5.5 | signed_percent", "-5.5%"),
        ("0.5 | signed_percent", "+0.5%"),
        ("0 | signed_percent", "0%"),
        ("0.001 | signed_percent", "0%"),
        ("2.5 | round", "3"),
        ("2.345 | round: 2", "2.35"),
        ("-7 | abs", "7"),
        ("0.1 | plus: 0.2", "0.3"),
        ("7 | minus: 10", "-3"),
        ("6 | times: 1.5", "9"),
        ("7 | divided_by: 2", "3"),
        ("7 | divided_by: 2.0", "3.5"),
        ("7 | at_least: 9 | at_most: 8", "8"),
        ("at | date", "2026-11-25"),
        ("at | datetime", "2026-11-25 14:05"),
        ("day | date", "2026-11-25"),
        ("done | yes_no", "是"),
        ("tags | join: '、'", "甲、乙、丙"),
        ("tags | join", "甲 乙 丙"),
        ("tags | first", "甲"),
        ("tags | last", "丙"),
        ("'  Abc ' | strip | upcase", "ABC"),
        ("'ABC' | downcase", "abc"),
        ("'一二三四五' | truncate: 3", "一二…"),
        ("'一二三四五' | truncate: 4, '..'", "一二.."),
        ("'一二' | truncate: 5", "一二"),
        ("'a b&/?' | url_encode", "a%20b%26%2F%3F"),
        ("'' | default: '無'", "無"),
        ("0 | default: 5", "0"),
    ],
)
def test_filters(expression: str, text: str) -> None:
    body = f"{{{{ {expression} }}}}"
    check_template(format="plain", subject="", body=body, variables=VARIABLES)
    assert said(body) == text


def test_what_is_not_given_is_empty() -> None:
    body = (
        "{% if note %}1{% endif %}{% if count %}2{% endif %}{% if rises %}3{% endif %}{% if done %}4{% endif %}"
        "{{ note }}{{ count }}{{ count | plus: 1 | money }}{{ rate | percent }}{{ day | date }}{{ at | datetime }}"
        "{{ done | yes_no }}{{ tags | join }}{{ tags | first }}{{ link }}{{ rate | default: 7 }}{{ tags.size }}"
        "{% if count > 3 %}5{% endif %}{% if note == '' %}空{% endif %}"
    )
    check_template(format="plain", subject="", body=body, variables=VARIABLES)
    assert render(format="plain", subject="", body=body, variables=VARIABLES, values={"title": "x"}).body == "70空"


def test_zero_is_a_value() -> None:
    assert said("{% if count %}剩 {{ count }}{% endif %}", count=0) == "剩 0"


def test_values_are_escaped_for_the_format() -> None:
    body = "<b>{{ title }}</b> {{ '<i>' | default: 'x' }}"
    evil = '<script>alert("1")</script>&\''
    escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"
    for format in ("telegram_html", "email_html"):
        check_template(format=format, subject="{{ title }}", body=body, variables=VARIABLES)
        assert said(body, format=format, title=evil) == f"<b>{escaped}</b> &lt;i&gt;"
    for format in ("email_text", "plain"):
        assert said(body, format=format, title=evil) == f"<b>{evil}</b> <i>"


def test_a_subject_is_one_plain_line() -> None:
    given = {"title": "一\r\nBcc: x@example.com\u2028二\t 三<b>"}
    made = render(format="email_html", subject=" {{ title }} ", body="x", variables=VARIABLES, values=given)
    assert made.subject == "一 Bcc: x@example.com 二 三<b>"
    long = render(format="plain", subject="{{ title }}", body="x", variables=VARIABLES, values={"title": "長" * 9999})
    assert len(long.subject) == 500
    assert long.subject.endswith("長…")


# --- What is refused, and where -------------------------------------------------------------------------------------


def test_several_faults_at_once_each_with_its_line() -> None:
    told = refused(
        "{{ titel }}\n{% for rise in rises %}\n{{ rise.nmae }}{{ rises }}\n{% endfor %}\r\n{{ x | huh }}",
        subject="{{ nobody }}",
    )
    assert told == {
        "subject": ["第 1 行：沒有宣告變數「nobody」"],
        "body": [
            "第 1 行：沒有宣告變數「titel」，是不是「title」？",
            "第 3 行：「rise」沒有欄位「nmae」；可用：name、price",
            "第 3 行：清單不能直接輸出，請用 for 逐項輸出",
            "第 5 行：沒有宣告變數「x」",
            "第 5 行：沒有過濾器「huh」",
        ],
    }


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("\n{% if done %}\n甲", 2, "沒有結束的 {% endif %}"),
        ("{% endif %}", 1, "沒有相對應的 if"),
        ("{% for t in tags %}\n{% if done %}\n{% endfor %}", 3, "有標籤還沒結束"),
        ("{% else %}", 1, "只能用在"),
        ("{% if done %}{% else %}\n{% elsif done %}{% endif %}", 2, "else 之後"),
        ("{% if done %}{% when 1 %}{% endif %}", 1, "只能用在 case"),
        ("{% case count %}\n甲{% when 1 %}{% endcase %}", 1, "不能有內容"),
        ("{% case count %}\n\n{{ title }}{% when 1 %}{% endcase %}", 3, "不能有內容"),
        ("{% case count %}{% else %}{% endcase %}", 1, "第一個 when"),
        ("{% break %}", 1, "只能用在 for"),
        ("{% if done %}\n{% else count %}{% endif %}", 2, "看不懂「count」"),
        ("{% case count %}{% when 1 %}\n{% elsif done %}{% endcase %}", 2, "只能用在 if"),
        ("甲\n{% if done == %}\n{% endif %}", 2, "看不懂"),
        ("甲\n{{ title | }}", 2, "看不懂"),
        ("\n\n{{ title", 3, "沒有結束的「}}」"),
        ("{{ {{ title }} }}", 1, "沒有結束的"),
        ("{% if done\n%}{% endif", 2, "沒有結束的「%}」"),
        ("{{ }}", 1, "看不懂"),
        ("{% if %}{% endif %}", 1, "要有條件"),
        ("{% if done %}{% endif done %}", 1, "看不懂「done」"),
        ("{% include 'x' %}", 1, "沒有標籤「include」"),
        ("\n{{ a b }}", 2, "看不懂"),
        ("{{ title | }}", 1, "看不懂"),
        ("{% if count && done %}{% endif %}", 1, "看不懂"),
        ("{% for tags %}{% endfor %}", 1, "看不懂"),
        ("{% case count %}{% when 1 2 %}{% endcase %}", 1, "看不懂"),
        ("{% comment %}\n甲", 1, "沒有結束的 {% endcomment %}"),
        ("{% for c in title %}{% endfor %}", 1, "for 只能逐項處理清單"),
        ("{% for n in (1..3) %}{{ n }}{% endfor %}", 1, "不能用範圍"),
        ("{% for t in 'abc' %}{{ t }}{% endfor %}", 1, "不能用固定值"),
        ("{{ (1..3) | join }}", 1, "不能用範圍"),
        ("{% for title in tags %}{% endfor %}", 1, "已經是別的變數"),
        ("{% for T in tags %}{% endfor %}", 1, "不能當作迴圈裡的名稱"),
        ("{% for t in tags limit: title %}{% endfor %}", 1, "只能是整數"),
        ("{% for t in tags offset: continue %}{% endfor %}", 1, "只能是整數"),
        ("{% for t in tags cols: 2 %}{% endfor %}", 1, "cols"),
        ("{{ forloop.index }}", 1, "沒有宣告變數「forloop」"),
        ("{% for t in tags %}{{ forloop.parentloop }}{% endfor %}", 1, "沒有欄位「parentloop」"),
        ("{% for t in tags %}{{ forloop }}{% endfor %}", 1, "不能直接輸出"),
        ("{{ rises[0].name }}", 1, "方括號"),
        ("{{ rises.first }}", 1, "沒有欄位「first」"),
        ("{{ title.size }}", 1, "沒有欄位「size」"),
        ("{{ [title] }}", 1, "方括號"),
        ("{{ nil }}", 1, "不能直接輸出"),
        ("{{ title | money }}", 1, "不能用在文字"),
        ("{{ rises | join }}", 1, "只能用在文字清單"),
        ("{{ count | plus }}", 1, "個參數"),
        ("{{ count | plus: 1, 2 }}", 1, "個參數"),
        ("{{ count | plus: title }}", 1, "參數不能是文字"),
        ("{{ title | default: allow: true }}", 1, "不能有名稱"),
        ("{{ 99999999999999999999 }}", 1, "數字太大"),
        ("{% if title > 5 %}{% endif %}", 1, "只能比較數字"),
        ("{% if rises == tags %}{% endif %}", 1, "不能比較"),
        ("{% if day == '2026-11-25' %}{% endif %}", 1, "日期與文字永遠不會相等"),
        ("{% if '2026-11-25' != day %}{% endif %}", 1, "文字與日期永遠不會相等"),
        ("{% if count == '5' %}{% endif %}", 1, "整數與文字永遠不會相等"),
        ("{% if day == at %}{% endif %}", 1, "日期與日期時間永遠不會相等"),
        ("{% if done == 'true' %}{% endif %}", 1, "是否與文字永遠不會相等"),
        ("{% for r in rises %}{% if r.price == r.name %}{% endif %}{% endfor %}", 1, "整數與文字永遠不會相等"),
        ("{% if rises contains 'x' %}{% endif %}", 1, "contains"),
        ("{% if done and count or rate %}{% endif %}", 1, "混用"),
        ("{% for t in tags %}{% else %}\n{{ t }}{% endfor %}", 2, "不能直接輸出"),
        ("{% case count %}{% else %}{% when 1 %}{% endcase %}", 1, "第一個 when"),
        ("{% case count %}{% when 1 %}{% else %}{% when 2 %}{% endcase %}", 1, "else 之後"),
        ("{% case count %}\n{% when 1 2 %}{% endcase %}", 2, "看不懂"),
        ("{% comment %}\n{{ title }}", 1, "沒有結束的 {% endcomment %}"),
        ("{% if false %}\n{{ hidden }}\n{% endif %}", 2, "沒有宣告變數「hidden」"),
        ("{{ now }}{{ today }}", 1, "沒有宣告變數「now」"),
        ("甲\n乙\u202e丙", 2, "U+202E"),
        ("", 1, "不能空白"),
        ("\n{{ count | divided_by: 0 }}", 2, "不能除以 0"),
        ("{{ count | times: count | times: count | times: count }}", 1, "數字太大"),
        ("{{ count | round: 99 }}", 1, "round"),
    ],
)
def test_lines(body: str, line: int, words: str) -> None:
    told = refused(body)["body"]
    assert any(words in text and (text.startswith(f"第 {line} 行：") or not body) for text in told), told


@pytest.mark.parametrize(
    "condition",
    [
        "count == 5.5",
        "rate == 5",
        "link == 'https://example.com/'",
        "note == title",
        "day == day",
        "at != at",
        "done == true",
        "day == nil",
        "count != empty",
        "note == blank",
        "tags == empty",
        "tags.size == 3",
    ],
)
def test_what_can_be_equal_may_be_compared(condition: str) -> None:
    check_template(format="plain", subject="", body=f"甲{{% if {condition} %}}乙{{% endif %}}", variables=VARIABLES)


def test_what_only_some_examples_show() -> None:
    body = "{% unless note %}\n{{ count | default: 0 | divided_by: 0 }}\n{% endunless %}"
    assert refused(body)["body"] == ["第 2 行：不能除以 0（用只有必填變數的範例試著產生時）"]
    body = "{% for tag in tags %}甲{% else %}\n{{ 1 | divided_by: 0 }}{% endfor %}"
    assert "第 2 行：不能除以 0" in refused(body)["body"][0]


def test_of_very_many_faults_the_first_are_told() -> None:
    told = refused("".join(f"{{{{ v{number} }}}}\n" for number in range(100)))["body"]
    assert len(told) == bounds.FAULTS + 1
    assert told[-1] == "另有 80 個問題"


@pytest.mark.parametrize(
    ("format", "body", "words"),
    [
        ("telegram_html", "<p>{{ title }}</p>", "不能用 <p>"),
        ("telegram_html", "甲<br>乙", "不能用 <br>"),
        ("telegram_html", "<tbody>", "不能用 <tbody>"),
        ("telegram_html", "<a href='https://a.b/?x=1&nbsp;'>x</a>", "Telegram 不認得「&nbsp;」"),
        ("telegram_html", "<b>甲", "<b> 沒有在同一段裡成對"),
        ("telegram_html", "甲</b>", "</b> 沒有在同一段裡成對"),
        ("telegram_html", "<b><i>甲</b></i>", "</b> 沒有在同一段裡成對"),
        ("telegram_html", "{% if done %}<b>{% endif %}甲</b>", "<b> 沒有在同一段裡成對"),
        ("telegram_html", "{% for t in tags %}<b>{% if done %}{% break %}{% endif %}</b>{% endfor %}", "break"),
        ("telegram_html", "5 < 6", "&lt;"),
        ("telegram_html", "甲&nbsp;乙", "Telegram 不認得「&nbsp;」"),
        ("telegram_html", "<!-- {{ title }} -->", "寫法不對"),
        ("telegram_html", "<code class='{{ title }}'>x</code>", "class"),
        ("telegram_html", "<a>x</a>", "要有 href"),
        ("telegram_html", "<b lang='zh'>x</b>", "不能有 lang"),
        ("telegram_html", "<a title='x' href='https://a.b/'>x</a>", "不能有 title"),
        ("email_html", "<b>" * 51 + "{% if done %}x{% endif %}" + "</b>" * 51, "最多 50 層"),
        ("email_html", "<a href='{{ link | truncate: 500 }}'>x</a>", "完整網址"),
        ("email_html", "<a href='{{ link }}'>{% if done %}<a href='{{ link }}'>x</a>{% endif %}</a>", "不能再有連結"),
        ("email_html", "<table>{% for t in tags %}<td>{{ t }}</td>{% endfor %}</table>", "不能放在這裡"),
        ("email_html", "<p style='color:red'>x</p>", "不能有 style"),
        ("email_html", '<p onclick="x()">x</p>', "不能有 onclick"),
        ("email_html", "<p {{ title }}>x</p>", "寫法不對"),
        ("email_html", "<{{ title }}>x", "寫成 &lt;"),
        ("email_html", "<td width={{ count }}>x</td>", "寫法不對"),
        ("email_html", "<td width='{{ count }}'>x</td>", "不能有變數"),
        ("email_html", "<a href='{% if done %}https://a.b{% endif %}'>x</a>", "不能有 {% %}"),
        ("email_html", "<a href='{{ title }}'>x</a>", "javascript:"),
        ("email_html", "<a href='{{ title | default: link }}'>x</a>", "javascript:"),
        ("email_html", "<a href='java{{ title }}'>x</a>", "完整網址"),
        ("email_html", "<a href='https://{{ title | url_encode }}/'>x</a>", "完整網址"),
        ("email_html", "<a href='https://a.b/{{ title }}'>x</a>", "url_encode"),
        ("email_html", "<a href='mailto:{{ title }}'>x</a>", "完整網址"),
        ("email_html", "<a href='https://a.b'><a href='https://a.b'>x</a></a>", "不能再有連結"),
    ],
)
def test_markup_that_is_refused(format: str, body: str, words: str) -> None:
    told = refused(body, format=format)["body"]
    assert any(words in text for text in told), told
    assert all(text.startswith("第 1 行：") for text in told)


@pytest.mark.parametrize(
    ("format", "body"),
    [
        ("telegram_html", '<b>甲<i>{{ title }}</i></b>\n<a href="{{ link }}">{{ note }}</a> 5 > 3 &amp; AT&T'),
        ("telegram_html", '<pre><code class="language-python">x</code></pre><blockquote expandable>x</blockquote>'),
        ("telegram_html", "<a href='https://a.b/{{ count }}?q={{ title | url_encode }}#x'>x</a>"),
        ("telegram_html", "{% for t in tags %}<b>{{ t }}</b>{% if t == '乙' %}{% break %}{% endif %}{% endfor %}"),
        ("telegram_html", "<b>{% for t in tags %}{% break %}{% endfor %}</b>"),
        ("email_html", "<table border='1'><tr><td align='right'>{{ count }}</td></tr></table><br/><hr>"),
        ("email_html", "<a href='https://a.b/{% comment %}x{% endcomment %}'{% comment %}y{% endcomment %}>x</a>"),
        ("email_html", "<a href='{{ link }}&x={{ count }}' title='{{ title }}'>x</a><a href='mailto:a@b.c'>x</a>"),
    ],
)
def test_markup_that_is_fine(format: str, body: str) -> None:
    check_template(format=format, subject="", body=body, variables=VARIABLES)


# --- Bounds ---------------------------------------------------------------------------------------------------------


def test_loops_are_counted_together() -> None:
    body = "{% for one in tags %}{% for two in tags %}x{% endfor %}{% endfor %}"
    many = ["甲"] * 70
    assert said(body, tags=many) == "x" * 4900
    with pytest.raises(TemplateFailed, match="迴圈總共超過 5000 次"):
        said(body, tags=["甲"] * 71)
    with pytest.raises(TemplateFailed, match="迴圈總共超過 5000 次"):
        said("{% for one in tags %}{% endfor %}" * 6, tags=["甲"] * 1000)


def test_output_is_bounded() -> None:
    assert len(said("{{ title }}", title="x" * 10_000)) == 10_000
    with pytest.raises(TemplateFailed, match="64 KB"):
        said("{{ title }}" * 7, title="x" * 10_000)


def test_time_is_bounded_where_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "RENDER_SECONDS", 0)
    with pytest.raises(TemplateFailed, match="超過 0 秒"):
        said("{% for one in tags %}{% endfor %}", tags=["甲"] * 1000)
    with pytest.raises(TemplateFailed, match="超過 0 秒"):
        said("{% if title contains note %}{% endif %}" * 100)


@pytest.mark.parametrize(
    "source",
    [
        "{{" * 10_000,
        "{%" + "a" * 19_000,
        "{% comment %}" + "{{ " * 6_000 + "{% endcomment %}",
        "{% raw %}" * 2_000,
        ("{{ " + "(" * 480 + " }}") * 41,
        ("{{ " + "a[" * 240 + " }}") * 41,
        "<" * 20_000,
        "&a;" * 6_600,
        "<b><i>" * 3_300,
        "<a " + "a " * 9_900,
        "{{ link }}" * 2_000,
        "<b>" * 49 + "{% if done %}<i></i>{% endif %}" * 600 + "</b>" * 49,
        "{% if done %}\n{% endif %}\n" * 700,
    ],
    ids=lambda source: source[:12],
)
def test_no_source_takes_long_to_check(source: str) -> None:
    with cpu_time() as spent, contextlib.suppress(ValidationFailed):
        check_template(format="telegram_html", subject="", body=source, variables=VARIABLES)
    assert spent.seconds < 3


def test_depth_and_length_are_bounded() -> None:
    loops = "".join(f"{{% for v{depth} in tags %}}" for depth in range(4)) + "{% endfor %}" * 4
    assert "最多 3 層" in refused(loops)["body"][0]
    assert "最多 20 層" in refused("{% if done %}" * 21 + "{% endif %}" * 21)["body"][0]
    assert refused("x" * 20_001)["body"] == ["最多 20000 個字"]
    assert refused("x", subject="x" * 201)["subject"] == ["最多 200 個字"]
    assert refused("x", subject="a\nb")["subject"] == ["主旨只能有一行"]
    assert "500 個字" in refused("{{ title" + " " * 600 + "}}")["body"][0]


def test_filters_make_nothing_huge() -> None:
    for body in (
        "{{ title" + " | url_encode" * 20 + " }}",
        "{{ tags | join: title }}",
        "{{ title | truncate: 5, title }}" * 9,
    ):
        with pytest.raises(TemplateFailed):
            said(body, title="長" * 10_000, tags=["x"] * 2000)

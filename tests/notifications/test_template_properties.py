"""Whatever the words, and whatever the template."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from momo.core.errors import ValidationFailed
from notifications.services.shipped import shipped_templates
from notifications.templating import bounds
from notifications.templating.check import check_template
from notifications.templating.faults import TemplateFailed
from notifications.templating.render import render
from notifications.templating.tags import MAIL_TAGS, TELEGRAM_TAGS, VOID
from notifications.templating.variables import coerce, declared, examples

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=150)
# Of everything: markup, emoji, from right to left, halves of pairs, what ends lines.
ALPHABET = st.one_of(
    st.characters(),
    st.sampled_from("<>&\"'`{}%|/=;#\\\n\r\t\x00\u202e\u2028\u200f\ufeff\ud800אבغ🔥"),
    st.characters(codec="utf-8"),
)
TEXTS = st.one_of(
    st.text(ALPHABET, max_size=300),
    st.sampled_from(["<b>", "</a>", "<script>", "&amp;", "]]>", "{{ x }}", "\u202e", "👩‍👩‍👧", "שלום", "長" * 5000]),
)


class Nested(HTMLParser):
    """Complains of what is not well nested; gathers the text as a reader sees it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= MAIL_TAGS[tag] | TELEGRAM_TAGS.get(tag, set())
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def nested(body: str) -> Nested:
    parser = Nested()
    parser.feed(body)
    parser.close()
    assert parser.open == []
    return parser


VARIABLES: list[dict[str, Any]] = [
    {"name": "name", "type": "text", "required": True, "example": "甲"},
    {"name": "link", "type": "url", "example": "https://example.com/"},
    {"name": "tags", "type": "list", "example": ["甲"]},
]
BODY = '<b>{{ name }}</b><a href="{{ link }}">{{ name }}</a>{% for tag in tags %}<i>{{ tag }}</i>{% endfor %}'


@STEADY
@given(name=TEXTS, tags=st.lists(TEXTS, max_size=3))
def test_any_words_are_well_formed_markup_and_are_read_as_they_are(name: str, tags: list[str]) -> None:
    values = {"name": name, "tags": tags, "link": "https://example.com/"}
    clean = coerce(declared(VARIABLES), values)
    for format in ("telegram_html", "email_html"):
        made = render(format=format, subject="{{ name }}", body=BODY, variables=VARIABLES, values=values)
        parser = nested(made.body)
        assert parser.seen == ["b", "a", *["i"] * len(tags)]
        assert parser.text == clean["name"] * 2 + "".join(clean["tags"])
        assert len(made.subject.splitlines()) <= 1
        assert json.loads(json.dumps(made.body)) == made.body
        made.body.encode()


@STEADY
@given(data=st.data())
def test_any_words_in_what_is_shipped(data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(sorted(shipped_templates())))
    content = shipped_templates()[code]
    values = examples(declared(content["variables"]))
    word = data.draw(TEXTS)
    for variable in declared(content["variables"]):
        if variable.type == "text":
            values[variable.name] = word
        elif variable.type == "list":
            texts = {field.name for field in variable.fields if field.type == "text"}
            values[variable.name] = [{**item, **dict.fromkeys(texts, word)} for item in variable.example]
    made = render(
        format=content["format"],
        subject=content["subject"],
        body=content["body"],
        variables=content["variables"],
        values=values,
    )
    assert set(nested(made.body).seen) <= {
        "b",
        "a",
        "code",
        "h2",
        "h3",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "br",
        "small",
    }


PIECES = st.sampled_from(
    [
        "{{ name }}", "{{ tags }}", "{{ link }}", "{{ nobody }}", "{{", "}}", "{%", "%}", "{% if name %}",
        "{% endif %}",
        "{% else %}", "{% elsif link %}", "{% for tag in tags %}", "{% endfor %}", "{{ tag }}", "{% break %}",
        "{% case name %}", "{% when 'x' %}", "{% endcase %}", "{% raw %}", "{% endraw %}", "{% comment %}",
        "{% endcomment %}", "{%- unless name -%}", "{% endunless %}", "<b>", "</b>", "<a href='{{ link }}'>", "</a>",
        "<", ">", "&", "{{ name | upcase }}", "{{ name | default: ", " | join: ' '", "[0]", "['x']", "(1..9)", "-",
        "\n",
        " and ", " or ", " == ", " contains ", "'", '"', "9" * 30, "{{ 7 | divided_by: 0 }}", "\u202e", "甲",
    ]
)  # fmt: skip
TEMPLATES = st.one_of(
    st.lists(st.one_of(PIECES, st.text(ALPHABET, max_size=5)), max_size=25).map("".join),
    st.builds("{{{{ {} }}}}".format, st.lists(PIECES, max_size=6).map("".join)),
    st.builds("{{% if {} %}}x{{% endif %}}".format, st.text("name tags.|:<>=!()[]'\"0123456789_,&-", max_size=60)),
    st.text(ALPHABET, max_size=200),
)


@settings(STEADY, max_examples=600)
@given(subject=st.one_of(st.just("x"), TEMPLATES), body=TEMPLATES, format=st.sampled_from(["telegram_html", "plain"]))
def test_any_text_is_refused_with_a_line_or_renders_within_bounds(subject: str, body: str, format: str) -> None:
    values = examples(declared(VARIABLES))
    try:
        check_template(format=format, subject=subject, body=body, variables=VARIABLES)
    except ValidationFailed as failure:
        lines = {"subject": subject.count("\n") + 1, "body": body.count("\n") + 1}
        for field, texts in failure.fields.items():
            for text in texts:
                if text not in ("主旨只能有一行", "內文不能空白", "最多 200 個字") and not text.startswith("另有"):
                    assert 1 <= int(text.removeprefix("第 ").partition(" ")[0]) <= lines[field], text
        try:
            render(format=format, subject=subject, body=body, variables=VARIABLES, values=values)
        except TemplateFailed as error:
            assert " 行：" in error.message  # noqa: PT017 - either is fine, a crash is not
        return
    made = render(format=format, subject=subject, body=body, variables=VARIABLES, values=values)
    assert len(made.body.encode()) <= bounds.BODY_BYTES
    assert len(made.subject) <= bounds.SUBJECT_CHARACTERS
    if format == "telegram_html":
        nested(made.body)


BLOCKS = st.sampled_from(
    [
        ("<b>", "</b>"), ("<i>", "</i>"), ("<a href='{{ link }}'>", "</a>"), ("<a href='", "'>x</a>"), ("<p>", "</p>"),
        ("<a href='https://ok.example/?{{ name | url_encode }}'>", "</a>"), ("<ul>", "</ul>"), ("<li>", "</li>"),
        ("<table>", "</table>"), ("<tr>", "</tr>"), ("<td>", "</td>"), ("{% if count %}{% break %}{% endif %}", ""),
        ("{% if count %}", "{% endif %}"), ("{% if name == 'x' %}", "{% else %}x{% endif %}"),
        ("{% for tag in tags %}", "{% endfor %}"), ("{% for item in items %}", "{% else %}x{% endfor %}"),
        ("{% case count %}{% when 7 %}", "{% else %}x{% endcase %}"),
    ]
)  # fmt: skip
LEAVES = st.sampled_from(
    [
        "x", "{{ name }}", "{{ link }}", "{{ name | url_encode }}", "{{ count }}", "https://ok.example/", "<b>", "</b>",
        "<", ">", "'", "<br>", "&amp;", "{{ link | default: name }}", "{{ name | truncate: 3, '' }}", "/",
        "javascript:",
        "{{ link | truncate: 12, '' }}", "{{ item.url }}", "{{ tags | first }}", "<a ", "href='", "{% continue %}",
    ]
)  # fmt: skip
MARKUP = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.tuples(BLOCKS, inner).map(lambda block: f"{block[0][0]}{block[1]}{block[0][1]}"),
    ),
    max_leaves=6,
)
EVIL = st.sampled_from(
    ["", "x", "@evil.example", ":1", "//evil.example/", "javascript:alert(1)", "' onclick=x", '"><script>']
)
LINKS = st.sampled_from(["", "https://u.example/p", "http://u.example", "https://u.example:8/?a=1&b"])


@settings(STEADY, max_examples=500)
@given(body=MARKUP, values=st.lists(st.tuples(EVIL, LINKS, st.sampled_from([None, 0, 7])), min_size=4, max_size=4))
def test_markup_that_is_accepted_stays_so_whatever_the_values(body: str, values: list[tuple[str, str, Any]]) -> None:
    fields = [{"name": "url", "type": "url"}]
    variables = [*VARIABLES, {"name": "count", "type": "integer"}, {"name": "items", "type": "list", "fields": fields}]
    try:
        check_template(format="email_html", subject="", body=body, variables=variables)
    except ValidationFailed:
        return
    for name, link, count in values:
        given_values = {"name": name, "link": link, "count": count, "tags": [name, "x"], "items": [{"url": link}] * 2}
        made = render(format="email_html", subject="", body=body, variables=variables, values=given_values)
        links = nested(made.body).links
        assert all(re.match(r"https?://(u|ok)\.example($|[:/?#])", address) for address in links if address)

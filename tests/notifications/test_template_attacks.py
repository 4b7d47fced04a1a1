"""What somebody who may write templates, or somebody whose words end up in one, could try."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import nh3
import pytest
from django.conf import settings

from momo.core.errors import ValidationFailed
from notifications.templating import bounds
from notifications.templating.check import check_template
from notifications.templating.faults import TemplateFailed
from notifications.templating.filters import FILTERS
from notifications.templating.language import LANGUAGE, produce
from notifications.templating.render import render
from notifications.templating.variables import coerce, declared, examples

VARIABLES: list[dict[str, Any]] = [
    {"name": "name", "type": "text", "required": True, "example": "玻尿酸"},
    {"name": "count", "type": "integer", "example": 7},
    {"name": "link", "type": "url", "example": "https://example.com/"},
    {"name": "tags", "type": "list", "example": ["甲", "乙"]},
    {
        "name": "items",
        "type": "list",
        "example": [{"code": "1", "url": "https://example.com/1"}] * 3,
        "fields": [{"name": "code", "type": "text"}, {"name": "url", "type": "url"}],
    },
]
NEST = "{% for a in items %}{% for b in items %}{% for c in items %}"
# Each cannot be saved. By name, so that a failure says which.
REFUSED: dict[str, str] = {
    # Walks from a value to what it is made of.
    "class of a text": "{{ name.__class__ }}",
    "class by brackets": "{{ name['__class__']['__mro__'] }}",
    "subclasses": "{{ name.__class__.__mro__[1].__subclasses__() }}",
    "globals of a method": "{{ name.upper.__globals__ }}",
    "class of a list": "{{ items.__class__ }}",
    "class of an item": "{% for item in items %}{{ item.__class__ }}{% endfor %}",
    "dict's own methods": "{% for item in items %}{{ item.keys }}{{ item.items }}{{ item.get }}{% endfor %}",
    "class of the loop": "{% for item in items %}{{ forloop.__class__ }}{% endfor %}",
    "the loop's iterator": "{% for item in items %}{{ forloop.it }}{% endfor %}",
    "the loop around": "{% for item in items %}{{ forloop.parentloop }}{% endfor %}",
    "format strings": "{{ name.format }}",
    "by a variable's name": "{{ items[name] }}",
    "by an index": "{{ items[0] }}{{ items[-1] }}",
    "a name in brackets": "{{ ['settings'] }}",
    "through a filter": "{{ name | attr: '__class__' }}",
    "map": "{{ items | map: '__class__' }}",
    "where": "{{ items | where: 'code', '1' }}",
    # What is around a template.
    "settings": "{{ settings.SECRET_KEY }}",
    "request": "{{ request.user.password }}",
    "environment": "{{ env.filters }}{{ environment }}",
    "context": "{{ context.globals }}{{ self }}{{ template }}",
    "process environment": "{{ os.environ }}",
    "the clock": "{{ now }}{{ today }}{{ 'now' | date: '%s' }}",
    "hidden from the examples": "{% if false %}{{ settings.SECRET_KEY }}{% endif %}",
    "hidden in an empty loop": "{% for t in tags limit: 0 %}{{ settings }}{% endfor %}",
    "hidden in an argument": "{{ name | default: settings.SECRET_KEY }}",
    "hidden in a limit": "{% for t in tags limit: settings.X %}{% endfor %}",
    "hidden in a when": "{% case name %}{% when settings.X %}{% endcase %}",
    # Tags that load, store, or run.
    "include": "{% include 'admin/login.html' %}",
    "render": "{% render '/etc/passwd' %}",
    "extends": "{% extends 'base' %}{% block x %}{% endblock %}",
    "liquid": "{% liquid assign x = name %}",
    "echo": "{% echo settings %}",
    "assign": "{% assign x = name %}{{ x }}",
    "capture": "{% capture x %}{{ name }}{% endcapture %}",
    "macro": "{% macro x %}{% endmacro %}{% call x %}",
    "increment": "{% increment x %}",
    "cycle": "{% cycle 'a', 'b' %}",
    "tablerow": "{% tablerow t in tags %}{% endtablerow %}",
    "ifchanged": "{% ifchanged %}{% endifchanged %}",
    "doc": "{% doc %}{% enddoc %}",
    "load, of Django": "{% load static %}{% debug %}",
    "set, of Jinja": "{% set x = name.__class__ %}",
    "an inline comment": "{% # %}",
    "a shorthand comment with a tag": "{# {% include 'x' %} #}",
    # Filters that are not on the list.
    "safe": "{{ name | safe }}",
    "escape_once": "{{ name | escape_once }}",
    "base64_decode": "{{ 'PHNjcmlwdD4=' | base64_decode }}",
    "url_decode": "{{ '%3Cscript%3E' | url_decode }}",
    "replace": "{{ name | replace: 'a', name | replace: 'b', name }}",
    "append": "{{ name | append: name | append: name }}",
    "split": "{{ name | split: '' }}",
    "sort": "{{ items | sort: '__class__' }}",
    "a keyword argument": "{{ name | default: name, allow_false: true }}",
    "a filter's own name": "{{ name | __class__ }}",
    "the environment as an argument": "{{ tags | join: environment: name }}",
    # Too much.
    "a range of a billion": "{% for i in (1..1000000000) %}{% endfor %}",
    "a range of a variable": "{% for i in (1..count) %}x{% endfor %}",
    "a range as a value": "{{ (1..1000000000) | join: ',' }}",
    "a range to compare": "{% if (1..1000000000) contains 5 %}{% endif %}",
    "a range as a case": "{% case (1..9) %}{% when 1 %}{% endcase %}",
    "four loops": NEST + "{% for d in items %}{% endfor %}" + "{% endfor %}" * 3,
    "blocks without end": "{% if count %}" * 500 + "{% endif %}" * 500,
    "a huge number": "{{ " + "9" * 400 + " }}",
    "a number beyond floats": "{{ " + "9" * 400 + ".0 }}",
    "multiplied until huge": "{{ count" + " | times: 999999999" * 20 + " }}",
    "a product below everything": "{{ count | times: -999999999 | times: 999999999 }}",
    "divided by nothing": "{{ count | divided_by: 0 }}",
    "divided by a zero with a point": "{{ count | divided_by: 0.0 }}",
    "rounded to a thousand places": "{{ count | round: 1000 }}",
    "rounded to a variable": "{{ count | round: count }}",
    "truncated to a negative length": "{{ name | truncate: -5 }}",
    "encoded again and again": "{{ name" + " | url_encode" * 15 + " }}",
    "a condition without end": "{% if " + "count and " * 60 + "count %}{% endif %}",
    "brackets without end": "{{ " + "items[" * 80 + "]" * 80 + " }}",
    "a whole novel": "x" * 100_000,
    # Texts that are hardly templates.
    "braces": "{{{{",
    "braces within braces": "{{ {{ name }} }}",
    "braces of three": "{{{ name }}}",
    "closed by another": "{{ name %}",
    "a tag within an output": "{{ {% if name %} }}",
    "an output in a tag": "{% if {{ name }} %}{% endif %}",
    "a tag without a name": "{% %}",
    "unbalanced": "{% if name %}{% for t in tags %}{% endif %}{% endfor %}",
    "an end of the end": "{% endraw %}{% endcomment %}",
    "raw without end": "{% raw %}{{ name }}",
    "a quote without end": "{{ 'name }}",
    "only spaces in braces": "{{" + " " * 400 + "}}",
    # Names that look like others.
    "a Cyrillic a": "{{ n\u0430me }}",
    "a full-width name": "{{ ｎａｍｅ }}",
    "a combining mark": "{{ name\u0301 }}",
    "a zero-width space": "{{ name\u200b }}",
    "a NUL": "{{ name\x00 }}",
    "a direction override": "{{ name }}\u202e{{ link }}",
    "a lone surrogate": "\ud800",
    "what stands for an output in checks": "<a href='\U000f0000'>x</a>",
    # Markup of its own.
    "script": "<script>alert(1)</script>",
    "script in pieces": "<scr{% if count %}ipt>{% endif %}",
    "script from a loop": "{% for t in tags %}<{% endfor %}script>",
    "an event handler": "<b onclick='alert(1)'>x</b>",
    "an event handler from a value": "<b {{ name }}>x</b>",
    "a tag from a value": "<{{ name }}>x</{{ name }}>",
    "style": "<style>*{display:none}</style>",
    "a style attribute": "<b style='position:fixed'>x</b>",
    "an image": "<img src='{{ link }}'>",
    "a frame": "<iframe src='{{ link }}'></iframe>",
    "a form": "<form action='{{ link }}'></form>",
    "an svg": "<svg/onload=alert(1)>",
    "a comment that hides": "<!-- {{ name }} -->",
    "a doctype": "<!DOCTYPE html>",
    "a javascript link": "<a href='javascript:alert(1)'>x</a>",
    "a javascript link in entities": "<a href='&#106;avascript:alert(1)'>x</a>",
    "a data link": "<a href='data:text/html,x'>x</a>",
    "a link without a scheme": "<a href='//evil.example'>x</a>",
    "a link of a text": "<a href='{{ name }}'>x</a>",
    "a link of a text field": "{% for item in items %}<a href='{{ item.code }}'>x</a>{% endfor %}",
    "a link's host from a value": "<a href='https://{{ name | url_encode }}.example/'>x</a>",
    "a link that continues with a text": "<a href='{{ link }}{{ name }}'>x</a>",
    "a link with a default": "<a href=\"{{ link | default: 'javascript:alert(1)' }}\">x</a>",
    "a link in capitals": "<a href='{{ link | upcase }}'>x</a>",
    "a link without quotes": "<a href={{ link }}>x</a>",
    "markup left open": "<b>{{ name }}",
    "markup left open by a break": "{% for t in tags %}<b>{% break %}</b>{% endfor %}",
    "markup left open by a continue": "{% for t in tags %}<b>{% if count %}{% continue %}{% endif %}</b>{% endfor %}",
    "markup that is open in one branch": "{% if count %}<b>{% endif %}x{% if count %}</b>{% endif %}",
}


@pytest.mark.parametrize("format", ["telegram_html", "email_html"])
@pytest.mark.parametrize("attack", REFUSED)
def test_cannot_be_saved(attack: str, format: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        check_template(format=format, subject="", body=REFUSED[attack], variables=VARIABLES)
    [(field, told)] = caught.value.fields.items()
    assert field == "body"
    assert all(text.startswith(("第 1 行：", "最多 20000 個字")) for text in told)
    assert settings.SECRET_KEY not in str(caught.value.fields)


@pytest.mark.parametrize("attack", [name for name, body in REFUSED.items() if "<" not in body and len(body) < 200])
def test_cannot_be_saved_as_a_subject(attack: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        check_template(format="plain", subject=REFUSED[attack], body="x", variables=VARIABLES)
    assert set(caught.value.fields) == {"subject"}


def said_or_why(body: str, values: dict[str, Any]) -> str:
    """What a template says, or what is said against it; anything else is a crash."""
    try:
        return produce(body, values, escaped=False)
    except TemplateFailed as error:
        return error.message


@pytest.mark.parametrize("attack", [name for name, body in REFUSED.items() if "<" not in body])
def test_is_harmless_where_nobody_checked(attack: str) -> None:
    """As if it had come into the database by another way: an error of ours with a line, or bounded text."""
    said = said_or_why(REFUSED[attack], coerce(declared(VARIABLES), examples(declared(VARIABLES))))
    assert len(said.encode("utf-8", "surrogatepass")) <= bounds.BODY_BYTES
    for secret in (settings.SECRET_KEY, "<class", "object at 0x", "root:"):
        assert secret not in said


def test_only_what_is_on_the_list_is_registered() -> None:
    tags = {"illegal", "content", "output", "if", "unless", "for", "case", "break", "continue", "comment"}
    assert set(LANGUAGE.tags) == tags
    assert set(LANGUAGE.filters) == set(FILTERS)
    assert not any(
        hasattr(spec.call, mark) for spec in FILTERS.values() for mark in ("with_context", "with_environment")
    )


class Seen(HTMLParser):
    """The tags and attributes that a reader of the message would get."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


MARKUP = (
    "<b>{{ name }}</b><a href=\"{{ link }}\">{{ name | upcase }}</a>{{ name | truncate: 9 }}{{ name | default: 'x' }}"
    "<a href='https://example.com/?q={{ name | url_encode }}'>{{ tags | join: name }}</a>"
    "{% for item in items %}<i>{{ item.code }}</i>{% endfor %}"
)
VALUES = {
    "script": "<script>alert(1)</script>",
    "an image": "<img src=x onerror=alert(1)>",
    "the end of an attribute": '"><script>alert(1)</script>',
    "a single quote": "' onmouseover='alert(1)",
    "an entity": "&lt;script&gt;&#60;script&#62;",
    "a comment": "<!--",
    "the end of a comment": "--><script>",
    "cdata": "<![CDATA[<script>]]>",
    "a template in a value": "{{ settings.SECRET_KEY }}{% include 'x' %}",
    "a tag left open": "</b></a><b><pre>",
    "a NUL": "<scr\x00ipt>",
    "halves of characters": "\ud83d<\ude00b>",
    "a direction override": "\u202egpj.exe\u2066",
    "a full-width bracket": "＜script＞",
    "UTF-7": "+ADw-script+AD4-",
    "very much": "<" * 1500,
    "letters that grow": "ŉ" * 1500,
}


@pytest.mark.parametrize("attack", VALUES)
def test_values_are_only_text(attack: str) -> None:
    value = VALUES[attack]
    check_template(format="email_html", subject="{{ name }}", body=MARKUP, variables=VARIABLES)
    given = {"name": value, "link": "https://example.com/?a=1&b=2", "tags": [value] * 2, "items": [{"code": value}]}
    made = render(format="email_html", subject="{{ name }}", body=MARKUP, variables=VARIABLES, values=given)
    seen = Seen()
    seen.feed(made.body)
    seen.close()
    assert seen.tags == ["b", "a", "a", "i"]
    assert [name for name, _ in seen.attributes] == ["href", "href"]
    assert all(address and address.startswith("https://example.com/?") for _, address in seen.attributes)
    # A cleaner of HTML finds nothing to take away.
    cleaned = nh3.clean(made.body, tags={"b", "a", "i"}, attributes={"a": {"href"}}, link_rel=None)
    again = Seen()
    again.feed(cleaned)
    assert (again.tags, again.attributes) == (seen.tags, seen.attributes)
    assert not {"\x00", "\u202e", "\u2066"} & set(made.body + made.subject)
    assert settings.SECRET_KEY not in made.body
    json.dumps(made.body).encode()
    made.body.encode()


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00\n"])
def test_a_subject_takes_no_header_with_it(ending: str) -> None:
    given = {"name": f"到貨{ending}Bcc: everybody@example.com"}
    subject = render(format="plain", subject="{{ name }}", body="x", variables=VARIABLES, values=given).subject
    assert len(subject.splitlines()) == 1


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        10**400,
        "9" * 5000,
        "１２",
        {"__class__": 1},
        [[[[1]]]],
        object(),
        b"7",
        type,
        lambda: 7,
        True,
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_are_no_numbers(value: Any) -> None:
    with pytest.raises(ValidationFailed) as caught:
        coerce(declared(VARIABLES), {"name": "x", "count": value})
    assert set(caught.value.fields) == {"variables.count"}


def test_deep_and_wide_values() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    for name in ("name", "tags", "items", "link"):
        with pytest.raises(ValidationFailed):
            coerce(declared(VARIABLES), {"name": "x", name: deep})
    wide = {f"v{number}": 1 for number in range(100_000)}
    with pytest.raises(ValidationFailed) as caught:
        coerce(declared(VARIABLES), {"name": "x", **wide})
    assert len(caught.value.fields) <= 51
    # Lists in lists multiply, laughing: here there is one depth, and a loop over it is counted.
    given = {"name": "哈" * 10, "items": [{"code": "哈" * 20}] * 2000}
    body = NEST + "{{ a.code }}{{ b.code }}{{ c.code }}" + "{% endfor %}" * 3
    with pytest.raises(TemplateFailed):
        render(format="plain", subject="", body=body, variables=VARIABLES, values=given)


def test_objects_of_python_are_never_walked() -> None:
    """Even if a value that is no plain one came in."""

    class Trap:
        secret = settings.SECRET_KEY

        def __getitem__(self, key: str) -> str:
            raise AssertionError(key)

    for body in ("{{ trap.secret }}", "{{ trap['secret'] }}", "{{ trap | size }}", "{{ trap }}"):
        assert settings.SECRET_KEY not in said_or_why(body, {"trap": Trap()})

"""What the editor shows of a template while somebody types, for each channel."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.models import Template
from tests.admin import makers_notifications as makers
from tests.admin.makers_notifications import form_of

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)>"><b>粗</b>&amp;'


def preview(client: Client, template: Template | None = None, **values: Any) -> dict[str, Any]:
    name = "admin:notifications_template_preview"
    url = reverse(name, args=[template.pk]) if template is not None else reverse(f"{name}_new")
    answer = client.post(url, form_of(template, **values))
    assert answer.status_code == 200
    return answer.json()


def part(html: str, channel: str) -> str:
    found = re.search(rf'<section class="mo-shown" data-channel="{channel}">(.*?)</section>', html, re.S)
    assert found is not None
    return found[1]


def test_each_channel_is_shown_from_the_examples(as_manager: Client) -> None:
    seen = preview(as_manager, body="<b>{{ host }}</b>\n新的一行")

    assert seen["errors"] == {}
    assert "<b>momo-web-1</b>\n新的一行" in part(seen["html"], "telegram")
    assert re.search(r"&lt;(b|strong)&gt;momo-web-1&lt;", part(seen["html"], "mail"))
    assert "通知：momo-web-1" in part(seen["html"], "mail")
    assert "momo-web-1\n新的一行" in part(seen["html"], "text")
    assert "telegram_html" in part(seen["html"], "json")
    assert not Template.objects.filter(code="host_notice").exists()


@pytest.mark.parametrize("format", ["telegram_html", "email_html", "email_text", "plain"])
def test_hostile_values_come_out_as_text_in_every_channel(format: str, as_manager: Client) -> None:
    values = json.dumps({"host": HOSTILE, "items": [HOSTILE]})

    seen = preview(as_manager, format=format, body="{{ host }}", preview_source="own", preview_values=values)

    assert seen["errors"] == {}
    assert not re.search(r"<(script|img)", seen["html"])
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in part(seen["html"], "mail")
    frame = re.search(r'srcdoc="([^"]*)"', seen["html"])
    assert frame is not None
    assert not re.search("&lt;(script|img)", frame[1])
    assert "alert(1)" in part(seen["html"], "text")


def test_links_of_a_mail_open_in_a_tab_and_nothing_else_is_allowed(as_manager: Client) -> None:
    seen = preview(as_manager, format="email_html", body='<a href="https://example.com/">{{ host }}</a>')

    mail = part(seen["html"], "mail")
    frame = re.search(r'sandbox="([^"]*)".*?srcdoc="([^"]*)"', mail)
    assert frame is not None
    document = html.unescape(frame[2])
    assert frame[1].split() == ["allow-popups", "allow-popups-to-escape-sandbox"]
    assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" in document
    assert document.index('<base target="_blank">') < document.index("https://example.com/")


@pytest.mark.parametrize(
    "body", ['<p onclick="x()">{{ host }}</p>', '{{ host }}<a href="javascript:alert(3)">按</a>', "<script>1</script>"]
)
def test_markup_that_could_run_is_not_even_previewed(body: str, as_manager: Client) -> None:
    seen = preview(as_manager, format="email_html", body=body)

    assert "第 1 行" in seen["errors"]["body"][0]
    assert seen["html"] == ""


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"body": "一\n{{ nobody }}"}, "body", "第 2 行"),
        ({"variables": '[\n{"name": }]'}, "variables", "第 2 行"),
        ({"preview_source": "own", "preview_values": '{\n"host": }'}, "values", "第 2 行"),
        ({"preview_source": "own", "preview_values": "[]"}, "values", "物件"),
        ({"preview_source": "own", "preview_values": "{}"}, "values", "host："),
        ({"preview_source": "own", "preview_values": '{"host": "a", "other": 1}'}, "values", "other："),
        ({"preview_source": "own", "preview_values": "[" * 100_000}, "values", "JSON"),
        ({"preview_source": "own", "preview_values": "1" * 300_000}, "values", "KB"),
        ({"preview_source": "gone:1"}, "values", "重新載入"),
    ],
)
def test_what_is_wrong_is_said_while_typing(values: dict[str, Any], field: str, said: str, as_manager: Client) -> None:
    seen = preview(as_manager, makers.template(), **values)

    assert seen["html"] == ""
    assert said in "；".join(seen["errors"][field])


def test_a_real_event_may_bring_more_than_a_template_declares(
    as_manager: Client, happened: list[dict[str, Any]]
) -> None:
    one = makers.template()
    happened += [
        {"label": "昨天", "variables": {"host": "db-1", "unknown": 1}},
        {"label": "昨天", "variables": {"host": "db-2"}},
    ]

    sources = dict(
        as_manager.get(reverse("admin:notifications_template_change", args=[one.pk])).context["preview_sources"]
    )
    seen = [preview(as_manager, one, preview_source=key) for key in ("host_event:昨天", "host_event:昨天#2")]

    assert list(sources) == ["examples", "host_event:昨天", "host_event:昨天#2", "own"]
    assert [name in one["html"] for name, one in zip(("db-1", "db-2"), seen, strict=True)] == [True, True]


def test_who_only_reads_sees_what_is_saved_whatever_is_sent(as_reader: Client, client: Client) -> None:
    one = makers.template()
    url = reverse("admin:notifications_template_preview", args=[one.pk])

    seen = preview(as_reader, one, body="別的 {{ host }}")

    assert "momo-web-1" in seen["html"]
    assert "別的" not in seen["html"]
    assert as_reader.get(url).status_code == 405
    assert as_reader.post(reverse("admin:notifications_template_preview_new"), form_of()).status_code == 403
    assert client.post(url, form_of()).status_code == 302


def test_a_preview_needs_its_token(manager: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(manager)

    assert strict.post(reverse("admin:notifications_template_preview_new"), form_of()).status_code == 403

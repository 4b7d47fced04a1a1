"""The digest's template with any product name is valid for each channel, and as JSON for each client."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Role
from momo.core.texts import clean_text
from notifications.channels.mail import build_mail
from notifications.markup import split_telegram, to_mail_html, to_telegram, to_text
from notifications.services.templates import render_event
from tests.fakes.telegram.html import length, visible
from tests.kit.users import person, session_client
from tests.notifications.mails import SENDER, mail_message, parsed
from tests.notifications.markups import ANY_TEXT

pytestmark = pytest.mark.django_db
RENDER = "/api/notification/render"
URL = "https://www.momoshop.com.tw/goods/GoodsDetail.jsp?i_code=12345678&a=1"
LIMIT = 4096
FULL = 5000  # characters
LINKS = 6  # one a line, and the one to the back office
NAMES = st.one_of(
    ANY_TEXT,
    st.text(st.characters(), max_size=60),
    ANY_TEXT.filter(bool).map(lambda name: (name * FULL)[:FULL]),
)


def variables_of(name: str) -> dict[str, Any]:
    """A digest with a line of that name in each group, as the event of products brings it."""
    goods = {"code": "12345678", "name": name, "brand": name, "category": name, "url": URL}
    moved = {**goods, "old_price": 1000, "new_price": 900, "change": -100, "percent": -10.0}
    return {
        "title": name,
        "total": 5,
        "time": "2026-11-25T14:05:00+08:00",
        "rises": [moved],
        "drops": [moved],
        "delisted": [goods],
        "new": [goods],
        "others": [{"kind": "relisted", "code": "12345678", "name": name, "url": URL}],
        "more": 1,
        "dashboard_url": URL,
    }


@pytest.fixture
def n8n() -> Client:
    return session_client(person("n8n", Role.USER))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=NAMES)
@example(name="<b>&\"'</b>" * 500)
@example(name="</a>" * 1250)
@example(name="\u202e👩‍👩‍👧‍👦" * 625)
@example(name="𝒳" * FULL)
@example(name="\ud800\0\r\nSubject: x")
@example(name="")
def test_any_name(name: str, n8n: Client) -> None:
    given_values = variables_of(name)
    rendered, version = render_event("price_digest", given_values)
    assert version, "it is the template that speaks, and no fallback"

    whole = to_telegram(rendered.body, rendered.format)
    parts = split_telegram(whole)
    assert all(0 < length(visible(part)) <= LIMIT for part in parts)
    assert all(f"{mark} " in whole for mark in "▲▼✕＋")
    start = "".join(clean_text(name)[:150].split())
    if start:
        assert whole.count(f'href="{URL.replace("&", "&amp;")}"') == LINKS
        shown = "".join("".join(visible(part) for part in parts).split())
        assert shown.count(start) >= LINKS, "people read the name as it is"

    check_mail(rendered.subject, to_text(rendered.body, rendered.format), to_mail_html(rendered.body, rendered.format))

    answer = n8n.post(RENDER, json.dumps({"code": "price_digest", "variables": given_values}), "application/json")
    assert answer.status_code == 200, answer.content
    data = json.loads(answer.content.decode())["data"]
    assert (data["subject"], data["body"]) == (rendered.subject, rendered.body)


def check_mail(subject: str, text: str, html: str) -> None:
    subject = " ".join(subject.split())
    message = mail_message(subject=subject, body=text, body_html=html)
    mail = parsed(build_mail(message, sender=SENDER, reply_to="").content)
    assert not mail.defects
    assert {name.lower() for name in mail} >= {"from", "to", "subject", "message-id", "date"}
    assert len(mail.get_all("Subject", [])) == 1
    assert mail["To"] == "wang@example.com"
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert "價格" in plain.get_content() or "下架" in plain.get_content()
    assert "<script" not in rich.get_content()
    assert fromstring(f"<body>{html.replace('&nbsp;', ' ').replace('<br>', '<br/>')}</body>") is not None

"""Any product name, through the digest as it is shipped, is valid for each channel and as JSON."""

from __future__ import annotations

import email
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any, cast

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Role
from notifications.channels.mail import build_mail
from notifications.models import Channel, Chat, OutboxMessage, Subscription
from notifications.services.notify import deliver, subscriptions_of
from products.exports import digest_files
from products.models import PriceEvent
from products.selectors.digest import Digest
from products.selectors.news import Goods, News, all_news
from tests.fakes.telegram.html import length, visible
from tests.kit.users import person, session_client

pytestmark = pytest.mark.django_db
Kind = PriceEvent.Kind
AT = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
# PostgreSQL keeps everything but NUL and lone surrogates.
ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ODD = st.sampled_from(
    (
        "<b>", "</b>", "</a>", "<a href='x'>", "<script>alert(1)</script>", "&amp;", "&", "&#0;", "<!--", "]]>",
        "{{ name }}", "{% include 'x' %}", "{%", "}}", "*_`[", "\u202e", "\u2066", "مرحبا", "שלום",
        "👩‍👩‍👧‍👦", "🇹🇼", "\u200d",
        "\ufeff", "\r\n", "\n.\n", "\x0b", "\x7f", "\u2028", "=?utf-8?q?x?=",
        "Subject: x\r\n", "\\", '"', "'", "𝒳" * 40,
    )
)  # fmt: skip
NAMES = st.lists(st.one_of(ODD, st.text(ANY, max_size=40)), min_size=1, max_size=12).map("".join)
LONG = NAMES.map(lambda name: (name * 5000)[:5000] if name else name)


GROUPS = ("rises", "drops", "delisted", "new", "others")


class Balanced(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.add(tag)
        if tag not in ("br", "hr", "img", "meta"):
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


def digest(names: list[str], brand: str) -> Digest:
    """One product of each kind of event by each name."""
    kinds = [*Kind]
    pairs = []
    for number, name in enumerate(names):
        kind = kinds[number % len(kinds)]
        old = None if kind == Kind.NEW else 1000
        new = None if kind == Kind.DELISTED else 1100 if kind == Kind.INCREASE else 900
        code = f"{1_000_000 + number}"
        goods = Goods(code, name, brand, name, "1100100000", f"https://www.momoshop.com.tw/product/{code}")
        pairs.append(News(kind, goods, old, new, AT))
    return Digest(all_news(pairs), AT)


@pytest.fixture
def client() -> Client:
    return session_client(person("n8n", Role.USER))


@pytest.fixture
def readers() -> list[Subscription]:
    chat = Chat.objects.create(chat_id="-1001")
    Subscription.objects.create(name="群", event="price_digest", channel=Channel.TELEGRAM, chat=chat)
    Subscription.objects.create(name="王", event="price_digest", channel=Channel.EMAIL, address="wang@example.com")
    return subscriptions_of("price_digest")


def as_sent(message: OutboxMessage) -> EmailMessage:
    """What a mail program makes of its bytes."""
    built = build_mail(message, sender=django_settings.EMAIL_FROM, reply_to="")
    return cast(EmailMessage, email.message_from_bytes(built.content, policy=default))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(names=st.lists(st.one_of(NAMES, LONG), min_size=7, max_size=24), brand=NAMES)
@example(names=["</a>" * 1250] * 7, brand="</b>")
@example(names=["\u202e👩‍👩‍👧‍👦&<" * 500] * 24, brand="\u2066")
@example(names=["𝒳" * 5000] * 24, brand="𝒳" * 5000)
def test_any_name(names: list[str], brand: str, client: Client, readers: list[Subscription]) -> None:
    OutboxMessage.objects.update(after=None)
    OutboxMessage.objects.all().delete()
    made = digest(names, brand)
    variables = made.variables()

    deliver("price_digest", key="k", variables=variables, to=readers, files=digest_files(made))

    texts = [one for one in OutboxMessage.objects.filter(channel="telegram") if one.body]
    assert texts
    for text in texts:
        assert text.template_version, "it was the template that spoke, and not a fallback"
        assert 0 < length(visible(text.body)) <= 4096
    links = [f'href="{line["url"]}"' for group in GROUPS for line in variables[group]]
    assert len(links) == min(variables["total"], django_settings.DIGEST_MAX_LINES)
    whole = "".join(text.body for text in texts)
    assert all(link in whole for link in links), "no line is lost"
    mail = OutboxMessage.objects.get(channel="email")
    assert mail.template_version
    check_mail(as_sent(mail), attached=bool(digest_files(made)))
    answer = client.post(
        "/api/notification/render",
        json.dumps({"code": "price_digest", "variables": {**variables, "time": variables["time"].isoformat()}}),
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    data = json.loads(answer.content)["data"]
    assert (data["code"], data["format"]) == ("price_digest", "telegram_html")
    assert visible(data["body"])


def check_mail(mail: EmailMessage, *, attached: bool) -> None:
    assert mail["To"] == "wang@example.com"
    assert "\n" not in mail["Subject"]
    assert mail["Subject"].startswith("價格變動摘要")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "價格變動摘要" in plain.get_content()
    parser = Balanced()
    parser.feed(html.get_content())
    parser.close()
    assert not parser.opened
    assert not parser.names & {"script", "img", "iframe", "style", "form"}
    assert len(list(mail.iter_attachments())) == attached
    assert not mail.defects

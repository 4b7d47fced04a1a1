"""The link itself: what a wrong, foreign or expired one gives, and what the page tells to others."""

from __future__ import annotations

import gc
import logging
import statistics
import string
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import User
from momo.core.errors import NotFound
from momo.core.logs import TextFormatter
from tests.kit.users import session_client
from tests.vendors.answering import Visitor, make_mail, path_of
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import Stockout, Submission, VendorMail
from vendors.services.links import SALT, mail_of_token

pytestmark = pytest.mark.django_db

CHARACTERS = string.ascii_letters + string.digits + "-_:.=%é "
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


def tokens(mails: list[VendorMail]) -> list[str]:
    return [path_of(mail).rpartition("/")[2] for mail in mails]


class EditedTokens(TestCase):
    """100 links of 100 vendors."""

    @classmethod
    def setUpTestData(cls) -> None:
        batch = make_batch()
        vendors = [make_vendor() for _ in range(100)]
        cls.mails = [
            make_mail(vendor, make_stockout(vendor, batch, product_name=f"秘密{vendor.code}")) for vendor in vendors
        ]
        cls.tokens = tokens(cls.mails)

    def test_a_change_at_any_place_opens_nothing(self) -> None:
        """Each character once, and each token in each of its parts; a part of one token in another, too."""
        opened = []
        for number, token in enumerate(self.tokens):
            others = [self.tokens[number - 1].split(":"), token.split(":")]
            for place in range(len(token)) if number < 3 else range(number % 13, len(token), 13):
                letter = CHARACTERS[(CHARACTERS.find(token[place]) + 1 + number) % len(CHARACTERS)]
                opened += [f"{token[:place]}{letter}{token[place + 1 :]}", token[:place] + token[place + 1 :]]
            for part in range(3):
                mixed = list(others[1])
                mixed[part] = others[0][part]
                opened.append(":".join(mixed))
        own = set(self.tokens)
        assert len(opened) > 1200
        for token in opened:
            if token not in own:
                with pytest.raises(NotFound):
                    mail_of_token(token)

    @settings(max_examples=25)
    @given(st.integers(0, 99), st.integers(0, 60), st.text(CHARACTERS, max_size=4))
    def test_the_page_of_an_edited_link_shows_and_changes_nothing(self, number: int, place: int, text: str) -> None:
        token = self.tokens[number]
        edited = token[:place] + text + token[place + len(text) :]
        if edited in self.tokens or not edited:
            return
        client, line = Client(), self.mails[number].lines.get()
        form = {f"{line.pk}-answer": "discontinued", "person": "誰", "seen": "0", "token": uuid4(), "action": "submit"}
        for answer in (client.get(f"/vendor/answer/{edited}"), client.post(f"/vendor/answer/{edited}", form)):
            assert answer.status_code == 404
            assert "秘密" not in answer.content.decode()
        assert not Stockout.objects.exclude(answer="").exists()


def test_all_wrong_links_are_told_the_same() -> None:
    mail = make_mail(make_vendor())
    gone = signing.dumps(2**62, salt=SALT)
    other_salt = signing.dumps(mail.pk, salt="vendors.other")
    wrong = tokens([mail])[0][:-1] + "é"

    pages = {Client().get(f"/vendor/answer/{token}").content for token in (gone, other_salt, wrong, "x", "x" * 5000)}

    assert len(pages) == 1
    assert "找不到這個頁面" in pages.pop().decode()


def test_time_does_not_tell_a_wrong_signature_from_a_mail_that_is_gone() -> None:
    """In processor time of this thread, kinds taking turns."""
    mail = make_mail(make_vendor())
    kinds = {"unknown": signing.dumps(2**62, salt=SALT), "wrong": tokens([mail])[0][:-2] + "00"}
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    client = Client()
    gc.collect()
    gc.disable()
    try:
        for _ in range(25):
            for kind, token in kinds.items():
                begun = time.thread_time()
                assert client.get(f"/vendor/answer/{token}").status_code == 404
                spent[kind].append(time.thread_time() - begun)
    finally:
        gc.enable()
    unknown, wrong = (statistics.median(times) for times in spent.values())
    assert 0.75 < unknown / wrong < 1.33


def test_an_expired_link_changes_nothing() -> None:
    vendor = make_vendor(name="水潤生技")
    line = make_stockout(vendor)
    mail = make_mail(vendor, line)
    visitor = Visitor(mail)
    visitor.opens()
    visitor.says(line, "discontinued")
    VendorMail.objects.update(link_expires_at=timezone.now() - timedelta(seconds=1))

    assert visitor.sends().status_code == 410
    page = visitor.client.get(visitor.path)

    assert page.status_code == 410
    assert "連結已過期" in page.content.decode()
    assert "水潤" not in page.content.decode()
    assert not Submission.objects.exists()


@pytest.mark.parametrize("kind", ["page", "wrong", "expired", "refused", "below"])
def test_headers(kind: str) -> None:
    vendor = make_vendor()
    mail = make_mail(vendor, make_stockout(vendor))
    path, client = path_of(mail), Client()
    if kind == "expired":
        VendorMail.objects.update(link_expires_at=timezone.now())
    if kind == "refused":
        answer = client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
    else:
        answer = client.get({"wrong": path + "x", "below": path + "/x"}.get(kind, path))

    assert {name: answer[name] for name in HEADERS} == HEADERS
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    if kind in ("page", "wrong", "expired"):
        assert '<meta name="robots" content="noindex, nofollow">' in answer.content.decode()
        assert "<script" not in answer.content.decode()
    assert not answer.cookies


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null"}, 303),  # a browser too old for Sec-Fetch-Site
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(headers: dict[str, str], status: int) -> None:
    vendor = make_vendor()
    line = make_stockout(vendor)
    visitor = Visitor(make_mail(vendor, line), headers=headers, enforce_csrf_checks=True)
    visitor.opens()
    visitor.says(line, "discontinued")

    assert visitor.sends().status_code == status
    assert Submission.objects.exists() == (status == 303)


def test_a_cookie_of_staff_plays_no_role(admin: User, django_assert_num_queries: Any) -> None:
    """Not even that of somebody who must change the password; the session is not read."""
    staff = session_client(admin)
    User.objects.update(must_change_password=True)
    vendor = make_vendor()
    path = path_of(make_mail(vendor, make_stockout(vendor)))

    with django_assert_num_queries(6):
        answer = staff.get(path)

    assert answer.status_code == 200
    assert "Cookie" not in answer.get("Vary", "")
    assert "登出" not in answer.content.decode()


def test_an_address_that_asks_too_often_is_asked_to_wait(settings: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"answer": "2/h"}}
    vendor = make_vendor()
    mail = make_mail(vendor, make_stockout(vendor))
    answers = [Client().get(path_of(mail), REMOTE_ADDR="203.0.113.5") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert "秒後再試" in answers[2].content.decode()
    assert Client().get(path_of(mail), REMOTE_ADDR="203.0.113.6").status_code == 200


def test_log_lines_do_not_hold_the_link(caplog: Any) -> None:
    mail = make_mail(make_vendor())
    VendorMail.objects.update(link_expires_at=timezone.now())
    with caplog.at_level(logging.INFO):
        Client().get(path_of(mail))
    lines = "\n".join(map(TextFormatter().format, caplog.records))

    assert "Gone: /vendor/answer/…" in lines
    assert tokens([mail])[0] not in lines
    asked = ({"r": f"GET {path_of(mail)}?page=2 HTTP/1.1"},)
    access = logging.LogRecord("gunicorn.access", logging.INFO, "", 0, '"%(r)s" 200', asked, None)
    assert TextFormatter().format(access).endswith('"GET /vendor/answer/…?page=2 HTTP/1.1" 200')

"""EMAIL_URL and the system check: what is wrong is named, and the password never is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.mail_server import MailServer, Security, read_email_url
from tests.fakes.smtp import make_certificates


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.test", MailServer("mail.test", 25, Security.NONE, timeout=30)),
        ("smtp+tls://mail.test", MailServer("mail.test", 587, Security.STARTTLS, timeout=30)),
        ("smtps://mail.test/", MailServer("mail.test", 465, Security.TLS, timeout=30)),
        ("smtps://a:b@mail.test:4650", MailServer("mail.test", 4650, Security.TLS, "a", "b", 30)),
        (
            "smtp://a%40b.test:p%2F%3A%23%25@h:1?timeout=2.5",
            MailServer("h", 1, Security.NONE, "a@b.test", "p/:#%", 2.5),
        ),
        ("smtp://%E7%8E%8B:%E5%AF%86@h", MailServer("h", 25, Security.NONE, "王", "密", 30)),
        ("smtp://[::1]:2525", MailServer("::1", 2525, Security.NONE, timeout=30)),
        ("smtp://郵件.台灣", MailServer("xn--5nqv22n.xn--kpry57d", 25, Security.NONE, timeout=30)),
    ],
)
def test_good(url: str, server: MailServer) -> None:
    assert read_email_url(url, timeout=30) == server


@pytest.mark.parametrize(
    "url",
    [
        *("mail.test", "smtp:mail.test", "smtp://", "http://u:geheim@h", "smtp+ssl://u:geheim@h", "smtp://u:geheim@"),
        *("smtp://u:geheim@h:port", "smtp://u:geheim@h:70000", "smtp://u:geheim@h:0", "smtp://u:ge#heim@h"),
        *("smtp://u:geheim/x@h", "smtp://u:geheim@h/path", "smtp://u@h", "smtp://:geheim@h", "smtp://u:geheim%00@h"),
        *("smtp://u:geheim%ff@h", "smtp://u:geheim@h?timeout=0", "smtp://u:geheim@h?timeout=nan"),
        *("smtp://u:geheim@h?timeout=601", "smtp://u:geheim@h?timeout=", "smtp://u:geheim@h?tls=1"),
        *("smtp://u:geheim@h?timeout=1&timeout=2", "smtp://u:geheim@[::1", "smtp://u:geheim@..台灣"),
    ],
)
def test_wrong(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL 不正確") as caught:
        read_email_url(url, timeout=30)
    assert "geheim" not in str(caught.value)
    assert "heim" not in str(caught.value)


@given(st.text())
def test_any_url_is_read_or_refused(url: str) -> None:
    for text in (url, f"smtp://{url}", f"smtps://u:p@h{url}"):
        with contextlib.suppress(ImproperlyConfigured):
            assert read_email_url(text, timeout=30).host.isascii()


def test_password_is_not_in_the_representation() -> None:
    assert "geheim" not in repr(read_email_url("smtp://u:geheim@h", timeout=30))


def found() -> list[str]:
    return sorted(message.id for message in run_checks() if str(message.id).startswith("notifications.") and message.id)


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({"EMAIL_URL": ""}, []),
        ({"EMAIL_URL": "", "LOCAL": False}, ["notifications.W001"]),
        ({"EMAIL_URL": "", "EMAIL_FROM": "nobody"}, ["notifications.E001"]),
        ({"EMAIL_URL": "smtps://u:p@mail.test"}, []),
        ({"EMAIL_URL": "smtp://u:p@mail.test"}, ["notifications.W002"]),
        ({"EMAIL_URL": "smtp://u:p@127.0.0.1"}, []),
        ({"EMAIL_URL": "smtp://u:p@localhost"}, []),
        ({"EMAIL_URL": "smtp://mail.test"}, []),
        ({"EMAIL_URL": "ftp://mail.test"}, ["notifications.E001"]),
        ({"EMAIL_URL": "smtp://mail.test", "EMAIL_FROM": "nobody"}, ["notifications.E001"]),
        ({"EMAIL_URL": "smtp://mail.test", "EMAIL_REPLY_TO": "a b@c"}, ["notifications.E001"]),
        ({"EMAIL_URL": "smtps://mail.test", "EMAIL_CA_FILE": "/nowhere.pem"}, ["notifications.E001"]),
    ],
)
def test_system_check(settings: Any, values: dict[str, Any], ids: list[str]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    assert found() == ids


def test_system_check_of_the_authority(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_URL = "smtps://mail.test"
    (tmp_path / "no.pem").write_text("no certificate")
    settings.EMAIL_CA_FILE = str(tmp_path / "no.pem")
    assert found() == ["notifications.E001"]
    settings.EMAIL_CA_FILE = str(make_certificates(tmp_path).authority)
    assert found() == []

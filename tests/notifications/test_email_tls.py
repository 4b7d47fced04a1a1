"""TLS and logins against a real server with a certificate made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notifications.channels.base import Outcome, Verdict
from notifications.channels.email import EmailSender
from tests.fakes.smtp import Certificates, Line, make_certificates, raw_server, running_smtp
from tests.notifications.mails import attachment, mail_message

USER, PASSWORD = "momo@example.com", "ge/heim: #%密碼"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _authority(settings: Any, certificates: Certificates) -> None:
    settings.EMAIL_CA_FILE = str(certificates.authority)


def refused(outcome: Outcome | None) -> str:
    assert outcome is not None
    assert (outcome.verdict, outcome.of_channel) == (Verdict.RETRY, True)
    assert "ge/heim" not in outcome.reason
    return outcome.reason


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_sent_after_login(
    tmp_path: Path, settings: Any, sender: EmailSender, certificates: Certificates, security: str
) -> None:
    options = {"certificates": certificates, "user": USER, "password": PASSWORD}
    with running_smtp(tmp_path / "record", security=security, **options) as server:
        settings.EMAIL_URL = server.url
        for _ in range(2):
            assert sender.open() is None
            outcome = sender.send(mail_message(files=[attachment("a.bin", bytes(2_000_000))]))
            assert outcome.verdict is Verdict.SENT
        assert server.connections == 1
        assert len(server.accepted()) == 2


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_wrong_password_is_the_channels_and_never_shown(
    tmp_path: Path, settings: Any, sender: EmailSender, certificates: Certificates, security: str
) -> None:
    options = {"certificates": certificates, "user": USER, "password": PASSWORD}
    with running_smtp(tmp_path / "record", security=security, **options) as server:
        settings.EMAIL_URL = server.url
        server.password = "another"
        outcome = sender.open()
        assert "535 5.7.8 Wrong name or password" in refused(outcome)
        assert outcome is not None
        assert outcome.wait == 600


@pytest.mark.parametrize("hidden", ["PLAIN", "LOGIN"])
def test_each_way_to_log_in(tmp_path: Path, settings: Any, sender: EmailSender, hidden: str) -> None:
    with running_smtp(tmp_path / "record", user=USER, password=PASSWORD, hide_ways=(hidden,)) as server:
        settings.EMAIL_URL = server.url
        assert sender.send(mail_message()).verdict is Verdict.SENT


def test_cram_md5(settings: Any, sender: EmailSender) -> None:
    """The example of RFC 2195."""
    heard = []

    def play(line: Line) -> None:
        line.say(b"220 mail.test\r\n")
        line.answer(
            b"250-mail.test\r\n250 AUTH PLAIN CRAM-MD5\r\n",
            b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n",
        )
        heard.append(line.hear())
        line.say(b"235 in\r\n")
        line.wait()

    with raw_server(play) as port:
        settings.EMAIL_URL = f"smtp://tim:tanstaaftanstaaf@127.0.0.1:{port}"
        assert sender.open() is None
        sender.close()
    assert heard == [b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n"]


def test_server_that_repeats_the_password(settings: Any, sender: EmailSender) -> None:
    def play(line: Line) -> None:
        line.say(b"220 mail.test\r\n")
        line.answer(b"250-mail.test\r\n250 AUTH PLAIN\r\n")
        blob = line.hear().split()[-1]
        line.say(b"535 I do not like secret99 nor " + blob + b"\r\n")
        line.wait()

    with raw_server(play) as port:
        settings.EMAIL_URL = f"smtp://user:secret99@127.0.0.1:{port}"
        reason = refused(sender.open())
    assert "secret99" not in reason
    assert "535 I do not like *** nor ***" in reason


def test_login_where_none_is_offered(tmp_path: Path, settings: Any, sender: EmailSender) -> None:
    with running_smtp(tmp_path / "record") as server:
        settings.EMAIL_URL = f"smtp://u:p@127.0.0.1:{server.port}"
        assert "登入方式" in refused(sender.open())


def test_starttls_where_none_is_offered_sends_nothing(tmp_path: Path, settings: Any, sender: EmailSender) -> None:
    with running_smtp(tmp_path / "record") as server:
        settings.EMAIL_URL = f"smtp+tls://u:p@127.0.0.1:{server.port}"
        assert "STARTTLS" in refused(sender.open())
        assert server.commands == []


def test_words_put_in_before_tls(settings: Any, sender: EmailSender) -> None:
    def play(line: Line) -> None:
        line.say(b"220 mail.test\r\n")
        line.answer(b"250-mail.test\r\n250 STARTTLS\r\n", b"220 go\r\n250 AUTH PLAIN\r\n")
        line.wait()

    with raw_server(play) as port:
        settings.EMAIL_URL = f"smtp+tls://127.0.0.1:{port}?timeout=1"
        assert "TLS 開始之前" in refused(sender.open())


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("names", "days", "authority"),
    [(("other.test",), 1, True), (("127.0.0.1",), -1, True), (("127.0.0.1",), 1, False)],
)
def test_certificate_that_does_not_hold(
    tmp_path: Path,
    settings: Any,
    sender: EmailSender,
    security: str,
    names: tuple[str, ...],
    days: int,
    authority: bool,
) -> None:
    made = make_certificates(tmp_path, *names, days=days)
    if authority:
        settings.EMAIL_CA_FILE = str(made.authority)
    with running_smtp(tmp_path / "record", security=security, certificates=made) as server:
        settings.EMAIL_URL = server.url
        assert "憑證無法驗證" in refused(sender.open())
        assert server.commands == []


def test_tls_to_a_server_that_speaks_plainly(tmp_path: Path, settings: Any, sender: EmailSender) -> None:
    with running_smtp(tmp_path / "record") as server:
        settings.EMAIL_URL = f"smtps://127.0.0.1:{server.port}"
        assert "TLS" in refused(sender.open())


def test_authority_that_is_missing_is_named(settings: Any, sender: EmailSender) -> None:
    settings.EMAIL_URL = "smtps://127.0.0.1:1"
    settings.EMAIL_CA_FILE = "/nowhere.pem"
    assert "EMAIL_CA_FILE" in refused(sender.open())


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("at", "verdict"),
    [("data", Verdict.RETRY), ("inside", Verdict.RETRY), ("dot", Verdict.UNKNOWN), ("accepted", Verdict.UNKNOWN)],
)
def test_drops_mean_the_same_within_tls(
    tmp_path: Path,
    settings: Any,
    sender: EmailSender,
    certificates: Certificates,
    security: str,
    at: str,
    verdict: Verdict,
) -> None:
    with running_smtp(tmp_path / "record", security=security, certificates=certificates) as server:
        settings.EMAIL_URL = server.url
        server.fail(at, times=1)
        assert sender.send(mail_message(files=[attachment("a.bin", bytes(3_000_000))])).verdict is verdict
        assert len(server.accepted()) == (at == "accepted")
        assert sender.send(mail_message()).verdict is Verdict.SENT

"""Bounces that come back as mails: whose address is marked, and what is refused."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from momo.core.errors import NotFound, PayloadTooLarge, ServiceError, ValidationFailed
from tests.notifications.outbox_world import SENT
from tests.vendors.mailing import delivered, message_of, prepared, statuses
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, VendorAddress, VendorMail
from vendors.services.bounces import MAX_BYTES, read_bounce

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail() -> VendorMail:
    """Sent to a recipient, with a copy."""
    (made,) = prepared(make_stockout(make_vendor("A", "Wang@example.com", "copy@example.com")))
    delivered(SENT)
    made.refresh_from_db()
    return made


def notification(
    address: str,
    message_id: str = "",
    *,
    action: str = "failed",
    status: str = "5.1.1",
    headers_only: bool = False,
) -> bytes:
    """As Postfix writes it."""
    returned = f"Message-ID: {message_id}\nSubject: x\nTo: {address}\n\n" if message_id else "Subject: x\n\n"
    return f"""From: MAILER-DAEMON@mail.test
To: no-reply@momo.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.test

Final-Recipient: rfc822; {address}
Original-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <{address}>: no such user

--b
Content-Type: {"text/rfc822-headers" if headers_only else "message/rfc822"}

{returned}
--b--
""".encode()


def bounced() -> set[str]:
    return set(VendorAddress.objects.exclude(bounced_at=None).values_list("email", flat=True))


@pytest.mark.parametrize("headers_only", [True, False])
def test_the_address_of_the_mail_is_marked(mail: VendorMail, headers_only: bool) -> None:
    other = make_vendor("B", "wang@example.com")
    content = notification("wang@example.com", message_of(mail).message_id, headers_only=headers_only)
    (address,) = read_bounce(content=content)
    assert (address.vendor_id, address.bounce_reason) == (
        mail.vendor_id,
        "5.1.1 550 5.1.1 <wang@example.com>: no such user",
    )
    assert not other.addresses.exclude(bounced_at=None).exists()


def test_a_mail_that_nobody_got_has_failed(mail: VendorMail) -> None:
    row = Stockout.objects.get()
    read_bounce(content=notification("copy@example.com", message_of(mail).message_id))
    assert statuses(row) == ["sent"], "its recipient got it"
    read_bounce(content=notification("wang@example.com", message_of(mail).message_id))
    mail.refresh_from_db()
    assert (mail.status, statuses(row)) == ("failed", ["failed"])
    assert mail.reason.startswith("退信：5.1.1")


def test_without_the_headers_the_recipient_decides(mail: VendorMail) -> None:
    read_bounce(content=notification("WANG@example.com"))
    assert bounced() == {"Wang@example.com"}
    assert statuses(Stockout.objects.get()) == ["sent"], "nobody knows which mail it was"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", ValidationFailed),
        (b"\xff\xfe\0" * 100, ValidationFailed),
        (b"From: a@b\nSubject: Away until Monday\n\nHello", ValidationFailed),
        (b"Content-Type: message/delivery-status\n\n\n\n", ValidationFailed),
        (b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n" * 5000, ValidationFailed),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 2000, ValidationFailed),
        (notification("wang@example.com", action="delayed", status="4.4.1"), ValidationFailed),
        (notification("wang@example.com", status="4.2.2"), ValidationFailed),
        (notification("nobody-we-know@example.com"), NotFound),
        (notification("wang@example.com", f"<{'0' * 24}.999999999999999999@momo.test>"), NotFound),
        (b"x" * (MAX_BYTES + 1), PayloadTooLarge),
    ],
    ids=range(11),
)
def test_what_changes_nothing(mail: VendorMail, content: bytes, error: type[ServiceError]) -> None:
    with pytest.raises(error):
        read_bounce(content=content)
    assert bounced() == set()


def test_an_address_that_no_mail_went_to_is_not_believed(mail: VendorMail) -> None:
    VendorMail.objects.update(to=[], cc=[])
    with pytest.raises(NotFound, match=r"wang@example\.com"):
        read_bounce(content=notification("wang@example.com", message_of(mail).message_id))


def test_the_command_reads_a_file_and_its_input(
    mail: VendorMail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = notification("wang@example.com", message_of(mail).message_id)
    said = io.StringIO()
    (tmp_path / "bounce.eml").write_bytes(content)
    call_command("read_bounce", tmp_path / "bounce.eml", stdout=said)
    assert "Wang@example.com" in said.getvalue()
    VendorAddress.objects.update(bounced_at=None)
    _pipe(monkeypatch, content)
    call_command("read_bounce", stdout=said)
    assert bounced() == {"Wang@example.com"}


def test_the_command_says_what_it_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _pipe(monkeypatch, b"Hello")
    with pytest.raises(CommandError, match="這不是退信通知"):
        call_command("read_bounce")
    _pipe(monkeypatch, b"x" * (MAX_BYTES + 1))
    with pytest.raises(CommandError, match="最大 2 MB"):
        call_command("read_bounce")
    with pytest.raises(CommandError, match="讀不到"):
        call_command("read_bounce", tmp_path / "none.eml")


def _pipe(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    stream: Any = io.TextIOWrapper(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", stream)

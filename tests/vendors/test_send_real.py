"""Sending at once, and over real SMTP: one mail a vendor, with its copy and its workbook."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from notifications.models import OutboxMessage
from notifications.services.sending import drain
from tests.fakes.smtp import running_smtp
from tests.kit.threads import at_once
from tests.vendors.mailing import prepared, send, statuses
from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import MailLine, VendorAddress, VendorMail
from vendors.services.prepare import prepare_mails

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_rows_sent_at_once() -> None:
    batch = make_batch()
    vendors = [make_vendor(f"V{number}", f"{number}@example.com") for number in range(4)]
    rows = [make_stockout(vendor, batch) for vendor in vendors for _ in range(3)]
    results = at_once(lambda: send(*rows), lambda: send(*reversed(rows)), lambda: send(*rows[4:]))
    assert sum(result.queued for result in results) == len(rows)
    assert MailLine.objects.count() == len(rows), "no row is in two mails"
    skipped = [skip["reason"] for result in results for skip in result.skipped]
    assert all(reason.startswith("已在寄送中（郵件 #") for reason in skipped)
    assert len(skipped) == len(rows) + len(rows) - 4


def test_two_workers_prepare_the_same_mails_at_once() -> None:
    rows = [make_stockout(make_vendor(f"V{number}", f"{number}@example.com")) for number in range(6)]
    send(*rows)
    ids = list(VendorMail.objects.values_list("pk", flat=True))
    assert at_once(lambda: prepare_mails(ids), lambda: prepare_mails(ids)) == [None, None]
    assert OutboxMessage.objects.count() == len(ids)
    assert set(VendorMail.objects.values_list("status", flat=True)) == {"queued"}


def test_over_smtp(tmp_path: Path, settings: Any) -> None:
    settings.EMAIL_FROM, settings.EMAIL_REPLY_TO = "MOMO Pro <no-reply@momo.test>", "buyer@momo.test"
    good = make_vendor("A", "a@example.com", "copy@example.com")
    gone, half = make_vendor("B", "gone.b@example.com"), make_vendor("C", "c@example.com", "gone.c@example.com")
    batch = make_batch()
    rows = [make_stockout(vendor, batch, monthly_sales=1320) for vendor in (good, good, gone, half)]
    with running_smtp(tmp_path / "record") as server:
        settings.EMAIL_URL = server.url
        server.fail("rcpt", "550 5.1.1 No such user", recipient="^gone")
        prepared(*rows)
        drain("email", seconds=30, pass_on=False)
        accepted = {one.recipient: one.mail for one in server.accepted()}
    assert set(accepted) == {"a@example.com", "copy@example.com", "c@example.com"}
    mail = accepted["copy@example.com"]
    assert (mail["To"], mail["Cc"], mail["Reply-To"]) == ("a@example.com", "copy@example.com", "buyer@momo.test")
    (file,) = mail.iter_attachments()
    sheet = load_workbook(io.BytesIO(file.get_content())).active
    assert sheet is not None
    assert [row[0] for row in list(sheet.values)[1:]] == [row.product_code for row in rows[:2]]
    assert sheet["C2"].value == 1320
    html = mail.get_body(("html",))
    assert html is not None
    assert rows[0].product_code in html.get_content()
    assert "貴公司供應的商品" in html.get_content(), "why one gets it"
    assert statuses(*rows) == ["sent", "sent", "failed", "sent"]
    refused = VendorAddress.objects.exclude(bounced_at=None).values_list("email", flat=True)
    assert set(refused) == {"gone.b@example.com", "gone.c@example.com"}

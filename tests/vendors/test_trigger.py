"""What becomes of a message in the outbox reaches mail, rows and addresses."""

from __future__ import annotations

import pytest
from django.db import connection

from notifications.channels.base import Outcome, Verdict
from notifications.models import OutboxMessage
from tests.notifications.outbox_world import FAILED, RETRY, SENT, UNKNOWN, cancel, mark_sent, release, retry
from tests.notifications.outbox_world import mail as other_mail
from tests.vendors.mailing import delivered, message_of, prepared, send, statuses
from tests.vendors.makers import make_stockout, make_vendor
from vendors.models import Stockout, VendorAddress, VendorMail

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Stockout:
    return make_stockout(make_vendor("A", "a@example.com", "copy@example.com"))


@pytest.mark.parametrize(
    ("outcome", "mail_status", "row_status"),
    [
        (SENT, "sent", "sent"),
        (FAILED, "failed", "failed"),
        (UNKNOWN, "held", "queued"),
        (RETRY, "queued", "queued"),
    ],
)
def test_each_outcome(row: Stockout, outcome: Outcome, mail_status: str, row_status: str) -> None:
    prepared(row)
    delivered(outcome)
    mail = VendorMail.objects.get()
    assert (mail.status, statuses(row)) == (mail_status, [row_status])
    message = message_of(mail)
    assert mail.sent_at == message.sent_at
    assert mail.reason == ("" if outcome is RETRY else message.reason)
    row.refresh_from_db()
    assert row.notified_at == message.sent_at


def test_what_people_decide(row: Stockout) -> None:
    (mail,) = prepared(row)
    message = message_of(mail)
    delivered(UNKNOWN)
    release(message)
    assert statuses(row) == ["queued"]
    delivered(FAILED)
    retry(message)
    assert statuses(row) == ["queued"]
    delivered(UNKNOWN)
    mark_sent(message)
    assert statuses(row) == ["sent"]


@pytest.mark.parametrize("status", ["no_email", "pending"])
def test_a_mail_that_is_sent_after_all_counts_for_a_row_that_had_lost_its_address(row: Stockout, status: str) -> None:
    (mail,) = prepared(row)
    delivered(FAILED)
    VendorAddress.objects.update(bounced_at="2026-11-01T00:00Z")
    send(row)
    assert statuses(row) == ["no_email"]
    Stockout.objects.update(status=status)
    retry(message_of(mail))
    assert statuses(row) == ["queued"]
    delivered(SENT)
    assert statuses(row) == ["sent"]


def test_a_cancelled_message_has_failed(row: Stockout) -> None:
    (mail,) = prepared(row)
    cancel(message_of(mail))
    mail.refresh_from_db()
    assert (mail.status, mail.reason, statuses(row)) == ("cancelled", "寄送被取消", ["failed"])


@pytest.mark.parametrize("status", ["replied", "resolved"])
def test_a_late_outcome_takes_no_answer_back(row: Stockout, status: str) -> None:
    prepared(row)
    Stockout.objects.update(status=status)
    delivered(SENT)
    row.refresh_from_db()
    assert row.status == status
    assert row.notified_at is not None


def test_an_old_mail_says_nothing_of_a_row_that_has_a_newer_one(row: Stockout) -> None:
    (old,) = prepared(row)
    delivered(SENT)
    first = Stockout.objects.get().notified_at
    prepared(row, resend=True)
    OutboxMessage.objects.filter(pk=message_of(old).pk).update(status="failed")
    assert statuses(row) == ["queued"]
    delivered(SENT)
    row.refresh_from_db()
    assert (row.status, row.notified_at) == ("sent", first)


def test_refused_recipients_are_marked(row: Stockout) -> None:
    other = make_vendor("B", "copy@example.com")
    prepared(row)
    delivered(Outcome(Verdict.SENT, "250 Ok", refused={"Copy@example.com": "550 5.1.1 No such user"}))
    found = {address.vendor.code: address for address in VendorAddress.objects.filter(mailbox="copy@example.com")}
    assert found["A"].bounced_at is not None
    assert found["A"].bounce_reason == "550 5.1.1 No such user"
    assert found["B"].bounced_at is None, other
    assert statuses(row) == ["sent"]


def test_a_vendor_of_whom_all_recipients_were_refused_needs_an_address(row: Stockout) -> None:
    prepared(row)
    delivered(Outcome(Verdict.FAILED, "550 No such user", refused={"a@example.com": "550 No such user"}))
    assert statuses(row) == ["failed"]
    result = send(row)
    assert result.queued == 0
    assert "a@example.com（550 No such user）" in result.skipped[0]["reason"]
    assert statuses(row) == ["no_email"]


def test_an_address_that_was_put_right_stays_so(row: Stockout) -> None:
    prepared(row)
    delivered(Outcome(Verdict.FAILED, "550 No", refused={"a@example.com": "550 No"}))
    VendorAddress.objects.update(bounced_at=None, bounce_reason="")
    retry(OutboxMessage.objects.get())
    delivered(SENT)
    assert VendorAddress.objects.filter(bounced_at=None).count() == 2


def test_the_outbox_of_other_events_never_runs_it(row: Stockout) -> None:
    (mail,) = prepared(row)
    other_mail("k", event="vendorless")
    plan = _calls("UPDATE notifications_outboxmessage SET status = 'sent', sent_at = now() WHERE key = 'k'")
    assert "vendor_mail_outcome" not in plan
    step = _calls(f"UPDATE notifications_outboxmessage SET status = 'claimed' WHERE id = {message_of(mail).pk}")
    assert "vendor_mail_outcome" not in step, "a step is no outcome"
    end = _calls(f"UPDATE notifications_outboxmessage SET status = 'failed' WHERE id = {message_of(mail).pk}")
    assert "vendor_mail_outcome: time" in end
    assert "calls=1" in end


def _calls(statement: str) -> str:
    """The plan of a statement that is done, with the triggers that it ran."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE) {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_many_rows_take_the_index_of_their_mail(row: Stockout) -> None:
    prepared(row)
    others = (Stockout(vendor=row.vendor, batch=row.batch, row=place, product_code=f"{place}") for place in range(1000))
    Stockout.objects.bulk_create(others)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT 1 FROM vendors_stockout WHERE mail_id = 1 ORDER BY id FOR NO KEY UPDATE")
        assert "stockout_mail" in "\n".join(line for (line,) in cursor.fetchall())

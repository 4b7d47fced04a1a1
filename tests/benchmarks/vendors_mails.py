"""Mails to vendors: preparing a sending beside rendering its mails alone, and what the trigger costs the outbox.

Preparing: 300 mails with 5,000 rows, each with its workbook, from the claim of the sending to the last commit. The
floor renders the same templates and writes the same workbooks from rows that are in memory.

Trigger: UPDATEs of the status of messages of another event, with the trigger and without it.
"""

from __future__ import annotations

import time
from collections import defaultdict

from django.db import connection
from django.utils import timezone

from notifications.models import OutboxMessage
from tests.benchmarks.context import Context
from tests.benchmarks.outbox import FILL
from tests.benchmarks.report import Row, interleave, seconds_of
from tests.vendors.makers import make_batch
from vendors.models import Stockout, Vendor, VendorAddress, VendorSending
from vendors.models.mails import MailKind
from vendors.services.compose import Composer, link_ends
from vendors.services.prepare import run_sending
from vendors.services.sendings import send_stockouts

MAILS, ROWS = 300, 5_000
MESSAGES = 20_000


def run(context: Context) -> list[Row]:
    """Seconds of all mails; milliseconds of a thousand updates."""
    with context.database("bench_vendors"):
        return [_preparing(context), _trigger(context)]


# --- Preparing ------------------------------------------------------------------------------------------------------


def _preparing(context: Context) -> Row:
    mails, rows, repeats = (6, 100, 1) if context.quick else (MAILS, ROWS, 3)
    context.say(f"{mails:,} mails with {rows:,} rows …")
    _fill(mails, rows)
    floor, subject = interleave(repeats, _render, lambda: _prepare(mails))
    return Row(f"{mails:,} mails to vendors, {rows:,} rows", "templates and workbooks", floor, subject, "s", 1.5)


def _fill(mails: int, rows: int) -> None:
    vendors = Vendor.objects.bulk_create(
        Vendor(code=f"V{number:05}", name=f"水潤生技股份有限公司{number}") for number in range(mails)
    )
    VendorAddress.objects.bulk_create(
        VendorAddress(vendor=vendor, email=email, mailbox=email, kind=kind)
        for vendor in vendors
        for kind in ("to", "cc")
        for email in [f"{kind}.{vendor.code}@example.com".lower()]
    )
    batch = make_batch()
    Stockout.objects.bulk_create(
        [
            Stockout(
                batch=batch,
                row=number + 2,
                vendor=vendors[number % mails],
                product_code=f"{10_000_000 + number}",
                product_name=f"【水潤】玻尿酸保濕精華液 30ml 第 {number} 款，買一送一",
                pm=f"PM{number % 20}",
                monthly_sales=number % 1000,
                stock=number % 7,
            )
            for number in range(rows)
        ],
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _render() -> float:
    by_vendor = defaultdict(list)
    for row in Stockout.objects.select_related("vendor").order_by("pk"):
        by_vendor[row.vendor].append(row)
    until = link_ends(timezone.now())

    def work() -> None:
        composer = Composer(MailKind.STOCKOUT)
        for vendor, rows in by_vendor.items():
            made = composer.compose(vendor=vendor, rows=rows, note="", link="https://mo.test/", link_until=until)
            assert made.text.plain
            assert made.text.html

    return seconds_of(work)


def _prepare(mails: int) -> float:
    OutboxMessage.objects.all().delete()
    Stockout.objects.update(status="pending", mail=None)
    sending = send_stockouts(batch=Stockout.objects.all()[0].batch, user=None).sending
    assert sending is not None
    VendorSending.objects.filter(pk=sending.pk).update(heartbeat_at=timezone.now())
    took = seconds_of(lambda: run_sending(sending.pk))
    if OutboxMessage.objects.count() != mails:
        raise RuntimeError(f"{OutboxMessage.objects.count()} mails of {mails} are in the outbox")
    return took


# --- Trigger --------------------------------------------------------------------------------------------------------


def _trigger(context: Context) -> Row:
    rows, repeats = (1_000, 1) if context.quick else (MESSAGES, 7)
    OutboxMessage.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"channel": "email", "status": "pending", "rows": rows, "chats": 1})
        cursor.execute("VACUUM ANALYZE notifications_outboxmessage")
    floor, subject = interleave(repeats, lambda: _update("DISABLE"), lambda: _update("ENABLE"))
    return Row(f"{rows:,} messages of another event sent", "without the trigger", floor, subject, "ms", 1.1)


def _update(trigger: str) -> float:
    """Milliseconds of sending all messages with one statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE notifications_outboxmessage {trigger} TRIGGER vendor_mail_outcome")
        cursor.execute("UPDATE notifications_outboxmessage SET status = 'sending'")
        cursor.execute("VACUUM notifications_outboxmessage")
        began = time.perf_counter()
        cursor.execute("UPDATE notifications_outboxmessage SET status = 'sent', sent_at = now()")
        return (time.perf_counter() - began) * 1000

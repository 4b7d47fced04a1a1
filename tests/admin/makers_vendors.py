"""Rows for admin pages of vendors, many at once."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.vendors.makers import make_batch, make_stockout, make_vendor
from vendors.models import MailLine, Stockout, StockoutBatch, Vendor, VendorMail, VendorSending


def vendors(number: int) -> list[Vendor]:
    """Vendors with a recipient and a copy, each with an open row."""
    batch = make_batch(line_count=number)
    made = [make_vendor("", f"to{place}@example.com", f"cc{place}@example.com") for place in range(number)]
    for vendor in made:
        make_stockout(vendor, batch)
    return made


def stockouts(number: int) -> list[Stockout]:
    """Rows of one report, every status in turn, of three vendors, every fifth a duplicate of the first."""
    batch = make_batch(line_count=number)
    suppliers = [make_vendor("", f"to{place}@example.com") for place in range(3)]
    statuses = Stockout.Status.values
    made: list[Stockout] = []
    for place in range(number):
        status = statuses[place % len(statuses)]
        made.append(
            make_stockout(
                suppliers[place % 3],
                batch,
                status=status,
                pm=("王小明", "李小華", "")[place % 3],
                price=None if place % 4 == 3 else 1_280,
                created_at=timezone.now() - timedelta(days=place % 20, hours=1),
                resolved_at=timezone.now() if status == "resolved" else None,
                resolved_reason="manual" if status == "resolved" else "",
                answer="restock" if status == "replied" else "",
                duplicate_of=made[0] if place % 5 == 4 else None,
            )
        )
    return made


def batches(number: int) -> list[StockoutBatch]:
    """Reports that were imported."""
    return [make_batch(line_count=1) for _ in range(number)]


def mails(number: int) -> list[VendorMail]:
    """Mails that were sent, each of a sending of its own, each with one row."""
    vendor, batch, now = make_vendor("", "to@example.com"), make_batch(line_count=number), timezone.now()
    made = []
    for _ in range(number):
        mail = VendorMail.objects.create(
            sending=VendorSending.objects.create(batch=batch, status="done"),
            vendor=vendor,
            day=now.date(),
            to=["to@example.com"],
            status="sent",
            sent_at=now,
            link_expires_at=now + timedelta(days=14),
        )
        row = make_stockout(vendor, batch, status="sent", mail=mail, notified_at=now)
        MailLine.objects.create(mail=mail, line=row)
        made.append(mail)
    return made

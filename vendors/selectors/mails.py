"""Reads of sendings and of mails to vendors."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from vendors.models import Stockout, VendorMail, VendorSending

Status = VendorMail.Status


def sendings() -> QuerySet[VendorSending]:
    """Sendings with how many mails they have, and how many of them were sent, failed, and wait for a person."""

    def mails(*status: str) -> Count:
        return Count("mails", filter=Q(mails__status__in=status))

    return VendorSending.objects.select_related("created_by", "batch").annotate(
        mail_count=Count("mails"),
        sent_count=mails(Status.SENT),
        failed_count=mails(Status.FAILED, Status.CANCELLED),
        held_count=mails(Status.HELD),
    )


def vendor_mails() -> QuerySet[VendorMail]:
    """Mails with their vendors, and how many rows each is about."""
    return VendorMail.objects.select_related("vendor", "sending").annotate(line_count=Count("mail_lines"))


def failed_rows(mails: QuerySet[VendorMail]) -> list[int]:
    """Ids of the rows whose newest mail is one of `mails`, and that did not get to their vendor."""
    rows = Stockout.objects.filter(mail__in=mails, status=Stockout.Status.FAILED)
    return list(rows.order_by("pk").values_list("pk", flat=True))

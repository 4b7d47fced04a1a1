"""Vendors and their addresses."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Vendor(models.Model):
    """A supplier. An import creates those that it does not know, without addresses."""

    code = models.CharField("廠商代號", max_length=30, unique=True, error_messages={"unique": "已有這個廠商代號"})
    name = models.CharField("名稱", max_length=200)
    contact = models.CharField("聯絡人", max_length=60, blank=True)
    phone = models.CharField("電話", max_length=40, blank=True)
    # Where what nobody answers goes; VENDOR_ESCALATION_TO where it is empty.
    escalation_email = models.CharField("主管信箱", max_length=254, blank=True)
    note = models.TextField("備註", blank=True)
    is_active = models.BooleanField("啟用", default=True)
    # The vendor that has the rows of this one since a merge: a report that still names this code means that vendor.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", editable=False, verbose_name="已併入"
    )
    created_at = models.DateTimeField("建立時間", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "廠商"
        verbose_name_plural = "廠商"
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"


class VendorAddress(models.Model):
    """An address of a vendor. Mails go to those that are active and were not refused since."""

    class Kind(models.TextChoices):
        TO = "to", "收件者"
        CC = "cc", "副本"

    vendor = models.ForeignKey(Vendor, models.CASCADE, related_name="addresses", verbose_name="廠商")
    email = models.CharField("電子郵件", max_length=254)
    # What makes two addresses the same: `email` in lower case.
    mailbox = models.CharField("信箱", max_length=254, editable=False)
    kind = models.CharField("用途", max_length=2, choices=Kind, default=Kind.TO)
    name = models.CharField("姓名", max_length=100, blank=True)
    is_active = models.BooleanField("啟用", default=True)
    # Set by the trigger on the outbox when a mail server refuses the address, cleared when somebody edits it.
    bounced_at = models.DateTimeField("退信時間", null=True, blank=True, editable=False)
    bounce_reason = models.CharField("退信原因", max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField("建立時間", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "廠商信箱"
        verbose_name_plural = "廠商信箱"
        ordering = ("vendor", "-kind", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vendor", "mailbox"], name="vendoraddress_once", violation_error_message="這家廠商已有這個信箱"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["mailbox"], name="vendoraddress_mailbox")]

    # Addresses to which mails go.
    USABLE: ClassVar = Q(is_active=True, bounced_at=None)

    def __str__(self) -> str:
        return self.email

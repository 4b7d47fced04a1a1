"""Mails to vendors: a sending takes rows, and makes one mail for each vendor."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from momo.core.work import Work
from vendors.models.stockouts import Stockout, StockoutBatch
from vendors.models.vendors import Vendor


class MailKind(models.TextChoices):
    """Why a vendor gets a mail; the values are the events of the messages, which the trigger knows."""

    STOCKOUT = "vendor_stockout", "缺貨通知"
    REMINDER = "vendor_reminder", "提醒"
    ESCALATION = "vendor_escalation", "通知主管"


class VendorSending(Work):
    """A request to mail vendors: its mails exist from the start, and are prepared by a worker. A row of work."""

    task: ClassVar = "vendors.prepare"
    timeout_setting: ClassVar = "VENDOR_HEARTBEAT_TIMEOUT"
    attempts_setting: ClassVar = "VENDOR_ATTEMPTS"

    class Status(models.TextChoices):
        PENDING = "pending", "等待中"
        RUNNING = "running", "進行中"
        DONE = "done", "完成"
        FAILED = "failed", "失敗"

    kind = models.CharField("種類", max_length=17, choices=MailKind, default=MailKind.STOCKOUT)
    batch = models.ForeignKey(
        StockoutBatch, models.SET_NULL, null=True, blank=True, related_name="sendings", verbose_name="批次"
    )
    note = models.TextField("給廠商的話", blank=True)
    skipped = models.JSONField("略過", default=list, blank=True)  # [{"id", "reason"}]
    status = models.CharField("狀態", max_length=7, choices=Status, default=Status.PENDING)
    message = models.TextField("說明", blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="建立者"
    )
    created_at = models.DateTimeField("建立時間", default=timezone.now)
    finished_at = models.DateTimeField("結束時間", null=True, blank=True)

    class Meta:
        verbose_name = "寄送"
        verbose_name_plural = "寄送"
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["id"], name="vendorsending_unfinished", condition=Q(status__in=("pending", "running")))
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class VendorMail(models.Model):
    """One mail to one vendor of one sending, and the link under which the vendor answers for its rows."""

    class Status(models.TextChoices):
        """Follows the outbox message by a trigger of the database."""

        PENDING = "pending", "準備中"
        QUEUED = "queued", "寄送中"
        SENT = "sent", "已寄出"
        HELD = "held", "待人工確認"
        FAILED = "failed", "失敗"
        CANCELLED = "cancelled", "已取消"

    sending = models.ForeignKey(VendorSending, models.PROTECT, related_name="mails", verbose_name="寄送")
    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="mails", verbose_name="廠商")
    kind = models.CharField("種類", max_length=17, choices=MailKind, default=MailKind.STOCKOUT)
    day = models.DateField("日期")  # in Taipei
    to = models.JSONField("收件者", default=list)  # addresses
    cc = models.JSONField("副本", default=list)
    lines = models.ManyToManyField(Stockout, through="vendors.MailLine", related_name="mails", verbose_name="缺貨")
    message = models.ForeignKey(
        "notifications.OutboxMessage", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="訊息"
    )
    status = models.CharField("狀態", max_length=9, choices=Status, default=Status.PENDING)
    reason = models.TextField("原因", blank=True)
    sent_at = models.DateTimeField("寄出時間", null=True, blank=True)
    created_at = models.DateTimeField("建立時間", default=timezone.now)
    link_expires_at = models.DateTimeField("連結有效至")
    # The newest submission; a form says which one it was made from.
    version = models.PositiveIntegerField("回覆次數", default=0)
    answered_at = models.DateTimeField("首次回覆時間", null=True, blank=True)

    class Meta:
        verbose_name = "廠商郵件"
        verbose_name_plural = "廠商郵件"
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sending", "vendor"], name="vendormail_one_a_sending"),
            models.UniqueConstraint(
                fields=["vendor", "day"], name="vendormail_one_reminder_a_day", condition=Q(kind="vendor_reminder")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class MailLine(models.Model):
    """A row in a mail."""

    mail = models.ForeignKey(VendorMail, models.CASCADE, related_name="mail_lines", db_index=False)
    line = models.ForeignKey(Stockout, models.CASCADE, related_name="mail_lines")

    class Meta:
        verbose_name = "郵件內的缺貨"
        verbose_name_plural = "郵件內的缺貨"
        constraints: ClassVar = [models.UniqueConstraint(fields=["mail", "line"], name="mailline_once")]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.line_id}"

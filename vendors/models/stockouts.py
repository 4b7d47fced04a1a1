"""Batches of stockouts, one for each imported report, and their lines."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from vendors.models.vendors import Vendor


class AnswerKind(models.TextChoices):
    """What a vendor may say about a stockout."""

    RESTOCK = "restock", "預計到貨"
    SUBSTITUTE = "substitute", "替代商品"
    DISCONTINUED = "discontinued", "停產"


class StockoutBatch(models.Model):
    """An imported stockout report. Counts when `published_at` is set and `undone_at` is not."""

    # The API answers with the batch before its import has run.
    job = models.OneToOneField("jobs.Job", models.PROTECT, related_name="stockout_batch", verbose_name="匯入")
    # Another batch with the same rows, which are not stored again.
    same_as = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="內容相同的批次"
    )
    # The newest batch in force when this one was published: what is new, still out and recovered is against it.
    previous = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="前一批"
    )
    digest = models.CharField("內容指紋", max_length=80, blank=True, db_index=True)  # independent of the order of rows
    departments = models.JSONField("涵蓋的部門", default=list, blank=True)  # empty: the report is of all departments
    # Rows of the report are missing (wrong, hidden, on other sheets): what is not listed is not resolved.
    is_partial = models.BooleanField("不完整", default=False)
    line_count = models.PositiveIntegerField("列數", default=0)
    vendor_count = models.PositiveIntegerField("廠商數", default=0)
    new_count = models.PositiveIntegerField("新缺貨", default=0)
    still_count = models.PositiveIntegerField("仍缺貨", default=0)
    recovered_count = models.PositiveIntegerField("已恢復", default=0)
    new_vendor_count = models.PositiveIntegerField("新廠商", default=0)
    created_at = models.DateTimeField("建立時間", default=timezone.now)
    published_at = models.DateTimeField("匯入時間", null=True, blank=True, db_index=True)
    undone_at = models.DateTimeField("復原時間", null=True, blank=True)

    class Meta:
        verbose_name = "缺貨批次"
        verbose_name_plural = "缺貨批次"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"#{self.pk}"


class Stockout(models.Model):
    """A row of a stockout report: a product that a vendor has to supply.

    Of the open rows of one vendor and product the first is worked on; later ones are its duplicates, which are not
    mailed unless somebody asks for it, and are resolved with it.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "待通知"
        QUEUED = "queued", "寄送中"
        SENT = "sent", "已通知"
        FAILED = "failed", "寄送失敗"
        NO_EMAIL = "no_email", "沒有信箱"
        REPLIED = "replied", "已回覆"
        RESOLVED = "resolved", "已結案"

    class Reason(models.TextChoices):
        """Why a row is resolved."""

        BACK_IN_STOCK = "back_in_stock", "商品頁恢復販售"
        NOT_LISTED = "not_listed", "新報表不再列出"
        MANUAL = "manual", "人工結案"

    OPEN: ClassVar = (
        Status.PENDING.value,
        Status.QUEUED.value,
        Status.SENT.value,
        Status.FAILED.value,
        Status.NO_EMAIL.value,
        Status.REPLIED.value,
    )

    # Without constraints in the database, which are checked for each of 20,000 rows, of empty keys too: whoever deletes
    # vendors or rows waits for imports (`lock_stockouts`), and batches and mails are never deleted. A user who is
    # deleted in the moment of closing a row leaves an id of nobody, which the row's page reads as nobody.
    batch = models.ForeignKey(
        StockoutBatch,
        models.PROTECT,
        related_name="lines",
        db_index=False,
        db_constraint=False,
        verbose_name="批次",
    )
    row = models.PositiveIntegerField("列")  # number in the spreadsheet, from 1
    department = models.CharField("部門", max_length=120, blank=True)
    section = models.CharField("科別", max_length=120, blank=True)
    pm = models.CharField("PM", max_length=60, blank=True)
    product_code = models.CharField("品號", max_length=30)
    product_name = models.CharField("品名", max_length=500, blank=True)
    vendor = models.ForeignKey(
        Vendor,
        models.PROTECT,
        related_name="stockouts",
        db_index=False,
        db_constraint=False,
        verbose_name="廠商",
    )
    vendor_name = models.CharField("報表上的廠商名稱", max_length=200, blank=True)
    monthly_sales = models.IntegerField("月銷量", null=True, blank=True)  # pieces; None is unknown
    stock = models.IntegerField("目前庫存", null=True, blank=True)
    # New Taiwan dollars, of the catalogue when the report was imported; None for products that it does not have.
    price = models.PositiveIntegerField("售價", null=True, blank=True)
    status = models.CharField("狀態", max_length=8, choices=Status, default=Status.PENDING)
    duplicate_of = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="duplicates",
        db_index=False,
        db_constraint=False,
        verbose_name="重複於",
    )
    created_at = models.DateTimeField("建立時間", default=timezone.now)

    # The mail that holds the row, the newest of several; its outcome is in `status`, written by the trigger.
    mail = models.ForeignKey(
        "vendors.VendorMail",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="current_lines",
        db_index=False,
        db_constraint=False,
        verbose_name="郵件",
    )
    notified_at = models.DateTimeField("首次通知時間", null=True, blank=True)  # first accepted by a mail server

    answer = models.CharField("回覆", max_length=12, choices=AnswerKind, blank=True)
    restock_date = models.DateField("預計到貨日", null=True, blank=True)
    restock_quantity = models.PositiveIntegerField("到貨數量", null=True, blank=True)
    substitute = models.CharField("替代商品", max_length=200, blank=True)
    answered_at = models.DateTimeField("首次回覆時間", null=True, blank=True)

    resolved_at = models.DateTimeField("結案時間", null=True, blank=True)
    resolved_reason = models.CharField("結案原因", max_length=13, choices=Reason, blank=True)
    resolved_from = models.CharField("結案前的狀態", max_length=8, choices=Status, blank=True, editable=False)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name="結案者",
    )
    # The batch that no longer listed the row; its undo opens the row again.
    resolved_batch = models.ForeignKey(
        StockoutBatch,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="recovered_lines",
        db_index=False,
        db_constraint=False,
        verbose_name="結案的批次",
    )

    class Meta:
        verbose_name = "缺貨"
        verbose_name_plural = "缺貨"
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vendor", "product_code"],
                name="stockout_one_open",
                condition=Q(duplicate_of=None) & ~Q(status="resolved"),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["batch", "row"], name="stockout_batch"),
            models.Index(fields=["vendor", "-id"], name="stockout_vendor"),
            models.Index(fields=["product_code"], name="stockout_open_product", condition=~Q(status="resolved")),
            # What is over grows without end; the board never looks at it.
            models.Index(fields=["status", "-id"], name="stockout_status"),
            models.Index(fields=["resolved_at"], name="stockout_resolved", condition=Q(status="resolved")),
            # New rows are in none of these.
            models.Index(fields=["duplicate_of"], name="stockout_duplicate", condition=Q(duplicate_of__isnull=False)),
            models.Index(fields=["mail"], name="stockout_mail", condition=Q(mail__isnull=False)),
            models.Index(
                fields=["resolved_batch"], name="stockout_resolver", condition=Q(resolved_batch__isnull=False)
            ),
            models.Index(fields=["resolved_by"], name="stockout_person", condition=Q(resolved_by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.product_code}"

"""What vendors answered, every version of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from vendors.models.mails import VendorMail
from vendors.models.stockouts import AnswerKind, Stockout


def attachment_path(instance: Any, filename: str) -> str:
    """Return the path of an attachment below MEDIA_ROOT; the uploaded name is never part of it."""
    return f"vendors/{timezone.localdate():%Y/%m}/{instance.token}.bin"


class Submission(models.Model):
    """One saved form of the answer page: a draft, or an answer. Rows are only added."""

    mail = models.ForeignKey(VendorMail, models.PROTECT, related_name="submissions", verbose_name="郵件")
    number = models.PositiveIntegerField("版本")  # from 1, within the mail
    based_on = models.PositiveIntegerField("依據的版本")  # that the form showed; 0 for none
    token = models.UUIDField("檔案代號", unique=True, editable=False)
    is_draft = models.BooleanField("草稿", default=False)
    person = models.CharField("填寫人", max_length=60, blank=True)
    remark = models.TextField("備註", max_length=2000, blank=True)
    attachment = models.FileField("附件", upload_to=attachment_path, max_length=200, blank=True)
    attachment_name = models.CharField("附件檔名", max_length=200, blank=True)
    attachment_size = models.PositiveIntegerField("附件大小", default=0)
    address = models.GenericIPAddressField("網路位址", null=True, blank=True)
    user_agent = models.CharField("瀏覽器", max_length=300, blank=True)
    created_at = models.DateTimeField("時間", default=timezone.now)

    class Meta:
        verbose_name = "廠商回覆"
        verbose_name_plural = "廠商回覆"
        ordering = ("-id",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["mail", "number"], name="submission_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SubmittedLine(models.Model):
    """What a submission says about one row; empty `answer` is nothing yet."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="entries", db_index=False)
    line = models.ForeignKey(Stockout, models.PROTECT, related_name="entries", verbose_name="缺貨")
    answer = models.CharField("回覆", max_length=12, choices=AnswerKind, blank=True)
    restock_date = models.DateField("預計到貨日", null=True, blank=True)
    restock_quantity = models.PositiveIntegerField("到貨數量", null=True, blank=True)
    substitute = models.CharField("替代商品", max_length=200, blank=True)

    class Meta:
        verbose_name = "逐項回覆"
        verbose_name_plural = "逐項回覆"
        constraints: ClassVar = [models.UniqueConstraint(fields=["submission", "line"], name="submittedline_once")]

    def __str__(self) -> str:
        return f"{self.submission_id} {self.line_id}"

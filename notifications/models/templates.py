"""Templates of notifications as staff write them, and all their versions."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

CODE = RegexValidator(r"\A[a-z][a-z0-9_]{1,39}\Z", "請用小寫英文字母、數字與底線，以字母開頭，2 到 40 個字")
# Characters as written; rendered texts have their own bounds.
SUBJECT_LENGTH = 200
BODY_LENGTH = 20_000


class Format(models.TextChoices):
    """What a template's body is written in. Every format can be turned into what any channel takes."""

    TELEGRAM = "telegram_html", "Telegram HTML"
    EMAIL_HTML = "email_html", "電子郵件 HTML"
    EMAIL_TEXT = "email_text", "電子郵件純文字"
    PLAIN = "plain", "純文字"


class Template(models.Model):
    """The text of one kind of notification. Changed only through `services.templates`, which keeps each version.

    `variables` declares what subject and body may use, in the order in which it is shown (`templating.variables`):
    `[{"name", "type", "required", "example", "description", "fields"}]`.
    """

    code = models.CharField("代碼", max_length=40, unique=True, validators=[CODE])
    title = models.CharField("名稱", max_length=100)
    description = models.CharField("說明", max_length=300, blank=True)
    format = models.CharField("格式", max_length=13, choices=Format)
    subject = models.CharField("主旨", max_length=SUBJECT_LENGTH, blank=True)
    body = models.TextField("內文", max_length=BODY_LENGTH)
    variables = models.JSONField("變數", default=list, blank=True)
    version = models.PositiveIntegerField("版本", default=0, editable=False)  # the number of the newest TemplateVersion
    updated_at = models.DateTimeField("更新時間", default=timezone.now, editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name="更新者",
    )

    class Meta:
        verbose_name = "通知範本"
        verbose_name_plural = "通知範本"
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.title}（{self.code}）"


class TemplateVersion(models.Model):
    """The content of a template at one time; rows are only added."""

    template = models.ForeignKey(Template, models.CASCADE, related_name="versions", verbose_name="範本")
    number = models.PositiveIntegerField("版本")
    title = models.CharField("名稱", max_length=100)
    description = models.CharField("說明", max_length=300, blank=True)
    format = models.CharField("格式", max_length=13, choices=Format)
    subject = models.CharField("主旨", max_length=SUBJECT_LENGTH, blank=True)
    body = models.TextField("內文")
    variables = models.JSONField("變數", default=list, blank=True)
    note = models.CharField(
        "備註", max_length=200, blank=True
    )  # its origin: shipped, restored, imported, or a note of the user
    created_at = models.DateTimeField("時間", default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="修改者"
    )

    class Meta:
        verbose_name = "範本版本"
        verbose_name_plural = "範本版本"
        ordering = ("template", "-number")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["template", "number"], name="templateversion_once"),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"

"""Phrases that the law on advertising forbids or allows, which staff edit."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from ai.checks.patterns import BadPattern, parse


class Domain(models.TextChoices):
    """What kind of product a copy is about: which law applies."""

    COSMETIC = "cosmetic", "化粧品"
    FOOD = "food", "一般食品"
    SUPPLEMENT = "supplement", "健康食品"
    MEDICAL_DEVICE = "medical_device", "醫療器材"
    GENERAL = "general", "一般商品"


class Phrase(models.Model):
    """A phrase that may not stand in the copy of a domain, or, if `allowed`, one that absorbs a forbidden one in it."""

    class Severity(models.TextChoices):
        HIGH = "high", "高"
        MEDIUM = "medium", "中"
        LOW = "low", "低"

    text = models.CharField("詞句", max_length=100)
    domain = models.CharField("類別", max_length=14, choices=Domain, blank=True)  # empty: every domain
    category = models.CharField("種類", max_length=40, blank=True)  # such as 醫療效能, 誇大不實
    allowed = models.BooleanField("可以使用", default=False)
    severity = models.CharField("嚴重程度", max_length=6, choices=Severity, default=Severity.HIGH)
    law = models.CharField("法規", max_length=200, blank=True)
    reason = models.CharField("原因", max_length=300, blank=True)
    suggestion = models.CharField("建議", max_length=200, blank=True)
    source = models.CharField("出處", max_length=200, blank=True)  # published text with its date
    enabled = models.BooleanField("啟用", default=True)
    shipped = models.BooleanField("內建", default=False, editable=False)

    class Meta:
        verbose_name = "法規詞句"
        verbose_name_plural = "法規詞句"
        ordering = ("domain", "category", "text")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["text", "domain", "allowed"], name="phrase_once", violation_error_message="已有這個詞句"
            )
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        """Raises ValidationError for a text that is no pattern."""
        try:
            parse(self.text)
        except BadPattern as error:
            raise ValidationError({"text": str(error)}) from error

"""Styles of copy, fact sheets of products, and what was generated."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from ai.models.calls import Call
from ai.models.phrases import Domain


class Style(models.Model):
    """How a copy is written: instructions for the model, which staff edit."""

    name = models.CharField("名稱", max_length=20, unique=True)  # as requests name it, such as 吸睛
    description = models.CharField("說明", max_length=200, blank=True)
    # Plain text; what is known of the product is never put into it, but into the user's part of the request.
    prompt = models.TextField("指示", max_length=4000)
    enabled = models.BooleanField("啟用", default=True)
    position = models.PositiveSmallIntegerField("順序", default=0)

    class Meta:
        verbose_name = "文案風格"
        verbose_name_plural = "文案風格"
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


class FactSheet(models.Model):
    """What staff know of a product beside what the catalogue says, or better than it.

    `facts` has keys of `FACTS`, each a text, a number, or a list of texts; a promotion may be
    `{"text", "starts", "ends"}`. What the catalogue says as well is not in it, so that it follows the catalogue.
    """

    # The keys of `ai.checks.facts.Facts`, as users know them.
    FACTS: ClassVar = {
        "brand": "品牌",
        "name": "品名",
        "price": "售價",
        "list_price": "原價",
        "content": "容量或重量",
        "count": "入數",
        "origin": "產地",
        "ingredients": "成分",
        "certifications": "認證與檢驗",
        "awards": "獎項",
        "patents": "專利",
        "warranty": "保固",
        "shelf_life": "保存期限",
        "promotion": "促銷",
        "other": "其他事實",
    }
    # Labels of the keys of JSON fields, for the audit trail.
    json_labels: ClassVar = {"facts": FACTS}

    product = models.OneToOneField("products.Product", models.CASCADE, related_name="fact_sheet", verbose_name="商品")
    domain = models.CharField("類別", max_length=14, choices=Domain, blank=True)  # empty: guessed from the category
    facts = models.JSONField("事實", default=dict, blank=True)
    # When staff wrote the price or list price of `facts`; they count until the shop's price changes.
    priced_at = models.DateTimeField("填寫售價的時間", null=True, blank=True, editable=False)
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
        verbose_name = "商品事實"
        verbose_name_plural = "商品事實"

    def __str__(self) -> str:
        return str(self.product)


class Generation(models.Model):
    """A text that a model wrote for a user. Deleting hides it; what it cost stays in its call."""

    kind = models.CharField("用途", max_length=6, choices=Call.Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="使用者"
    )
    call = models.ForeignKey(Call, models.PROTECT, related_name="generations", verbose_name="呼叫")
    product = models.ForeignKey(
        "products.Product", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="商品"
    )
    product_name = models.CharField("品名", max_length=500, blank=True)
    style = models.CharField("風格", max_length=20, blank=True)
    request = models.JSONField("要求", default=dict)  # as it was sent, without secrets
    content = models.TextField("內容")
    # As the model wrote it, where characters were converted; empty otherwise.
    original = models.TextField("轉換前的內容", blank=True)
    warnings = models.JSONField("警告", default=list, blank=True)
    extra = models.JSONField("其他", default=dict, blank=True)  # of a search: sources, queries, search_entry_point
    favorite = models.BooleanField("最愛", default=False)
    created_at = models.DateTimeField("時間", default=timezone.now)
    deleted_at = models.DateTimeField("刪除時間", null=True, blank=True)

    class Meta:
        verbose_name = "產生紀錄"
        verbose_name_plural = "產生紀錄"
        ordering = ("-id",)
        indexes: ClassVar = [models.Index(fields=["user", "-id"], name="generation_user")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.product_name}"

"""The watch list: products of which a user wants to know when their price crosses a threshold."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from products.models.catalogue import Product


class Watch(models.Model):
    """One condition of one user on the price of one product, notified once for each time the price crosses it.

    `seen_price` is the price that was judged last: a change of the product's price since is judged once. Only prices
    that are believed become a product's price, so one that is held for confirmation moves nothing here.
    """

    class Kind(models.TextChoices):
        """`value` is New Taiwan dollars, percent, or days."""

        ABSOLUTE = "absolute", "售價低到（元）"
        PERCENT = "percent", "漲跌達到（%）"
        LOWEST = "lowest", "新低價（天）"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="watches",
        db_index=False,  # `watch_once` begins with it
        verbose_name="使用者",
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="watches", verbose_name="商品")
    kind = models.CharField("條件", max_length=8, choices=Kind, default=Kind.PERCENT)
    value = models.PositiveIntegerField("數值", default=5)
    active = models.BooleanField("啟用", default=True)
    created_at = models.DateTimeField("建立時間", auto_now_add=True)
    seen_price = models.PositiveIntegerField("最近比對的售價", editable=False)
    # What a percentage is measured from: the price when the condition was set, or that of the last notification.
    base_price = models.PositiveIntegerField("基準價", editable=False)
    notified_price = models.PositiveIntegerField("上次到價的售價", null=True, editable=False)
    notified_at = models.DateTimeField("上次到價", null=True, editable=False)

    class Meta:
        verbose_name = "關注"
        verbose_name_plural = "關注清單"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "product", "kind"], name="watch_once"),
            models.CheckConstraint(condition=Q(value__gt=0), name="watch_value_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.product}：{self.condition}"

    @property
    def condition(self) -> str:
        """The condition in words."""
        if self.kind == self.Kind.ABSOLUTE:
            return f"售價低到 ${self.value:,}"
        if self.kind == self.Kind.PERCENT:
            return f"和 ${self.base_price:,} 相比漲跌 {self.value}%"
        return f"{self.value} 天新低價"

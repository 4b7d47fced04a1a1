"""Alarms about the sales of a day, and which version of a day was checked for them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Case, CharField, Q, Value, When
from django.utils import timezone

from sales.models.totals import SUM_DIGITS, DayTotal


class Alarm(models.Model):
    """Something that is wrong with the sales of a day. One row for each kind, key and day, so that it is notified once.

    `value` and `expected` are New Taiwan dollars (amounts, unit costs), percent (margins) or days; see `Kind`.
    """

    class Kind(models.TextChoices):
        """What is wrong; the unit of `value` and `expected` in parentheses."""

        AMOUNT = "amount", "業績異常"  # far from the median of the same weekdays (dollars)
        SILENT = "silent", "暢銷品沒有賣出"  # a best-seller without sales (days; the expected amount a day)
        MARGIN = "margin", "毛利率過低"  # negative or below the floor (percent)
        COST = "cost", "進價變動"  # of one piece (dollars)
        MISSING = "missing", "缺少日報"

    class Dimension(models.TextChoices):
        """Of what the key is the name."""

        ALL = DayTotal.Dimension.ALL.value, "全部"
        BRAND = DayTotal.Dimension.BRAND.value, "品牌"
        PM = DayTotal.Dimension.PM.value, "PM"
        CATEGORY = DayTotal.Dimension.CATEGORY.value, "分類"
        PRODUCT = "product", "商品"

    kind = models.CharField("種類", max_length=8, choices=Kind)
    date = models.DateField("銷售日")
    dimension = models.CharField("維度", max_length=8, choices=Dimension)
    key = models.CharField("名稱", max_length=200, blank=True, db_collation="C")  # of a product its code
    name = models.CharField("顯示名稱", max_length=500, blank=True)
    value = models.DecimalField("數值", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    expected = models.DecimalField("平常", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    created_at = models.DateTimeField("發現時間", default=timezone.now)
    # The cause is gone: another version of the day, or the missing report.
    closed_at = models.DateTimeField("解除時間", null=True, blank=True)
    acknowledged_at = models.DateTimeField("處理時間", null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="處理人"
    )

    class Meta:
        verbose_name = "銷售異常"
        verbose_name_plural = "銷售異常"
        ordering = ("-date", "kind", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["date", "kind", "dimension", "key"], name="alarm_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["date"], name="alarm_open", condition=Q(closed_at__isnull=True, acknowledged_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.get_kind_display()} {self.name}".rstrip()

    @classmethod
    def kind_label(cls) -> Case:
        """The label of the kind as an expression, for texts that the database makes."""
        return Case(
            *(When(kind=value, then=Value(str(label))) for value, label in cls.Kind.choices), output_field=CharField()
        )


class CheckedDay(models.Model):
    """A day that was checked; `claims` is the digest of the claims that were in force, empty without a report."""

    date = models.DateField("銷售日", unique=True)
    claims = models.CharField("採用的版本", max_length=32, blank=True)
    checked_at = models.DateTimeField("檢查時間")

    class Meta:
        verbose_name = "已檢查的銷售日"
        verbose_name_plural = "已檢查的銷售日"

    def __str__(self) -> str:
        return str(self.date)

"""Sales of each product by month, with its days: what pages of products read."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sales.models.totals import SUM_DIGITS


class ProductMonth(models.Model):
    """What one product sold on each day of a month with lines in force; the three arrays have one element a day.

    Lines have no index by product: it would slow down each import. These rows are made of them after the import
    (`services.product_months`), by month, so that a year of a product is twelve rows.
    """

    month = models.DateField("月份")  # its first day
    # Compared byte by byte: no collation of a language.
    product_code = models.CharField("品號", max_length=30, db_collation="C")
    days = ArrayField(models.PositiveSmallIntegerField(), verbose_name="日")  # of the month, ascending
    quantities = ArrayField(models.BigIntegerField(), verbose_name="數量")
    amounts = ArrayField(models.DecimalField(max_digits=SUM_DIGITS, decimal_places=2), verbose_name="業績")

    class Meta:
        verbose_name = "商品每月銷售"
        verbose_name_plural = "商品每月銷售"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product_code", "month"], name="productmonth_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["month"], name="productmonth_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.product_code}"


class SummedMonth(models.Model):
    """A month whose lines are summed by product; `claims` is the digest of the claims that were in force for it.

    While the claims in force have another digest, the month is outdated and summed again.
    """

    month = models.DateField("月份", unique=True)
    claims = models.CharField("採用的版本", max_length=32)
    summed_at = models.DateTimeField("計算時間")

    class Meta:
        verbose_name = "已計算的月份"
        verbose_name_plural = "已計算的月份"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

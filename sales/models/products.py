"""Sums that are made of the lines after imports: of each product by month with its days, of combinations by day."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sales.models.totals import SUM_DIGITS


class ProductMonth(models.Model):
    """What one product sold on each day of a month with lines in force; the arrays have one element a day.

    Lines have no index by product: it would slow down each import. These rows are made of them after the import
    (`services.product_months`), by month, so that a year of a product is twelve rows.
    """

    month = models.DateField("月份")  # its first day
    # Compared byte by byte: no collation of a language.
    product_code = models.CharField("品號", max_length=30, db_collation="C")
    days = ArrayField(models.PositiveSmallIntegerField(), verbose_name="日")  # of the month, ascending
    quantities = ArrayField(models.BigIntegerField(), verbose_name="數量")
    amounts = ArrayField(models.DecimalField(max_digits=SUM_DIGITS, decimal_places=2), verbose_name="業績")
    # From the first of these days to each, both included: the sum of some days is the difference of two elements.
    # Amounts are cents. With defaults in the database, for a version that does not know these columns.
    until_lines = ArrayField(models.PositiveIntegerField(), verbose_name="累計列數", db_default=[])
    until_quantity = ArrayField(models.BigIntegerField(), verbose_name="累計數量", db_default=[])
    until_amount = ArrayField(models.BigIntegerField(), verbose_name="累計業績", db_default=[])
    until_known = ArrayField(models.PositiveIntegerField(), verbose_name="累計有毛利的列數", db_default=[])
    until_profit = ArrayField(models.BigIntegerField(), verbose_name="累計毛利", db_default=[])
    until_base = ArrayField(models.BigIntegerField(), verbose_name="累計有毛利的業績", db_default=[])
    newest_line = models.BigIntegerField("最新的明細", db_default=0)  # its id; names of products are read there

    class Meta:
        verbose_name = "商品每月銷售"
        verbose_name_plural = "商品每月銷售"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product_code", "month"], name="productmonth_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["month"], name="productmonth_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.product_code}"


class DayCombination(models.Model):
    """Sums of one day by brand, PM and category together; made and outdated as ProductMonth is."""

    date = models.DateField("日期")
    brand = models.CharField("品牌", max_length=120, db_collation="C")
    pm = models.CharField("PM", max_length=60, db_collation="C")
    category = models.CharField("分類", max_length=120, db_collation="C")
    lines = models.PositiveIntegerField("列數")
    quantity = models.BigIntegerField("數量")
    amount = models.DecimalField("業績", max_digits=SUM_DIGITS, decimal_places=2)
    # As in Total: NULL if no line has a value; the margin's base is the amount of the lines with a known gross profit.
    cost = models.DecimalField("成本", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    gross_profit = models.DecimalField("毛利", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    margin_base = models.DecimalField("有毛利的業績", max_digits=SUM_DIGITS, decimal_places=2, null=True)

    class Meta:
        verbose_name = "每日組合合計"
        verbose_name_plural = "每日組合合計"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["date", "brand", "pm", "category"], name="daycombination_once"),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.brand} {self.pm} {self.category}"


class SummedMonth(models.Model):
    """A month whose lines are summed; `claims` is the digest of the claims that were in force for it.

    While the claims in force have another digest, the month is outdated and summed again.
    """

    month = models.DateField("月份", unique=True)
    claims = models.CharField("採用的版本", max_length=40)
    summed_at = models.DateTimeField("計算時間")

    class Meta:
        verbose_name = "已計算的月份"
        verbose_name_plural = "已計算的月份"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

"""Totals of days and months by dimension."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

# The sum of a day with the most lines that a file may have, each with the largest amount, still fits.
SUM_DIGITS = 20


class Total(models.Model):
    """Sums by dimension and key over the lines in force; only imports and undo write them."""

    class Dimension(models.TextChoices):
        """The dimensions by which sums are kept."""

        ALL = "all", "合計"
        BRAND = "brand", "品牌"
        PM = "pm", "PM"
        CATEGORY = "category", "分類"
        VENDOR = "vendor", "廠商"

    dimension = models.CharField("維度", max_length=8, choices=Dimension)
    # Empty for the dimension ALL, and for lines without that field. Compared byte by byte: no collation of a language.
    key = models.CharField("名稱", max_length=200, db_collation="C")
    lines = models.PositiveIntegerField("列數")
    quantity = models.BigIntegerField("數量")
    amount = models.DecimalField("業績", max_digits=SUM_DIGITS, decimal_places=2)
    # Sum over the lines with a value; NULL if no line has one.
    cost = models.DecimalField("成本", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    gross_profit = models.DecimalField("毛利", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    # The amount of the lines whose gross profit is known: the base of the margin.
    margin_base = models.DecimalField("有毛利的業績", max_digits=SUM_DIGITS, decimal_places=2, null=True)

    class Meta:
        abstract = True


class DayTotal(Total):
    """Sums of one day."""

    date = models.DateField("日期")

    class Meta:
        verbose_name = "每日合計"
        verbose_name_plural = "每日合計"
        constraints: ClassVar = [
            # One index for uniqueness and for the series of a key over time, which reads only the index.
            models.UniqueConstraint(
                fields=["dimension", "key", "date"],
                include=["amount", "quantity", "gross_profit"],
                name="daytotal_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["date", "dimension"], name="daytotal_day")]

    def __str__(self) -> str:
        return f"{self.date} {self.dimension} {self.key}"


class MonthTotal(Total):
    """Sums of one month over its days. To rank keys over two years takes 24 rows a key instead of 730."""

    month = models.DateField("月份")  # its first day

    class Meta:
        verbose_name = "每月合計"
        verbose_name_plural = "每月合計"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["month", "dimension", "key"], name="monthtotal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.dimension} {self.key}"

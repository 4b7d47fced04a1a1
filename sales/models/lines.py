"""Sales lines, and which import is in force for each day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from sales.models.totals import SUM_DIGITS


class SalesLine(models.Model):
    """One row of a report, never deleted; it counts while its import owns its day. Amounts are New Taiwan dollars."""

    # Without a constraint in the database, which would look up the job for each of 100,000 rows.
    job = models.ForeignKey(
        "jobs.Job", models.CASCADE, related_name="+", db_constraint=False, db_index=False, verbose_name="匯入"
    )
    date = models.DateField("日期")
    row = models.PositiveIntegerField("列")  # number in the spreadsheet, from 1
    product_code = models.CharField("品號", max_length=30)
    product_name = models.CharField("品名", max_length=500, blank=True)
    brand = models.CharField("品牌", max_length=120, blank=True)
    category = models.CharField("分類", max_length=120, blank=True)
    pm = models.CharField("PM", max_length=60, blank=True)
    vendor_code = models.CharField("廠商代號", max_length=30, blank=True)
    vendor_name = models.CharField("廠商名稱", max_length=200, blank=True)
    quantity = models.IntegerField("數量")
    amount = models.DecimalField("業績", max_digits=14, decimal_places=2)
    # NULL is unknown: the report has neither cost nor gross profit.
    cost = models.DecimalField("成本", max_digits=14, decimal_places=2, null=True)
    gross_profit = models.DecimalField("毛利", max_digits=14, decimal_places=2, null=True)

    class Meta:
        verbose_name = "銷售明細"
        verbose_name_plural = "銷售明細"
        indexes: ClassVar = [models.Index(fields=["date", "job", "row"], name="salesline_day")]

    def __str__(self) -> str:
        return f"{self.date} {self.product_code}"


class DayClaim(models.Model):
    """One import's version of one day. Of the versions not undone that of the newest import owns the day.

    An import whose rows were in force already has a claim too, so that the day keeps them if the other import is
    undone. Its `lines_job` is the import that stored the lines.
    """

    job = models.ForeignKey("jobs.Job", models.PROTECT, related_name="day_claims", verbose_name="匯入")
    lines_job = models.ForeignKey(
        "jobs.Job", models.PROTECT, related_name="+", db_index=False, verbose_name="明細來自的匯入"
    )
    source = models.CharField("報表", max_length=30)
    date = models.DateField("日期")
    digest = models.CharField("內容指紋", max_length=80)  # independent of the order of the rows
    lines = models.PositiveIntegerField("列數")
    quantity = models.BigIntegerField("數量")
    amount = models.DecimalField("業績", max_digits=SUM_DIGITS, decimal_places=2)
    cost = models.DecimalField("成本", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    gross_profit = models.DecimalField("毛利", max_digits=SUM_DIGITS, decimal_places=2, null=True)
    undone_at = models.DateTimeField("復原時間", null=True, blank=True)

    class Meta:
        verbose_name = "日報版本"
        verbose_name_plural = "日報版本"
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "source", "date"], name="dayclaim_once")]
        indexes: ClassVar = [models.Index(fields=["source", "date", "-id"], name="dayclaim_day")]

    def __str__(self) -> str:
        return f"{self.date} {self.job_id}"


class DayOwner(models.Model):
    """The claim in force for a day of a report."""

    source = models.CharField("報表", max_length=30)
    date = models.DateField("日期")
    claim = models.ForeignKey(DayClaim, models.PROTECT, related_name="owns", verbose_name="版本")

    class Meta:
        verbose_name = "銷售日"
        verbose_name_plural = "銷售日"
        ordering = ("-date",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["date", "source"], name="dayowner_once")]

    def __str__(self) -> str:
        return str(self.date)

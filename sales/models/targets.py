"""Targets of a month."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from sales.models.campaigns import WITHIN
from sales.models.totals import Total

MONEY_DIGITS = 14  # NT$ 999,999,999,999.99
# Vendors have no targets.
DIMENSIONS = [choice for choice in Total.Dimension.choices if choice[0] != Total.Dimension.VENDOR]
NOT_NEGATIVE = MinValueValidator(0, "目標不可小於 0")


class Target(models.Model):
    """What a month should bring: of all sales, or of one PM, brand or category. New Taiwan dollars."""

    DIMENSIONS: ClassVar = DIMENSIONS

    month = models.DateField("月份", validators=WITHIN)  # its first day
    dimension = models.CharField("維度", max_length=8, choices=DIMENSIONS, default=Total.Dimension.ALL)
    # As in the totals, byte by byte; empty for the dimension ALL, and only there.
    key = models.CharField("名稱", max_length=200, blank=True, db_collation="C")
    # NULL: no target of that kind.
    amount = models.DecimalField(
        "業績目標", max_digits=MONEY_DIGITS, decimal_places=2, null=True, blank=True, validators=[NOT_NEGATIVE]
    )
    gross_profit = models.DecimalField(
        "毛利目標", max_digits=MONEY_DIGITS, decimal_places=2, null=True, blank=True, validators=[NOT_NEGATIVE]
    )

    class Meta:
        verbose_name = "目標"
        verbose_name_plural = "目標"
        ordering = ("-month", "dimension", "key")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["month", "dimension", "key"],
                name="target_once",
                violation_error_message="這個月已有這個維度與名稱的目標",
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="target_of_month"),
            models.CheckConstraint(
                condition=Q(dimension="all", key="") | (~Q(dimension="all") & ~Q(key="")), name="target_key"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=False) | Q(gross_profit__isnull=False), name="target_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.get_dimension_display()} {self.key}".rstrip()

    def clean(self) -> None:
        """Raises ValidationError for a target without an amount, and for a key where there is none or must be one."""
        faults = {}
        if self.amount is None and self.gross_profit is None:
            faults["amount"] = "業績目標與毛利目標至少要有一個"
        if (self.dimension == Total.Dimension.ALL) == bool(self.key):
            faults["key"] = "合計沒有名稱，請留空" if self.key else "請填 PM、品牌或分類的名稱"
        if faults:
            raise ValidationError(faults)

"""Campaigns, and notes of a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

MAX_DAYS, MAX_WARM_UP = 45, 31  # what one page still compares in time
MAX_BRANDS, MAX_PRODUCTS = 100, 500
MAX_NOTE = 300
# Days that staff may enter: of the sales that an import takes, and of the lunar calendar.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
_OUTSIDE = "日期要在 2000 年到 2099 年之間"
WITHIN = [MinValueValidator(FIRST_DAY, _OUTSIDE), MaxValueValidator(LAST_DAY, _OUTSIDE)]


class Campaign(models.Model):
    """A period of sales promotion, warm-up before it. Written by rule for each year, or by staff."""

    class Kind(models.TextChoices):
        """Kinds that come back each year, so that a campaign finds that of the year before."""

        NEW_YEAR = "new_year", "年貨節"
        MOTHERS_DAY = "mothers_day", "母親節"
        MID_YEAR = "mid_year", "618"
        FATHERS_DAY = "fathers_day", "父親節"
        GHOST_FESTIVAL = "ghost_festival", "中元"
        MID_AUTUMN = "mid_autumn", "中秋"
        ANNIVERSARY = "anniversary", "週年慶"
        DOUBLE_11 = "double_11", "雙11"
        DOUBLE_12 = "double_12", "雙12"
        OTHER = "other", "其他"

    kind = models.CharField("種類", max_length=20, choices=Kind, default=Kind.OTHER)
    name = models.CharField("名稱", max_length=60)
    first = models.DateField("首日", validators=WITHIN)
    last = models.DateField("末日", validators=WITHIN)
    warm_up_days = models.PositiveSmallIntegerField(
        "預熱天數", default=0, validators=[MaxValueValidator(MAX_WARM_UP, f"預熱最多 {MAX_WARM_UP} 天")]
    )
    # Sales of one of the brands or products; of all if both are empty.
    brands = ArrayField(models.CharField(max_length=120), MAX_BRANDS, default=list, blank=True, verbose_name="限定品牌")
    products = ArrayField(
        models.CharField(max_length=30), MAX_PRODUCTS, default=list, blank=True, verbose_name="限定品號"
    )
    note = models.TextField("備註", max_length=2000, blank=True)
    # Which rule wrote it, such as `double_11:2026`; empty if staff did.
    from_rule = models.CharField("規則", max_length=30, blank=True, editable=False)

    class Meta:
        verbose_name = "檔期"
        verbose_name_plural = "檔期"
        ordering = ("-first", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "first"], name="campaign_once", violation_error_message="已有同名同首日的檔期"
            ),
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="campaign_days"),
        ]
        indexes: ClassVar = [models.Index(fields=["last", "first"], name="campaign_span")]

    def __str__(self) -> str:
        return f"{self.name}（{self.first:%Y-%m-%d}）"

    def clean(self) -> None:
        """Raises ValidationError for days in the wrong order, and for more than the comparison reads."""
        if not self.first or not self.last:
            return
        if self.last < self.first:
            raise ValidationError({"last": "末日不可早於首日"})
        if (self.last - self.first).days >= MAX_DAYS:
            raise ValidationError({"last": f"檔期最長 {MAX_DAYS} 天"})

    @property
    def begins(self) -> date:
        """The first day of the warm-up."""
        return self.first - timedelta(days=self.warm_up_days)

    @property
    def is_limited(self) -> bool:
        """Whether it is about some brands or products only."""
        return bool(self.brands or self.products)


class CampaignYear(models.Model):
    """A year whose campaigns were written by rule, once: what staff change or delete afterwards stays so."""

    year = models.PositiveSmallIntegerField("年份", unique=True)
    written_at = models.DateTimeField("建立時間", default=timezone.now)

    class Meta:
        verbose_name = "已建立檔期的年份"
        verbose_name_plural = "已建立檔期的年份"

    def __str__(self) -> str:
        return str(self.year)


class DayNote(models.Model):
    """What happened on a day, in the words of a user; shown on charts."""

    date = models.DateField("日期", validators=WITHIN)
    text = models.CharField("內容", max_length=MAX_NOTE)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name="作者",
    )
    created_at = models.DateTimeField("建立時間", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "日註記"
        verbose_name_plural = "日註記"
        ordering = ("-date", "pk")
        constraints: ClassVar = [
            # A form that is sent twice writes one note.
            models.UniqueConstraint(
                fields=["date", "text"], name="daynote_once", violation_error_message="這天已有相同的註記"
            )
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.text}"

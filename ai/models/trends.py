"""Trends of other sites: which lists are fetched, and the last good one of each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class TrendCategory(models.Model):
    """A list of a source that is fetched, and the category of ours that it is shown under."""

    class Source(models.TextChoices):
        MYBEST = "mybest", "mybest"
        COSME = "cosme", "@cosme"
        YOUTUBE = "youtube", "YouTube"

    source = models.CharField("來源", max_length=7, choices=Source)
    # mybest: number of the page; @cosme: id of the tag, or newhot-0 to newhot-12; YouTube: the text to search for.
    key = models.CharField("代碼或搜尋詞", max_length=100)
    category = models.CharField("分類", max_length=60)
    enabled = models.BooleanField("啟用", default=True)
    attempted_at = models.DateTimeField("最近嘗試", null=True, blank=True, editable=False)
    error = models.CharField("最近的錯誤", max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name = "趨勢分類"
        verbose_name_plural = "趨勢分類"
        ordering = ("source", "category", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "key"], name="trendcategory_once", violation_error_message="已有這個清單"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.category}"


class TrendList(models.Model):
    """The last list of a source that was fetched whole, or imported by hand; a failure keeps it."""

    trend = models.OneToOneField(TrendCategory, models.CASCADE, related_name="list", verbose_name="趨勢分類")
    title = models.CharField("標題", max_length=300, blank=True)
    # [{"rank", "name", "brand", "price", "score", "url", "image_url", "views", "published_at"}], what a source has.
    items = models.JSONField("項目", default=list)
    fetched_at = models.DateTimeField("取得時間")
    by_hand = models.BooleanField("人工匯入", default=False)

    class Meta:
        verbose_name = "趨勢清單"
        verbose_name_plural = "趨勢清單"

    def __str__(self) -> str:
        return str(self.trend)

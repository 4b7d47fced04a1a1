"""Calls of providers with their cost, what models cost, and what may be spent."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from momo.core.formats import number

COST: Any = {"max_digits": 14, "decimal_places": 6}


class Provider(models.TextChoices):
    """Who runs the model."""

    OLLAMA = "ollama", "Ollama"
    GEMINI = "gemini", "Gemini"


class ModelPrice(models.Model):
    """What a model costs from a day on. A model without a row may not be used: its price is unknown."""

    provider = models.CharField("供應者", max_length=10, choices=Provider)
    model = models.CharField("模型", max_length=100, blank=True)  # empty: every model of the provider
    currency = models.CharField("幣別", max_length=3, default="USD")
    input_per_million = models.DecimalField("每百萬輸入 token", **COST)
    output_per_million = models.DecimalField("每百萬輸出 token", **COST)  # thinking included
    per_search = models.DecimalField("每次搜尋", default=0, **COST)
    valid_from = models.DateField("生效日")

    class Meta:
        verbose_name = "模型價格"
        verbose_name_plural = "模型價格"
        ordering = ("provider", "model", "-valid_from")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "model", "valid_from"], name="modelprice_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.model}"


class Budget(models.Model):
    """What may be spent in a month (Taipei). Every budget that fits a call has to have enough left."""

    provider = models.CharField("供應者", max_length=10, choices=Provider, blank=True)  # empty: all together
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name="使用者"
    )  # None: all users together
    month = models.DateField("月份", null=True, blank=True)  # its first day; None: every month without a row of its own
    currency = models.CharField("幣別", max_length=3, default="USD")
    amount = models.DecimalField("金額", **COST)

    class Meta:
        verbose_name = "預算"
        verbose_name_plural = "預算"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "user", "month", "currency"],
                name="budget_once",
                nulls_distinct=False,
                violation_error_message="已有這個預算",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display() or '全部'} {number(self.amount, thousands=True)} {self.currency}"


class Call(models.Model):
    """One call of a provider. While it runs, `cost` is what is reserved; afterwards what it has cost.

    A call whose process dies has no heartbeat any more: a sweep ends it, and its cost becomes what is known.
    """

    class Kind(models.TextChoices):
        COPY = "copy", "文案"
        SEARCH = "search", "搜尋"

    class Status(models.TextChoices):
        RUNNING = "running", "進行中"
        SUCCEEDED = "succeeded", "完成"
        FAILED = "failed", "失敗"
        ABORTED = "aborted", "中斷"

    kind = models.CharField("用途", max_length=6, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="使用者"
    )
    username = models.CharField("帳號", max_length=150, blank=True)  # as it was
    provider = models.CharField("供應者", max_length=10, choices=Provider)
    model = models.CharField("模型", max_length=100)
    status = models.CharField("狀態", max_length=9, choices=Status, default=Status.RUNNING)
    error = models.CharField("錯誤", max_length=40, blank=True)  # its kind, see ai.providers.errors
    month = models.DateField("月份")  # first day, in Taipei
    currency = models.CharField("幣別", max_length=3)
    cost = models.DecimalField("費用", **COST)
    input_tokens = models.PositiveIntegerField("輸入 token", default=0)
    output_tokens = models.PositiveIntegerField("輸出 token", default=0)
    searches = models.PositiveSmallIntegerField("搜尋次數", default=0)
    seconds = models.FloatField("秒數", default=0)
    fallback_from = models.CharField("原本的供應者", max_length=10, choices=Provider, blank=True)
    started_at = models.DateTimeField("開始時間", default=timezone.now)
    heartbeat_at = models.DateTimeField("最近回報", null=True, blank=True)
    finished_at = models.DateTimeField("結束時間", null=True, blank=True)

    class Meta:
        verbose_name = "AI 使用紀錄"
        verbose_name_plural = "AI 使用紀錄"
        ordering = ("-id",)
        indexes: ClassVar = [
            models.Index(fields=["month", "provider", "user"], name="aicall_month", include=["cost", "currency"]),
            models.Index(fields=["started_at"], name="aicall_started"),
            models.Index(fields=["heartbeat_at"], name="aicall_running", condition=Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.provider} {self.model}"


class DayUsage(models.Model):
    """Sums of calls of one day that `ai.retention` has deleted; usage is the sum of both tables."""

    day = models.DateField("日期")  # in Taipei
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="使用者"
    )
    username = models.CharField("帳號", max_length=150, blank=True)  # as it was
    provider = models.CharField("供應者", max_length=10, choices=Provider)
    model = models.CharField("模型", max_length=100)
    currency = models.CharField("幣別", max_length=3)
    calls = models.PositiveIntegerField("次數")
    errors = models.PositiveIntegerField("失敗與中斷")
    input_tokens = models.PositiveBigIntegerField("輸入 token")
    output_tokens = models.PositiveBigIntegerField("輸出 token")
    searches = models.PositiveIntegerField("搜尋次數")
    seconds = models.FloatField("秒數")
    cost = models.DecimalField("費用", max_digits=20, decimal_places=6)

    class Meta:
        verbose_name = "每日用量"
        verbose_name_plural = "每日用量"
        # Of deleted users there may be several rows: two of one name would be one row else, at the second's deletion.
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "username", "provider", "model", "currency", "user"], name="dayusage_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.username} {self.model}"

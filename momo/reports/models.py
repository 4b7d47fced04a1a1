"""Reports that come by themselves, and each time that one is sent."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from momo.core.periods import Period, day_of, month_of, week_of
from momo.core.work import Work
from notifications.models import Chat

NAMES = 200  # characters of a PM, a brand or a category


def _names(label: str) -> ArrayField[list[str], list[str]]:
    return ArrayField(models.CharField(max_length=NAMES), default=list, blank=True, verbose_name=label)


class Report(models.Model):
    """What is sent to whom and when: sections in their order, filters, recipients and files."""

    class Kind(models.TextChoices):
        """When a report is due, and the days that it is about: those before."""

        DAILY = "daily", "每天，前一天的數字"
        WEEKLY = "weekly", "每週一，上週的數字"
        MONTHLY = "monthly", "每月 1 日，上個月的數字"

    name = models.CharField("名稱", max_length=100, unique=True)
    kind = models.CharField("週期", max_length=7, choices=Kind, default=Kind.DAILY)
    at = models.TimeField("時間", default=dt.time(8, 30), help_text="台北時間")
    wait_until = models.TimeField(
        "最晚等到",
        null=True,
        blank=True,
        default=dt.time(11, 0),
        help_text="時間到了而資料還沒有到齊時，最晚等到同一天的這個時間，到時寄出並註明缺少什麼；不填就不等",
    )
    sections = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name="內容")
    pms = _names("PM")
    brands = _names("品牌")
    categories = _names("分類")
    users = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name="使用者")
    addresses = ArrayField(models.CharField(max_length=254), default=list, blank=True, verbose_name="其他電子郵件")
    chats = models.ManyToManyField(Chat, blank=True, related_name="+", verbose_name="Telegram 聊天室")
    with_workbook = models.BooleanField("附上 Excel", default=True)
    with_slides = models.BooleanField("附上 PowerPoint", default=True)
    is_active = models.BooleanField("啟用", default=True)
    # Only times after the last change are due: a report that is new, or switched on, sends nothing of before.
    changed_at = models.DateTimeField("更新時間", auto_now=True)

    class Meta:
        verbose_name = "定期報表"
        verbose_name_plural = "定期報表"
        ordering = ("name",)
        constraints: ClassVar = [
            models.CheckConstraint(
                name="report_waits_after_its_time",
                condition=Q(wait_until__isnull=True) | Q(wait_until__gte=F("at")),
                violation_error_message="「最晚等到」不可早於「時間」",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def period(self, day: dt.date) -> Period:
        """The day, the week or the month that `day` is part of."""
        around = {self.Kind.DAILY: day_of, self.Kind.WEEKLY: week_of, self.Kind.MONTHLY: month_of}
        return around[self.Kind(self.kind)](day)


class ReportRun(Work):
    """One time that a report is sent, about the period that ends on `day`. A row of work; once for each report and day.

    waiting → pending → running → done, or failed. `waiting`: it is due, and data that it needs have not arrived.
    """

    task: ClassVar = "reports.run"
    timeout_setting: ClassVar = "SYSTEM_HEARTBEAT_TIMEOUT"
    attempts_setting: ClassVar = "SYSTEM_ATTEMPTS"
    WAITING: ClassVar = "waiting"

    class Status(models.TextChoices):
        """See the model."""

        WAITING = "waiting", "等待資料"
        PENDING = "pending", "等待寄送"
        RUNNING = "running", "進行中"
        DONE = "done", "已寄出"
        FAILED = "failed", "失敗"
        SKIPPED = "skipped", "略過"

    report = models.ForeignKey(Report, models.CASCADE, related_name="runs", verbose_name="報表")
    day = models.DateField("資料到")  # the last day of its period
    status = models.CharField("狀態", max_length=7, choices=Status, default=Status.WAITING)
    message = models.TextField("說明", blank=True)
    due_at = models.DateTimeField("預定時間")
    missing = ArrayField(models.TextField(), default=list, blank=True, verbose_name="缺少的資料")
    messages = models.PositiveIntegerField("訊息", default=0)
    finished_at = models.DateTimeField("寄出時間", null=True, blank=True)

    class Meta:
        verbose_name = "報表紀錄"
        verbose_name_plural = "報表紀錄"
        ordering = ("-id",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["report", "day"], name="reportrun_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["id"], name="reportrun_unfinished", condition=Q(status__in=("waiting", "pending", "running"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.report.name} {self.day}"

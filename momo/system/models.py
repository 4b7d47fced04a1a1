"""Clean-ups and restarts of deployments, which are rows of work, and settings that admins change."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, Q

from momo.core.thresholds import staff_settings
from momo.core.work import Work
from momo.system.meanings import meaning


class SystemWork(Work):
    """What clean-ups and restarts have in common."""

    timeout_setting: ClassVar = "SYSTEM_HEARTBEAT_TIMEOUT"
    attempts_setting: ClassVar = "SYSTEM_ATTEMPTS"

    message = models.TextField("說明", blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="執行者"
    )
    started_at = models.DateTimeField("開始時間")
    finished_at = models.DateTimeField("結束時間", null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"#{self.pk}"


class Cleanup(SystemWork):
    """A clean-up of everything that apps declare as expired at `started_at`. One at a time.

    `report` has an entry for each kind, in the order in which they are deleted (`services.cleanup.Line`).
    """

    task: ClassVar = "system.cleanup"

    class Status(models.TextChoices):
        PENDING = "pending", "等待"
        RUNNING = "running", "進行中"
        DONE = "done", "完成"
        FAILED = "failed", "失敗"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "排程"
        API = "api", "API"
        ADMIN = "admin", "後台"
        COMMAND = "command", "指令"

    status = models.CharField("狀態", max_length=7, choices=Status, default=Status.PENDING)
    trigger = models.CharField("來源", max_length=8, choices=Trigger)
    only = ArrayField(models.CharField(max_length=60), default=list, blank=True, verbose_name="只清理")
    report = models.JSONField("結果", default=list, blank=True)

    class Meta:
        verbose_name = "資料清理"
        verbose_name_plural = "資料清理"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            # The expression is true wherever the condition is, so that there is one such row.
            models.UniqueConstraint(
                ExpressionWrapper(Q(status__in=Work.UNFINISHED), output_field=BooleanField()),
                name="cleanup_one_unfinished",
                condition=Q(status__in=Work.UNFINISHED),
            ),
        ]


class Rollout(SystemWork):
    """A restart of a deployment, watched until its pods are ready. One at a time for each deployment.

    `started_at` is written into the pods' template: ordering the same restart again changes nothing.
    """

    task: ClassVar = "system.rollout"

    class Status(models.TextChoices):
        PENDING = "pending", "等待"
        RUNNING = "running", "進行中"
        DONE = "done", "完成"
        FAILED = "failed", "失敗"
        TIMED_OUT = "timed_out", "逾時"

    status = models.CharField("狀態", max_length=9, choices=Status, default=Status.PENDING)
    namespace = models.CharField("命名空間", max_length=63)
    deployment = models.CharField("部署", max_length=63)
    ordered_at = models.DateTimeField("叢集接受", null=True, blank=True)

    class Meta:
        verbose_name = "重新啟動"
        verbose_name_plural = "重新啟動"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["namespace", "deployment"],
                name="rollout_one_unfinished",
                condition=Q(status__in=Work.UNFINISHED),
            ),
        ]


class Setting(models.Model):
    """A threshold (`momo.core.thresholds`) and what admins made of it; None: what the environment says is in force."""

    name = models.CharField("設定", max_length=60, unique=True, editable=False)
    value = models.BigIntegerField("自訂值", null=True, blank=True, help_text="留空就使用環境變數或預設值")

    class Meta:
        verbose_name = "設定"
        verbose_name_plural = "設定"
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.name}：{meaning(self.name)}"

    def clean(self) -> None:
        """Refuse what the environment would refuse."""
        setting = staff_settings().get(self.name)
        if self.value is None:
            return
        if setting is None:
            raise ValidationError({"value": "這個設定不再使用，請清空"})
        if not setting.admits(self.value):
            raise ValidationError({"value": f"請輸入 {setting.least:,} 到 {setting.most:,} 之間的整數"})

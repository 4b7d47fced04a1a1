"""Imports, the errors in their rows, and the column aliases that staff teach."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from momo.core.work import Work
from momo.sheets.columns import is_personal


def upload_path(instance: Any, filename: str) -> str:
    """Return the path of a job's file below MEDIA_ROOT; the uploaded name is never part of it."""
    return f"jobs/{timezone.localdate():%Y/%m}/{instance.token}.bin"


class Job(Work):
    """One import: its file, progress and outcome. A row of work."""

    task: ClassVar = "jobs.run"
    timeout_setting: ClassVar = "IMPORT_HEARTBEAT_TIMEOUT"
    attempts_setting: ClassVar = "IMPORT_ATTEMPTS"

    class Source(models.TextChoices):
        UPLOAD = "upload", "上傳"
        DRIVE = "drive", "Google 雲端硬碟"
        COMMAND = "command", "指令"
        TELEGRAM = "telegram", "Telegram"

    class Status(models.TextChoices):
        PENDING = "pending", "等待中"
        RUNNING = "running", "進行中"
        SUCCEEDED = "succeeded", "完成"
        FAILED = "failed", "失敗"
        CANCELLED = "cancelled", "已取消"
        UNDONE = "undone", "已復原"

    class Stage(models.TextChoices):
        QUEUED = "queued", "排隊"
        READING = "reading", "讀取檔案"
        CHECKING = "checking", "檢查資料"
        PUBLISHING = "publishing", "寫入"
        DONE = "done", "結束"

    class OnError(models.TextChoices):
        REJECT = "reject", "有錯就整份不匯入"
        SKIP = "skip", "略過有錯的列"

    token = models.UUIDField("檔案代號", unique=True, editable=False)
    job_type = models.CharField("類型", max_length=30)
    source = models.CharField("來源", max_length=10, choices=Source)
    file_name = models.CharField("檔名", max_length=255)
    file = models.FileField("檔案", upload_to=upload_path, max_length=200, blank=True)
    size = models.PositiveBigIntegerField("大小", default=0)
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="建立者"
    )
    on_error = models.CharField("遇到錯誤", max_length=6, choices=OnError, default=OnError.REJECT)
    # Whether somebody agreed to replace data in force by much less of it, see IMPORT_LOSS_PERCENT.
    confirm_loss = models.BooleanField("確認資料減少", default=False)
    wanted_sheets = models.JSONField("要匯入的工作表", default=list, blank=True)  # empty: the one that fits best
    skip_hidden = models.BooleanField("不匯入隱藏的列", default=False)
    status = models.CharField("狀態", max_length=9, choices=Status, default=Status.PENDING)
    stage = models.CharField("階段", max_length=10, choices=Stage, default=Stage.QUEUED)
    progress = models.PositiveSmallIntegerField("進度", default=0)
    total_rows = models.PositiveIntegerField("總列數", default=0)
    processed_rows = models.PositiveIntegerField("已處理", default=0)
    created = models.PositiveIntegerField("新增", default=0)
    updated = models.PositiveIntegerField("更新", default=0)
    skipped = models.PositiveIntegerField("略過", default=0)
    error_count = models.PositiveIntegerField("錯誤", default=0)
    sheet = models.CharField("工作表", max_length=255, blank=True)  # read by the import; the first of several
    message = models.TextField("說明", blank=True)
    result = models.JSONField("結果", default=dict, blank=True)
    cancel_requested = models.BooleanField("要求取消", default=False)
    # A failed job that may be started again with `confirm_loss`; it changed nothing.
    held = models.BooleanField("待確認", default=False)
    seen_at = models.DateTimeField("已查看", null=True, blank=True)  # a failure that a person knows of
    # A file from Drive: its id, and what distinguishes its versions (md5, else the time of change). The schedule
    # appends the time of change to an md5, since earlier content may come back.
    drive_file_id = models.CharField("雲端檔案", max_length=200, blank=True)
    drive_version = models.CharField("雲端檔案版本", max_length=100, blank=True)
    # Whether the schedule created the job. `created_by` does not show that: it is null once the user is deleted.
    automatic = models.BooleanField("由排程匯入", default=False, editable=False)
    retry_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="retries", verbose_name="重試自"
    )
    created_at = models.DateTimeField("建立時間", default=timezone.now)
    started_at = models.DateTimeField("開始時間", null=True, blank=True)
    finished_at = models.DateTimeField("結束時間", null=True, blank=True)

    class Meta:
        verbose_name = "匯入"
        verbose_name_plural = "匯入"
        ordering = ("-id",)
        constraints: ClassVar = [
            # The schedule imports a version of a file once; people may import it again.
            models.UniqueConstraint(
                fields=["drive_file_id", "drive_version"],
                name="job_drive_version_once",
                condition=models.Q(automatic=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="job_unfinished", condition=models.Q(status__in=("pending", "running"))),
            models.Index(fields=["drive_file_id", "drive_version"], name="job_drive_version"),
            models.Index(fields=["file_name"], name="job_file_name"),
            models.Index(fields=["id"], name="job_failed_unseen", condition=models.Q(status="failed", seen_at=None)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.file_name}"

    @property
    def task_id(self) -> str:
        """Id of the task of the next attempt."""
        return f"import-{self.pk}-{self.attempt + 1}"

    @property
    def is_unwanted(self) -> bool:
        """Whether somebody has cancelled the job."""
        return self.cancel_requested

    def claim_values(self) -> dict[str, Any]:
        """Return the columns with which an attempt begins."""
        return {
            "stage": self.Stage.READING,
            "started_at": self.started_at or timezone.now(),
            "progress": 0,
            "total_rows": 0,
            "processed_rows": 0,
            "message": "",
        }

    def release_values(self) -> dict[str, Any]:
        """Return the columns of a job that waits again."""
        return {"stage": self.Stage.QUEUED, "progress": 0}


class JobError(models.Model):
    """One bad cell of a job's file."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="errors", verbose_name="匯入")
    sheet = models.CharField("工作表", max_length=255, blank=True)  # only if the import reads several
    row = models.PositiveIntegerField("列")
    column = models.CharField("欄位", max_length=100, blank=True)
    value = models.CharField("內容", max_length=200, blank=True)
    message = models.CharField("問題", max_length=300)

    class Meta:
        verbose_name = "匯入錯誤"
        verbose_name_plural = "匯入錯誤"
        ordering = ("job", "row", "id")

    def __str__(self) -> str:
        return f"第 {self.row} 列 {self.column}：{self.message}"


class ColumnAlias(models.Model):
    """A header that staff teach: in reports of `job_type` a column named `alias` is `field`."""

    job_type = models.CharField("類型", max_length=30)
    field = models.CharField("欄位", max_length=30)
    alias = models.CharField("標題", max_length=100)

    class Meta:
        verbose_name = "欄位別名"
        verbose_name_plural = "欄位別名"
        ordering = ("job_type", "field", "alias")
        constraints: ClassVar = [models.UniqueConstraint(fields=["job_type", "alias"], name="columnalias_once")]

    def __str__(self) -> str:
        return self.alias

    def clean(self) -> None:
        """Raises ValidationError for a column that no import reads."""
        if is_personal(self.alias):
            raise ValidationError({"alias": f"「{self.alias}」是個人資料的欄位，系統不會讀取"})

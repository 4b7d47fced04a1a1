"""What people are asked for before an import: whether much may be lost, which sheets, which rows; and what they saw."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the answers, and the index of failures that nobody has seen. Failures until now count as seen."""

    dependencies: ClassVar = [("jobs", "0003_attempt_label")]

    operations: ClassVar = [
        migrations.AddField("job", "confirm_loss", models.BooleanField("確認資料減少", default=False)),
        migrations.AddField("job", "wanted_sheets", models.JSONField("要匯入的工作表", default=list, blank=True)),
        migrations.AddField("job", "skip_hidden", models.BooleanField("不匯入隱藏的列", default=False)),
        migrations.AddField("job", "held", models.BooleanField("待確認", default=False)),
        migrations.AddField("job", "seen_at", models.DateTimeField("已查看", null=True, blank=True)),
        migrations.AddField("joberror", "sheet", models.CharField("工作表", max_length=255, blank=True, default=""), preserve_default=False),
        migrations.RunSQL(
            "UPDATE jobs_job SET seen_at = coalesce(finished_at, created_at) WHERE status = 'failed'",
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex("job", models.Index(fields=["file_name"], name="job_file_name")),
        migrations.AddIndex(
            "job",
            models.Index(fields=["id"], name="job_failed_unseen", condition=models.Q(status="failed", seen_at=None)),
        ),
    ]

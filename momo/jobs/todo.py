"""What waits for somebody: failed and held imports."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Left

from momo.core.todo import Source, register
from momo.jobs.selectors import open_failures

register(
    Source(
        "import",
        "匯入",
        10,
        open_failures,
        title=F("file_name"),
        detail=Left("message", 300),
        since="created_at",
        page="jobs_job_change",
        listed="jobs_job_changelist",
        query="?attention=open",
    )
)

"""Expired files of jobs, which the clean-up of the whole system counts and deletes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet

from momo.core.retention import Expired, KeptFiles, StrayFiles, register
from momo.jobs.models import Job

STRAY_AFTER = dt.timedelta(days=1)  # long enough for the transaction of its row to commit


@dataclass(frozen=True)
class OldFiles(KeptFiles):
    """Files whose jobs all ended before a moment; the jobs' rows stay."""

    before: dt.datetime

    def jobs(self) -> QuerySet[Job]:
        """Return jobs whose file may be deleted; a file that a later job retries stays."""
        kept = Job.objects.exclude(file="").filter(Q(status__in=Job.UNFINISHED) | Q(finished_at__gte=self.before))
        ended = Job.objects.exclude(file="").exclude(status__in=Job.UNFINISHED).filter(finished_at__lt=self.before)
        return ended.exclude(file__in=kept.values("file"))

    @property
    def table(self) -> str:
        return f"{Job._meta.label}.file"

    def sizes(self) -> dict[str, int]:
        return dict(self.jobs().values_list("file", "size"))

    def remove(self, name: str) -> None:
        Job._meta.get_field("file").storage.delete(name)
        Job.objects.filter(file=name).update(file="")


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """Return expired files at `now`, by a label for users."""
    return {
        "匯入的檔案": OldFiles(now - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)),
        "沒有紀錄的匯入檔案": StrayFiles(now - STRAY_AFTER, Job._meta.get_field("file"), "jobs"),
    }

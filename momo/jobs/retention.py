"""Expired files of jobs, which the clean-up of the whole system counts and deletes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import Storage
from django.db.models import Q, QuerySet, Sum

from momo.jobs.models import Job

STRAY_AFTER = dt.timedelta(days=1)  # long enough for the transaction of its row to commit


@dataclass(frozen=True)
class OldFiles:
    """Files whose jobs all ended before a moment. Has `count` and `delete` like a queryset; the jobs' rows stay."""

    before: dt.datetime

    def jobs(self) -> QuerySet[Job]:
        """Return jobs whose file may be deleted; a file that a later job retries stays."""
        kept = Job.objects.exclude(file="").filter(Q(status__in=Job.UNFINISHED) | Q(finished_at__gte=self.before))
        ended = Job.objects.exclude(file="").exclude(status__in=Job.UNFINISHED).filter(finished_at__lt=self.before)
        return ended.exclude(file__in=kept.values("file"))

    def count(self) -> int:
        """Return the number of files."""
        return self.jobs().values("file").distinct().count()

    def size(self) -> int:
        """Return their size in bytes."""
        sizes = self.jobs().order_by("file").distinct("file").values_list("pk", flat=True)
        return int(Job.objects.filter(pk__in=list(sizes)).aggregate(bytes=Sum("size", default=0))["bytes"])

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the files. Returns how many, like a queryset."""
        storage = _storage()
        names = sorted(set(self.jobs().values_list("file", flat=True)))
        for name in names:
            # The file first: if the process dies in between, the row is found again.
            storage.delete(name)
            Job.objects.filter(file=name).update(file="")
        return len(names), {"jobs.Job.file": len(names)}


@dataclass(frozen=True)
class StrayFiles:
    """Files last written before a moment that belong to no job: left by a request or a worker that died."""

    before: dt.datetime

    def names(self) -> list[str]:
        """Return names below MEDIA_ROOT, sorted."""
        storage = _storage()
        old = [name for name in _names("jobs") if storage.get_modified_time(name) < self.before]
        return sorted(set(old) - set(Job.objects.exclude(file="").values_list("file", flat=True)))

    def count(self) -> int:
        """Return the number of files."""
        return len(self.names())

    def size(self) -> int:
        """Return their size in bytes."""
        return sum(map(_storage().size, self.names()))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the files. Returns how many, like a queryset."""
        names = self.names()
        for name in names:
            _storage().delete(name)
        return len(names), {"jobs.Job.file": len(names)}


def _storage() -> Storage:
    return Job._meta.get_field("file").storage


def _names(folder: str) -> Iterator[str]:
    """Yield all files in `folder` and below."""
    if not _storage().exists(folder):
        return
    folders, files = _storage().listdir(folder)
    for name in files:
        yield f"{folder}/{name}"
    for name in folders:
        yield from _names(f"{folder}/{name}")


def expired(*, now: dt.datetime) -> dict[str, OldFiles | StrayFiles]:
    """Return expired files at `now`, by a label for users."""
    return {
        "匯入的檔案": OldFiles(now - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)),
        "沒有紀錄的匯入檔案": StrayFiles(now - STRAY_AFTER),
    }

"""What jobs may forget, for the clean-up of the whole system to count or delete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import Storage
from django.db.models import Q, QuerySet, Sum

from momo.jobs.models import Job

STRAY_AFTER = dt.timedelta(days=1)  # by then its row is committed, if it ever will be
UNFINISHED = (Job.Status.PENDING, Job.Status.RUNNING)


@dataclass(frozen=True)
class OldFiles:
    """Files whose jobs all ended before a moment. Counted and deleted as a queryset is; the jobs' rows stay."""

    before: dt.datetime

    def jobs(self) -> QuerySet[Job]:
        """Jobs whose file may go; a file that a later job tries again stays."""
        kept = Job.objects.exclude(file="").filter(Q(status__in=UNFINISHED) | Q(finished_at__gte=self.before))
        ended = Job.objects.exclude(file="").exclude(status__in=UNFINISHED).filter(finished_at__lt=self.before)
        return ended.exclude(file__in=kept.values("file"))

    def count(self) -> int:
        """Files."""
        return self.jobs().values("file").distinct().count()

    def size(self) -> int:
        """Bytes."""
        sizes = self.jobs().order_by("file").distinct("file").values_list("pk", flat=True)
        return Job.objects.filter(pk__in=list(sizes)).aggregate(bytes=Sum("size", default=0))["bytes"]

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the files. Returns how many, as a queryset does."""
        storage = _storage()
        names = sorted(set(self.jobs().values_list("file", flat=True)))
        for name in names:
            # The file first: who dies in between finds its row again.
            storage.delete(name)
            Job.objects.filter(file=name).update(file="")
        return len(names), {"jobs.Job.file": len(names)}


@dataclass(frozen=True)
class StrayFiles:
    """Files last written before a moment that belong to no job: what a request or a worker has left that died."""

    before: dt.datetime

    def names(self) -> list[str]:
        """Names below MEDIA_ROOT, sorted."""
        storage = _storage()
        old = [name for name in _names("jobs") if storage.get_modified_time(name) < self.before]
        return sorted(set(old) - set(Job.objects.exclude(file="").values_list("file", flat=True)))

    def count(self) -> int:
        """Files."""
        return len(self.names())

    def size(self) -> int:
        """Bytes."""
        return sum(map(_storage().size, self.names()))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the files. Returns how many, as a queryset does."""
        names = self.names()
        for name in names:
            _storage().delete(name)
        return len(names), {"jobs.Job.file": len(names)}


def _storage() -> Storage:
    return Job._meta.get_field("file").storage


def _names(folder: str) -> Iterator[str]:
    """All files in `folder` and below."""
    if not _storage().exists(folder):
        return
    folders, files = _storage().listdir(folder)
    for name in files:
        yield f"{folder}/{name}"
    for name in folders:
        yield from _names(f"{folder}/{name}")


def expired(*, now: dt.datetime) -> dict[str, OldFiles | StrayFiles]:
    """What nothing needs any more at `now`, by a name for people."""
    return {
        "匯入的檔案": OldFiles(now - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)),
        "沒有紀錄的匯入檔案": StrayFiles(now - STRAY_AFTER),
    }

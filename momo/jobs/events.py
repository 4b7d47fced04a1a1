"""Events of imports that people can subscribe to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db.models import Q

from momo.jobs.importers import importers
from momo.jobs.models import Job, JobError
from momo.jobs.services.notify import EVENTS, FAILED, FINISHED, job_variables
from notifications.events import EventKind, FilterField, register

ERRORS_READ = 1_000  # of each import, for previews
LABELS = {FINISHED: "匯入完成", FAILED: "匯入失敗"}


def register_events() -> None:
    """Register the events; called once when the app is ready."""
    for status, code in EVENTS.items():
        recent: Callable[[int], Sequence[Mapping[str, Any]]] = partial(recent_ends, status)
        register(
            EventKind(code, LABELS[code], template=code, mail_template=f"{code}_mail", filters=FILTERS, recent=recent)
        )


def _types() -> Sequence[tuple[str, str]]:
    return [(job_type, importer.label) for job_type, importer in importers().items()]


def _sources() -> Sequence[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in Job.Source.choices]


FILTERS = (
    FilterField("job_types", "類型", "choices", "不選就是全部類型", _types),
    FilterField("sources", "來源", "choices", "不選就是全部來源", _sources),
)


def recent_ends(status: str, limit: int) -> Sequence[Mapping[str, Any]]:
    """Return the variables of the last `limit` imports with a status, the newest first, in two queries."""
    jobs = list(Job.objects.filter(status=status).order_by("-pk")[:limit])
    errors: dict[int, list[JobError]] = defaultdict(list)
    wanted = Q()
    for job in jobs:
        if job.error_count:
            first = JobError.objects.filter(job=job).order_by("row", "pk").values("pk")[:ERRORS_READ]
            wanted |= Q(pk__in=first)
    if wanted:
        for error in JobError.objects.filter(wanted).order_by("row", "pk"):
            errors[error.job_id].append(error)
    return [{"label": str(job), "variables": job_variables(job, errors[job.pk])} for job in jobs]

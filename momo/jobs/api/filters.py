"""Filters of the list of imports."""

from __future__ import annotations

from django_filters import ChoiceFilter

from momo.jobs.importers import importers
from momo.jobs.models import Job
from momo.rest.filters import StrictFilterSet


def _kinds() -> list[tuple[str, str]]:
    return [(job_type, importer.label) for job_type, importer in importers().items()]


class JobFilter(StrictFilterSet):
    """Filters of GET /api/import/jobs."""

    status = ChoiceFilter(choices=Job.Status.choices, label="狀態")
    job_type = ChoiceFilter(choices=_kinds, label="報表類型")

    class Meta:
        model = Job
        fields = ("status", "job_type")

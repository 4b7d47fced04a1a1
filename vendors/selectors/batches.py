"""Reads of batches, and of their rows: new, still out, and recovered since the batch before."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, Q, QuerySet

from vendors.models import Stockout, StockoutBatch

NEW, STILL, REPEATED, RECOVERED, ALL = "new", "still", "repeated", "recovered", "all"

# A new product of a report begins a row of work; a product that is still out points at the row of an earlier batch, and
# a further row of a new product at the first in the same report.
_LINES = {
    NEW: Q(duplicate_of=None),
    STILL: ~Q(duplicate_of__batch=F("batch")) & Q(duplicate_of__isnull=False),
    REPEATED: Q(duplicate_of__batch=F("batch")),
    ALL: Q(),
}


def batches_in_force() -> QuerySet[StockoutBatch]:
    """Batches whose rows count, the newest first."""
    published = StockoutBatch.objects.filter(published_at__isnull=False, undone_at=None, same_as=None)
    return published.order_by("-published_at", "-pk")


def batch_of_job(job_id: int) -> StockoutBatch | None:
    """Return the batch of an import; None before it is created, and for other kinds of imports."""
    return StockoutBatch.objects.filter(job_id=job_id).first()


def batch_lines(batch: StockoutBatch, group: str = ALL) -> QuerySet[Stockout]:
    """Return the rows of a group in the order of the report; of a batch without own rows those of `same_as`.

    Recovered rows are of earlier batches, and are no longer in this report.
    """
    batch_id = batch.same_as_id or batch.pk
    if group == RECOVERED:
        return Stockout.objects.filter(resolved_batch_id=batch_id, duplicate_of=None).order_by("pk")
    return Stockout.objects.filter(_LINES[group], batch_id=batch_id).order_by("row", "pk")


def overlaps(batch: StockoutBatch, departments: Collection[str]) -> bool:
    """Whether a batch and a report of `departments` (all if empty) say something about the same rows."""
    return not batch.departments or not departments or not set(departments).isdisjoint(batch.departments)

"""The scheduler of `celery beat`: several may run, and no run of a schedule is started twice.

django-celery-beat keeps the times of runs in memory and writes them every three minutes, so that each of two beats
would start everything. Here a beat claims each run in the database: it locks the schedule's row, asks it (not its own
memory) whether the run is due, sends the task and stores the time, in one transaction. A beat that is second finds the
row locked, or no run due. When the broker refuses the task, nothing is stored, and the run is due again when the
schedules are read the next time. Limit: a beat that is killed between the broker's acceptance and the commit, some
milliseconds, leaves a run that is started again; tasks are safe to run twice.
"""

from __future__ import annotations

from typing import Any

from celery.utils.log import get_logger
from django.db import transaction
from django.db.models import F, QuerySet
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from momo.core.work import TRANSIENT, reconnect

logger = get_logger(__name__)


class ClaimingScheduler(DatabaseScheduler):
    """Several of it start each run once.

    When one dies the others go on, after at most the five minutes that the package takes to read all schedules again.
    """

    _known: dict[str, ModelEntry] | None = None  # as they were read last

    def enabled_models_qs(self) -> QuerySet[PeriodicTask]:
        """All enabled schedules.

        The package leaves out those of other hours, and so never makes up for a daily run that was due without beat.
        """
        enabled: QuerySet[PeriodicTask] = PeriodicTask.objects.enabled()
        return enabled

    def all_as_schedule(self) -> dict[str, ModelEntry]:
        """All schedules; while the database is away those that were read before, since an error would end beat."""
        try:
            self._known = super().all_as_schedule()
        except TRANSIENT as error:
            if self._known is None:
                raise
            logger.warning("schedules are not read again, the database is away: %s", error)
            reconnect()
        return self._known

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        """Send the task of a run, unless another beat has; None then."""
        with transaction.atomic():
            rows = PeriodicTask.objects.select_for_update(skip_locked=True, of=("self",))
            row = rows.select_related("interval", "crontab", "clocked", "solar").filter(pk=entry.model.pk).first()
            if row is None or not ModelEntry(row, app=self.app).is_due().is_due:
                logger.info("%s: started by another beat, switched off or changed", entry.name)
                return None
            result = super().apply_async(entry, producer=producer, advance=advance, **kwargs)
            stored = {"last_run_at": entry.model.last_run_at, "total_run_count": F("total_run_count") + 1}
            PeriodicTask.objects.filter(pk=row.pk).update(**stored)
            return result

    def sync(self) -> None:
        """Nothing is left to write: the claim has stored the run."""
        self._dirty.clear()

"""Notifies the subscribers of an import's end, in the transaction in which the import ends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from momo.jobs.errors import Bad, grouped
from momo.jobs.importers import label_of
from momo.jobs.models import Job
from notifications.models import Subscription
from notifications.services.notify import lets_through, notify

GROUPS_SHOWN = 5  # of equal errors
MESSAGE_LENGTH, CELL_LENGTH, SHEET_LENGTH = 2_000, 200, 40  # characters; a cell may hold a whole book
FINISHED, FAILED = "import_finished", "import_failed"
EVENTS: Mapping[str, str] = {Job.Status.SUCCEEDED: FINISHED, Job.Status.FAILED: FAILED}


def notify_end(job: Job, errors: Sequence[Bad] = ()) -> int:
    """Enqueue the messages to all subscribers of "import finished" or "import failed"; other ends have no event.

    `job` holds its end, `errors` the first of its bad cells, as many as are kept. Returns the number of
    messages that were enqueued.
    """
    event = EVENTS.get(job.status)
    if event is None:
        return 0

    def wanted(subscription: Subscription) -> bool:
        return lets_through(subscription, job_types=job.job_type, sources=job.source)

    return notify(event, key=f"import:{job.pk}:{job.status}", variables=job_variables(job, errors), only=wanted)


def job_variables(job: Job, errors: Sequence[Bad]) -> dict[str, Any]:
    """Return the variables of the templates of EVENTS; equal errors are one entry, as on the pages of imports.

    The `row` of an entry is its first one. `errors_left` counts the errors that no entry holds.
    """
    groups = grouped(errors)[:GROUPS_SHOWN]
    held = {"held": job.held} if job.status == Job.Status.FAILED else {}
    return held | {
        "job_id": job.pk,
        "file_name": job.file_name,
        "type": label_of(job.job_type) or "無法辨識的檔案",
        "source": job.get_source_display(),
        "message": job.message[:MESSAGE_LENGTH],
        "created": job.created,
        "updated": job.updated,
        "skipped": job.skipped,
        "error_count": job.error_count,
        "errors": [
            {
                "row": int(re.split("[–、]", group.rows)[0]),
                "rows": f"{group.sheet[:SHEET_LENGTH]}！{group.rows}" if group.sheet else group.rows,
                "column": group.column[:CELL_LENGTH],
                "value": "、".join(group.values)[:CELL_LENGTH],
                "message": group.message[:MESSAGE_LENGTH],
                "count": group.count,
            }
            for group in groups
        ],
        "errors_left": job.error_count - sum(group.count for group in groups),
        "url": f"{settings.PUBLIC_URL}/admin/jobs/job/{job.pk}/change/",
    }

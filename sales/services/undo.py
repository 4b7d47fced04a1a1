"""Undoes an import: its days get the version back that was in force before, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from momo.core.errors import Conflict, ServerError
from momo.jobs.models import Job
from sales.figures import Sums
from sales.models import DayClaim
from sales.services.totals import lock_sales, rebuild_totals

# The successor of a day is the claim of the newest import that is not undone. Job ids are in the order of creation.
RETURN = """
WITH successors AS (
    SELECT o.id AS owner_id,
           (SELECT c.id FROM sales_dayclaim c
            WHERE c.source = o.source AND c.date = o.date AND c.undone_at IS NULL
            ORDER BY c.job_id DESC LIMIT 1) AS claim_id
    FROM sales_dayowner o JOIN sales_dayclaim mine ON mine.id = o.claim_id
    WHERE mine.job_id = %(job)s
), removed AS (
    DELETE FROM sales_dayowner o USING successors s WHERE o.id = s.owner_id AND s.claim_id IS NULL
    RETURNING o.date, NULL::bigint AS claim_id
), returned AS (
    UPDATE sales_dayowner o SET claim_id = s.claim_id FROM successors s
    WHERE o.id = s.owner_id AND s.claim_id IS NOT NULL
    RETURNING o.date, o.claim_id
)
SELECT * FROM removed UNION ALL SELECT * FROM returned
"""


def undo_import(*, job: Job) -> Mapping[str, Any]:
    """Undo what `job` published, inside the caller's transaction. Returns the days and their versions now in force.

    A day keeps its lines and totals if another import has the same rows. Raises Conflict if nothing can be undone.
    """
    with connection.cursor() as cursor:
        lock_sales(cursor)
        claims = {claim.date: claim for claim in DayClaim.objects.filter(job=job, undone_at=None).order_by("date")}
        if not claims:
            if DayClaim.objects.filter(job=job).exists():
                raise Conflict("這次匯入已經復原過了")
            raise Conflict("這次匯入沒有更動任何資料，沒有可以復原的內容")
        DayClaim.objects.filter(job=job, undone_at=None).update(undone_at=timezone.now())
        cursor.execute(RETURN, {"job": job.pk})
        returned: dict[date, int | None] = dict(cursor.fetchall())
        found = DayClaim.objects.in_bulk([pk for pk in returned.values() if pk])
        successors = {day: found[pk] if pk else None for day, pk in returned.items()}
        moved = [
            day for day, after in successors.items() if after is None or after.lines_job_id != claims[day].lines_job_id
        ]
        if moved and rebuild_totals(cursor=cursor, dates=moved):
            raise ServerError("復原後的合計與匯入的內容不符，沒有更動任何資料；請通知系統管理員。")
    days = []
    for day, claim in claims.items():
        entry: dict[str, Any] = {"date": day.isoformat(), "before": _version(claim)}
        successor = successors.get(day)
        if day not in successors:
            entry["status"] = "superseded"
        elif successor is None:
            entry["status"] = "removed"
        else:
            entry |= {"status": "restored" if day in moved else "unchanged", "after": _version(successor)}
        days.append(entry)
    return {"days": days, "message": _message(days)}


def _version(claim: DayClaim) -> dict[str, Any]:
    cents = int(claim.amount * 100)
    return {"job_id": claim.job_id, **Sums(claim.lines, claim.quantity, cents, None, None).as_dict()}


def _message(days: list[dict[str, Any]]) -> str:
    texts = {
        "restored": "{} 天回到先前的資料",
        "removed": "{} 天不再有資料",
        "unchanged": "{} 天另有內容相同的匯入，維持不變",
        "superseded": "{} 天早已由其他匯入取代，維持不變",
    }
    counts = {status: sum(day["status"] == status for day in days) for status in texts}
    return "、".join(texts[status].format(count) for status, count in counts.items() if count)

"""Takes an import back: its days return to what was in force before, or to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from momo.jobs.models import Job
from momo.rest.errors import Conflict, ServerError
from sales.figures import Sums
from sales.models import DayClaim
from sales.services.totals import lock_sales, rebuild_totals

# The claim of the import brought last that was not undone, or none. Imports are numbered as they are brought.
RETURN = """
WITH heirs AS (
    SELECT o.id AS owner_id,
           (SELECT c.id FROM sales_dayclaim c
            WHERE c.source = o.source AND c.date = o.date AND c.undone_at IS NULL
            ORDER BY c.job_id DESC LIMIT 1) AS claim_id
    FROM sales_dayowner o JOIN sales_dayclaim mine ON mine.id = o.claim_id
    WHERE mine.job_id = %(job)s
), left_alone AS (
    DELETE FROM sales_dayowner o USING heirs h WHERE o.id = h.owner_id AND h.claim_id IS NULL
    RETURNING o.date, NULL::bigint AS claim_id
), handed_back AS (
    UPDATE sales_dayowner o SET claim_id = h.claim_id FROM heirs h WHERE o.id = h.owner_id AND h.claim_id IS NOT NULL
    RETURNING o.date, o.claim_id
)
SELECT * FROM left_alone UNION ALL SELECT * FROM handed_back
"""


def undo_import(job: Job) -> Mapping[str, Any]:
    """Undo what `job` published, inside a transaction of the caller's. Returns the days and what they show now.

    A day that another import says the same of keeps its lines and totals. Raises Conflict when nothing of it is left to
    undo.
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
        heirs = {day: found[pk] if pk else None for day, pk in returned.items()}
        moved = [day for day, heir in heirs.items() if heir is None or heir.lines_job_id != claims[day].lines_job_id]
        if moved and rebuild_totals(cursor, moved):
            raise ServerError("復原後的合計與匯入的內容不符，沒有更動任何資料；請通知系統管理員。")
    days = []
    for day, claim in claims.items():
        told: dict[str, Any] = {"date": day.isoformat(), "before": _told(claim)}
        heir = heirs.get(day)
        if day not in heirs:
            told["status"] = "superseded"
        elif heir is None:
            told["status"] = "removed"
        else:
            told |= {"status": "restored" if day in moved else "unchanged", "after": _told(heir)}
        days.append(told)
    return {"days": days, "message": _message(days)}


def _told(claim: DayClaim) -> dict[str, Any]:
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

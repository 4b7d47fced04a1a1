"""How vendors answer and restock: of the rows of the reports of the last days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from momo.core.thresholds import thresholds
from vendors.selectors.board import LOST

WINDOWS = (30, 90, 365)  # days
DEFAULT_WINDOW = 90

# Hours are from the first mail to the first answer, and from the report to the recovery. Answered in time: before a
# reminder was due. Rows whose mail was never accepted by a server are in none of these.
_SCORE = f"""
WITH recent AS (
    SELECT s.*, (s.answered_at - s.notified_at) AS to_answer,
           CASE WHEN s.resolved_reason IN ('back_in_stock', 'not_listed') THEN s.resolved_at - s.created_at END
               AS to_restock,
           {LOST.format(until="coalesce(s.resolved_at, %(now)s)")} AS lost
    FROM vendors_stockout s
    WHERE s.batch_id IN (SELECT id FROM vendors_stockoutbatch WHERE published_at >= %(since)s)
      AND s.duplicate_of_id IS NULL
)
SELECT v.id, v.code, v.name, v.is_active, count(*), count(*) FILTER (WHERE r.status <> 'resolved'),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.to_answer)) / 3600,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.to_restock)) / 3600,
       count(*) FILTER (WHERE r.notified_at IS NOT NULL AND (r.answered_at IS NOT NULL OR r.notified_at <= %(due)s)),
       count(*) FILTER (WHERE r.to_answer <= %(in_time)s),
       coalesce(round(sum(r.lost)), 0)::bigint, count(*) - count(r.lost)
FROM recent r JOIN vendors_vendor v ON v.id = r.vendor_id
GROUP BY v.id
"""  # noqa: S608 - no value of a request becomes part of the text


@dataclass(frozen=True)
class Score:
    """One vendor. Hours are medians, None where nothing was answered or restocked.

    `in_time` of `due` rows were answered before a reminder was due; rows that may still be are not `due`. `lost` is the
    estimate of lost sales in New Taiwan dollars without `unknown` rows.
    """

    vendor_id: int
    code: str
    name: str
    is_active: bool
    rows: int
    open_rows: int
    hours_to_answer: float | None
    hours_to_restock: float | None
    due: int
    in_time: int
    lost: int
    unknown: int

    @property
    def never_answered(self) -> bool:
        """Whether mails were due to be answered, and none was."""
        return self.due > 0 and self.hours_to_answer is None

    @property
    def in_time_percent(self) -> int | None:
        """Percent of the rows that were answered in time, None where none had to be."""
        return round(100 * self.in_time / self.due) if self.due else None


def scores(*, days: int = DEFAULT_WINDOW, now: datetime | None = None) -> Sequence[Score]:
    """Return the vendors with rows in reports of the last `days` days, those that cost most first."""
    now = now or timezone.now()
    in_time = timedelta(days=thresholds.VENDOR_REMIND_DAYS or 3)
    values: dict[str, Any] = {"now": now, "since": now - timedelta(days=days), "in_time": in_time, "due": now - in_time}
    with connection.cursor() as cursor:
        cursor.execute(_SCORE, values)
        found = [Score(*row) for row in cursor.fetchall()]
    return sorted(found, key=lambda score: (-score.lost, -score.open_rows, score.code))

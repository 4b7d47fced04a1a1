"""Turns what a run saw into products, prices and events: one set-based transaction, applied once.

A second call finds the run applied and changes nothing. `services.statements` has the SQL, `services.guard` decides
what is suspect and what is delisted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from momo.core.thresholds import thresholds
from products.models import Category, CategoryResult, CrawlRun
from products.selectors.counts import forget_counts
from products.selectors.lowest import window_start
from products.services.alerts import raise_alert
from products.services.guard import delist_missing, judge_run
from products.services.notify import notify_soon
from products.services.runs import run_is_crawled
from products.services.statements import (
    CHANGE_PRODUCTS,
    CLOSE_SPANS,
    COUNTS,
    EVENTS,
    HOLD,
    INSERT_PRODUCTS,
    LEVEL_SIGHTS,
    MERGE_SEARCH,
    OPEN_SEEN_SPANS,
    SEE_PRODUCTS,
    SEEN,
    SETTLE,
    UPDATE_SEARCH,
)


def apply_run(run_id: int, *, now: datetime | None = None) -> bool:
    """Apply a run whose shards have all ended. False if it is not ready, or was applied or closed before.

    `now` is the time of the decision (delistings, end of the run); prices carry the time at which they were seen.
    """
    now = now or timezone.now()
    with transaction.atomic():
        run = CrawlRun.objects.select_for_update().filter(pk=run_id, status=CrawlRun.Status.RUNNING).first()
        if run is None or not run_is_crawled(run_id):
            return False
        with connection.cursor() as cursor:
            _finish(cursor, run, _carry_out(cursor, run, now), now)
        transaction.on_commit(forget_counts)
        notify_soon()
    return True


def _carry_out(cursor: CursorWrapper, run: CrawlRun, now: datetime) -> Sequence[CategoryResult]:
    """Write products, spans and events. Returns the judged results of the categories."""
    values: dict[str, Any] = {
        "run": run.pk,
        "now": now,
        "list_percent": thresholds.QUARANTINE_LIST_PERCENT,
        "jump_percent": thresholds.QUARANTINE_JUMP_PERCENT,
        "level": LEVEL_SIGHTS,
        "lowest_since": window_start(now),
    }
    # The rows just stored are in no statistics yet: PostgreSQL would choose a nested loop over the products.
    cursor.execute("SET LOCAL enable_nestloop = off")
    cursor.execute(SEEN, values)
    judged = judge_run(cursor, run, values)
    cursor.execute("SET LOCAL enable_nestloop = on")
    for statement in (
        SETTLE,
        HOLD,
        CLOSE_SPANS,
        INSERT_PRODUCTS,
        OPEN_SEEN_SPANS,
        CHANGE_PRODUCTS,
        SEE_PRODUCTS,
        EVENTS,
    ):
        cursor.execute(statement, values)
    delist_missing(cursor, judged, values)
    cursor.execute(UPDATE_SEARCH)
    if cursor.rowcount:
        cursor.execute(MERGE_SEARCH)
    return judged.results


def _finish(cursor: CursorWrapper, run: CrawlRun, results: Sequence[CategoryResult], now: datetime) -> None:
    """Store counts, verdict, alert, and the time of each category's last complete walk."""
    cursor.execute(COUNTS, {"run": run.pk})
    (
        run.new,
        run.increased,
        run.decreased,
        run.delisted,
        run.relisted,
        run.sold_out,
        run.restocked,
        run.seen,
        run.quarantined,
    ) = cursor.fetchone()
    suspects = [result for result in results if result.suspect]
    good = [result for result in results if not result.suspect]
    # With half of its prices unread, a walk is no baseline: goods would become news as their prices become readable.
    complete = [result.category_id for result in results if not result.waits and result.unread * 2 <= result.seen]
    Category.objects.filter(pk__in=complete).update(last_complete_at=now)
    if not suspects:
        run.verdict, run.message = CrawlRun.Verdict.OK, ""
    else:
        run.verdict = CrawlRun.Verdict.SUSPECT if good or run.seen else CrawlRun.Verdict.FAILED
        run.message = describe_suspects(suspects, len(results))
    raise_alert(run, suspects, good, now)
    run.status, run.finished_at, run.heartbeat_at = CrawlRun.Status.APPLIED, now, now
    run.save()
    cursor.execute("DROP TABLE seen")


def describe_suspects(suspects: Sequence[CategoryResult], of: int) -> str:
    """One line with the names of the first categories and their reasons."""
    named = "；".join(
        f"{result.category.name}（{result.message or result.get_outcome_display()}）" for result in suspects[:3]
    )
    more = f"；另有 {len(suspects) - 3} 個分類" if len(suspects) > 3 else ""
    waits = "，其中等待確認的不算下架" if any(result.waits for result in suspects) else ""
    return f"{of} 個分類中有 {len(suspects)} 個可疑{waits}：{named}{more}"

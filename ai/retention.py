"""What of AI may be deleted, for the clean-up of the whole system to count or delete.

Prices, budgets, styles, phrases and fact sheets are what staff wrote, and stay. So does copy that is a favourite, and
the last good list of each trend that is still read. Calls are folded into days: what was used and spent stays known.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from ai.models import Call, Generation, TrendList
from momo.core.retention import Expired, OldRows, SqlRows, register

# A call that a text is kept of stays with it. Those that run are of today, whatever the clock says.
_OLD = """
FROM ai_call c WHERE c.started_at < %(before)s AND c.status <> 'running'
  AND NOT EXISTS (SELECT FROM ai_generation g WHERE g.call_id = c.id)
"""
_COUNT = f"SELECT count(*), coalesce(sum(pg_column_size(c.*)), 0) {_OLD}"
# One statement: a call is counted in one of the two tables at any moment.
_FOLD = f"""
WITH chosen AS MATERIALIZED (
    SELECT c.id, pg_column_size(c.*) AS bytes {_OLD} ORDER BY c.id LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED
), gone AS (
    DELETE FROM ai_call WHERE id IN (SELECT id FROM chosen) RETURNING *
), folded AS (
    INSERT INTO ai_dayusage AS d (day, user_id, username, provider, model, currency, calls, errors, input_tokens,
                                  output_tokens, searches, seconds, cost)
    SELECT (started_at AT TIME ZONE 'Asia/Taipei')::date, user_id, username, provider, model, currency, count(*),
           count(*) FILTER (WHERE status IN ('failed', 'aborted')), sum(input_tokens), sum(output_tokens),
           sum(searches), sum(seconds), sum(cost)
    FROM gone GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (day, username, provider, model, currency, user_id) DO UPDATE SET
        calls = d.calls + excluded.calls, errors = d.errors + excluded.errors,
        input_tokens = d.input_tokens + excluded.input_tokens, output_tokens = d.output_tokens + excluded.output_tokens,
        searches = d.searches + excluded.searches, seconds = d.seconds + excluded.seconds, cost = d.cost + excluded.cost
)
SELECT count(*), coalesce(sum(bytes), 0) FROM gone JOIN chosen USING (id)
"""  # noqa: S608 - our own text


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """What nothing needs any more at `now`, by a name for people; calls first, since texts keep theirs."""

    def before(days: int) -> dt.datetime:
        return now - dt.timedelta(days=days)

    texts = Generation.objects.order_by()
    copy = texts.filter(kind=Call.Kind.COPY, favorite=False, created_at__lt=before(settings.AI_COPY_KEEP_DAYS))
    # Favourites too: Google's terms let answers of its search be kept for six months.
    searches = texts.filter(kind=Call.Kind.SEARCH, created_at__lt=before(settings.AI_SEARCH_KEEP_DAYS))
    lists = TrendList.objects.filter(trend__enabled=False, fetched_at__lt=before(settings.TREND_KEEP_DAYS))
    return {
        "AI 使用紀錄": SqlRows(Call, before(settings.AI_CALL_KEEP_DAYS), _COUNT, _FOLD),
        "已刪除的產生紀錄": OldRows(texts.filter(deleted_at__lt=now)),
        "產生的文案": OldRows(copy),
        "上網搜尋": OldRows(searches),
        "停用的趨勢清單": OldRows(lists),
    }

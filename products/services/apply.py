"""Turns what a run saw into products, prices and events: one set-based transaction, applied once.

Every decision is made in one temporary table (`seen`, a row for each goods code); the later statements only carry it
out. A second call finds the run applied and changes nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from products.models import Alert, Category, CategoryResult, CrawlRun
from products.selectors.counts import forget_counts
from products.selectors.lowest import FOREVER, KEPT_LOWEST_PRICE, window_start
from products.services.notify import notify_soon
from products.services.runs import run_is_crawled

logger = logging.getLogger(__name__)

COMPLETE = (CategoryResult.Outcome.COMPLETE, CategoryResult.Outcome.EMPTY)

# One row for each code: seen wins over absent, a readable price over none, the home category over others, the list over
# the page. A product leaves its home category only when that was walked to its end without the product, or is switched
# off: a category that was blocked, or is no part of this run, has not lost it. `implausible` is the reason to doubt a
# price, and `quarantine_verdict` the status of the same price in quarantine: a price held before is believed now, a
# rejected one is refused.
SEEN = """
CREATE TEMPORARY TABLE seen ON COMMIT DROP AS
WITH picked AS (
    SELECT DISTINCT ON (o.code COLLATE "C")
           o.code,
           CASE WHEN p.id IS NULL OR p.category_id IN (SELECT id FROM products_category WHERE NOT enabled)
                     OR p.category_id IN (SELECT category_id FROM products_categoryresult
                                          WHERE run_id = %(run)s AND outcome IN ('complete', 'empty'))
                THEN o.category_id ELSE p.category_id END AS category_id,
           o.name, coalesce(nullif(o.brand, ''), p.brand, '') AS brand, o.url,
           coalesce(nullif(o.image_url, ''), p.image_url, '') AS image_url, o.price AS shown_price,
           coalesce(o.list_price, p.list_price) AS list_price, o.in_stock,
           o.absent, o.observed_at, p.id AS product_id, p.price AS old_price, p.status AS old_status,
           p.last_seen_at AS old_last_seen_at, p.name AS old_name, p.brand AS old_brand,
           p.category_id AS old_category_id, p.url AS old_url, p.image_url AS old_image_url,
           p.list_price AS old_list_price, p.lowest_price_until AS old_lowest_price_until
    FROM products_observation o
    LEFT JOIN products_product p ON p.product_id = o.code
    -- Without the observations of a category that was deleted meanwhile.
    JOIN products_category c ON c.id = o.category_id
    WHERE o.run_id = %(run)s
    ORDER BY o.code COLLATE "C", o.absent, (o.price IS NULL), (o.category_id = p.category_id) DESC NULLS LAST, o.source,
             o.category_id, o.observed_at
), judged AS (
    SELECT *,
           CASE
               WHEN absent OR shown_price IS NULL OR shown_price = old_price THEN NULL
               WHEN shown_price::bigint * 100 < list_price::bigint * %(list_percent)s THEN 'below_list'
               WHEN abs(shown_price - old_price)::bigint * 100 > old_price::bigint * %(jump_percent)s THEN 'jump'
           END AS implausible
    FROM picked
    OFFSET 0
), quarantined AS (
    SELECT j.*,
           (SELECT q.status FROM products_quarantinedprice q
            WHERE j.implausible IS NOT NULL AND q.code = j.code AND q.price = j.shown_price AND q.run_id <> %(run)s
              AND (q.status IN ('held', 'rejected') OR (q.status = 'accepted' AND j.product_id IS NULL))
            ORDER BY q.id DESC LIMIT 1) AS quarantine_verdict
    FROM judged j
)
-- OFFSET 0 keeps PostgreSQL from computing a level's columns again for each use. Texts only where they are written.
SELECT code, category_id, shown_price, new_price, list_price, in_stock, absent, observed_at, implausible, held, changed,
       product_id, old_price, old_status, new_status, old_last_seen_at, old_category_id,
       CASE WHEN changed OR held THEN name END AS name, CASE WHEN changed THEN old_name END AS old_name,
       CASE WHEN changed THEN brand END AS brand, CASE WHEN changed THEN old_brand END AS old_brand,
       CASE WHEN changed THEN url END AS url, CASE WHEN changed THEN image_url END AS image_url
FROM (
    SELECT *,
           new_price IS DISTINCT FROM old_price OR new_status <> old_status OR category_id <> old_category_id
               OR list_price IS DISTINCT FROM old_list_price OR name <> old_name OR url <> old_url
               OR brand <> old_brand OR image_url <> old_image_url
               OR old_lowest_price_until IS NULL OR old_lowest_price_until <= %(now)s AS changed
    FROM (
        SELECT *, implausible IS NOT NULL AND quarantine_verdict IS NULL AS held,
               CASE WHEN implausible IS NOT NULL AND coalesce(quarantine_verdict, 'rejected') = 'rejected'
                    THEN old_price
                    ELSE coalesce(shown_price, old_price) END AS new_price,
               CASE WHEN in_stock THEN 'active' ELSE 'out_of_stock' END AS new_status
        FROM quarantined
        OFFSET 0
    ) r
    OFFSET 0
) c
-- In the order of the products in their table, so that the updates go from page to page.
ORDER BY product_id
"""

HOLD = """
INSERT INTO products_quarantinedprice
    (code, name, product_id, price, known_price, list_price, reason, status, run_id, observed_at)
SELECT code, name, product_id, shown_price, old_price, list_price, implausible, 'held', %(run)s, observed_at
FROM seen WHERE held
"""

# A held price is settled by the next sight of its product: the same price confirms it, any other sends it away.
SETTLE = """
UPDATE products_quarantinedprice q
SET status = CASE WHEN s.shown_price = q.price THEN 'confirmed' ELSE 'gone' END, decided_at = %(now)s
FROM seen s
WHERE q.status = 'held' AND q.run_id <> %(run)s AND s.code = q.code AND NOT s.absent AND s.shown_price IS NOT NULL
"""

# The open span ends where the product was last seen at its old price.
CLOSE_SPANS = """
UPDATE products_pricespan sp SET last_seen_at = greatest(s.old_last_seen_at, sp.observed_at)
FROM seen s
WHERE sp.product_id = s.product_id AND sp.last_seen_at IS NULL AND s.changed AND NOT s.absent
  AND (s.new_price IS DISTINCT FROM s.old_price OR s.old_status = 'delisted')
"""

# The lowest price is kept anew when the spans changed, and when it has left the window.
CHANGE_PRODUCTS = f"""
UPDATE products_product p
SET name = s.name, brand = s.brand, url = s.url, image_url = s.image_url, category_id = s.category_id,
    status = s.new_status, list_price = s.list_price, price = s.new_price,
    previous_price = CASE WHEN s.new_price IS DISTINCT FROM s.old_price THEN s.old_price ELSE p.previous_price END,
    price_changed_at = CASE WHEN s.new_price IS DISTINCT FROM s.old_price AND s.old_price IS NOT NULL
                            THEN s.observed_at ELSE p.price_changed_at END,
    last_seen_at = greatest(s.observed_at, p.last_seen_at), misses = 0, delisted_at = NULL,
    (lowest_price, lowest_price_until) = (
        {KEPT_LOWEST_PRICE.format(product="p", since="%(lowest_since)s")}
    )
FROM seen s
WHERE p.id = s.product_id AND NOT s.absent AND s.old_status IS NOT NULL AND s.changed
"""  # noqa: S608 - constants only

# Most products are unchanged, and only seen once more; each row is written once, or its page would overflow. The price
# is named because PostgreSQL (18) examines the definitions of generated columns for every row when an update sets none
# of the columns they depend on, which takes longer than the update.
SEE_PRODUCTS = """
UPDATE products_product p SET last_seen_at = greatest(s.observed_at, p.last_seen_at), misses = 0, price = p.price
FROM seen s WHERE p.id = s.product_id AND NOT s.absent AND NOT s.changed
"""

# A product whose first price is held or unreadable waits for a run with a price to believe.
INSERT_PRODUCTS = f"""
WITH born AS (
    INSERT INTO products_product
        (product_id, name, brand, category_id, url, image_url, status, price, list_price, first_seen_at, last_seen_at,
         lowest_price, lowest_price_until, misses, note)
    SELECT code, name, brand, category_id, url, image_url, new_status, new_price, list_price, observed_at, observed_at,
           new_price, {FOREVER}, 0, ''
    FROM seen WHERE product_id IS NULL AND NOT absent AND new_price IS NOT NULL
    RETURNING id, product_id
)
UPDATE seen s SET product_id = born.id FROM born WHERE born.product_id = s.code
"""  # noqa: S608 - constants only

OPEN_SPANS = """
INSERT INTO products_pricespan (product_id, price, observed_at)
SELECT product_id, new_price, observed_at FROM seen
WHERE product_id IS NOT NULL AND changed AND NOT absent AND new_price IS NOT NULL
  AND (new_price IS DISTINCT FROM old_price OR old_status = 'delisted')
"""

# The first complete walk over a category is its baseline: goods found then are not news.
EVENTS = """
INSERT INTO products_priceevent (product_id, run_id, kind, old_price, new_price, created_at)
SELECT s.product_id, %(run)s, e.kind, s.old_price, s.new_price, s.observed_at
FROM seen s
JOIN products_category c ON c.id = s.category_id
CROSS JOIN LATERAL (VALUES
    ('new', s.old_status IS NULL AND c.last_complete_at IS NOT NULL),
    ('increase', s.new_price > s.old_price),
    ('decrease', s.new_price < s.old_price),
    ('relisted', s.old_status = 'delisted'),
    ('out_of_stock', s.old_status = 'active' AND s.new_status = 'out_of_stock'),
    ('back_in_stock', s.old_status = 'out_of_stock' AND s.new_status = 'active')
) AS e(kind, happened)
WHERE e.happened AND s.product_id IS NOT NULL AND s.changed AND NOT s.absent
  -- Most products are unchanged: this spares them the comparison with each kind.
  AND (s.old_status IS DISTINCT FROM s.new_status OR s.old_price IS DISTINCT FROM s.new_price)
ON CONFLICT (product_id, run_id, kind) DO NOTHING
"""

# OFFSET 0, or the haystack would be computed again for each use inside momo_grams.
UPDATE_SEARCH = """
INSERT INTO products_productsearch (product_id, haystack, grams)
SELECT product_id, haystack, momo_grams(haystack)
FROM (
    SELECT product_id, momo_haystack(name, brand, code) AS haystack
    FROM seen
    WHERE product_id IS NOT NULL AND changed AND NOT absent
      AND (old_status IS NULL OR name <> old_name OR brand <> old_brand)
    OFFSET 0
) AS texts
ON CONFLICT (product_id) DO UPDATE SET haystack = excluded.haystack, grams = excluded.grams
"""

# New entries wait in the pending list of the GIN index, which every search reads to its end; merged all at once they
# cost a tenth of single insertions.
MERGE_SEARCH = "SELECT gin_clean_pending_list('productsearch_grams')"

# Products on sale whose home category was walked to its end without them.
COUNT_MISSING = """
UPDATE products_categoryresult r SET missing = k.known - coalesce(f.found, 0)
FROM (
    SELECT category_id, count(*) AS known FROM products_product WHERE status <> 'delisted' GROUP BY category_id
) k
LEFT JOIN (
    SELECT old_category_id, count(*) AS found FROM seen WHERE NOT absent AND old_status <> 'delisted' GROUP BY 1
) f ON f.old_category_id = k.category_id
WHERE r.run_id = %(run)s AND r.category_id = k.category_id AND k.known > coalesce(f.found, 0)
"""

MARK_SUSPECTS = """
UPDATE products_categoryresult r
SET suspect = TRUE,
    message = CASE WHEN r.outcome IN ('complete', 'empty')
                   THEN format('%%s 件商品中有 %%s 件未見，超過 %%s%%%%；不判定下架。',
                               k.known, r.missing, %(missing_percent)s)
                   ELSE r.message END
FROM (
    SELECT r2.id, count(p.id) AS known
    FROM products_categoryresult r2
    LEFT JOIN products_product p ON p.category_id = r2.category_id AND p.status <> 'delisted'
    WHERE r2.run_id = %(run)s AND (r2.outcome NOT IN ('complete', 'empty') OR r2.missing >= %(min_missing)s)
    GROUP BY r2.id
) k
WHERE r.id = k.id
  AND (r.outcome NOT IN ('complete', 'empty') OR r.missing * 100 > k.known * %(missing_percent)s)
"""

# A miss needs both: a complete, unsuspicious list without the product, and a product page that does not know it.
COUNT_MISSES = """
UPDATE products_product p SET misses = p.misses + 1
FROM seen s
WHERE p.id = s.product_id AND s.absent AND p.status <> 'delisted'
  AND p.category_id IN (SELECT category_id FROM products_categoryresult
                        WHERE run_id = %(run)s AND outcome IN ('complete', 'empty') AND NOT suspect)
"""

DELIST = """
WITH gone AS (
    UPDATE products_product p SET status = 'delisted', delisted_at = %(now)s, lowest_price_until = NULL
    FROM seen s
    WHERE p.id = s.product_id AND s.absent AND p.status <> 'delisted' AND p.misses >= %(delist_after)s
      AND p.category_id IN (SELECT category_id FROM products_categoryresult
                            WHERE run_id = %(run)s AND outcome IN ('complete', 'empty') AND NOT suspect)
    RETURNING p.id, p.price, p.last_seen_at
), closed AS (
    UPDATE products_pricespan sp SET last_seen_at = greatest(gone.last_seen_at, sp.observed_at)
    FROM gone WHERE sp.product_id = gone.id AND sp.last_seen_at IS NULL
)
INSERT INTO products_priceevent (product_id, run_id, kind, old_price, new_price, created_at)
SELECT id, %(run)s, 'delisted', price, NULL, %(now)s FROM gone
ON CONFLICT (product_id, run_id, kind) DO NOTHING
"""

COUNTS = """
SELECT count(*) FILTER (WHERE kind = 'new'), count(*) FILTER (WHERE kind = 'increase'),
       count(*) FILTER (WHERE kind = 'decrease'), count(*) FILTER (WHERE kind = 'delisted'),
       count(*) FILTER (WHERE kind = 'relisted'), count(*) FILTER (WHERE kind = 'out_of_stock'),
       count(*) FILTER (WHERE kind = 'back_in_stock'),
       (SELECT count(*) FROM seen WHERE NOT absent), (SELECT count(*) FROM seen WHERE held)
FROM products_priceevent WHERE run_id = %(run)s
"""


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
            _carry_out(cursor, run_id, now)
            _finish(cursor, run, now)
        transaction.on_commit(forget_counts)
        notify_soon()
    return True


def _carry_out(cursor: CursorWrapper, run_id: int, now: datetime) -> None:
    values = {
        "run": run_id,
        "now": now,
        "list_percent": settings.QUARANTINE_LIST_PERCENT,
        "jump_percent": settings.QUARANTINE_JUMP_PERCENT,
        "missing_percent": settings.CRAWL_MAX_MISSING_PERCENT,
        "min_missing": settings.CRAWL_MIN_MISSING,
        "delist_after": settings.DELIST_AFTER_MISSES,
        "lowest_since": window_start(now),
    }
    # The rows just stored are in no statistics yet: PostgreSQL would choose a nested loop over the products.
    cursor.execute("SET LOCAL enable_nestloop = off")
    cursor.execute(SEEN, values)
    cursor.execute("SET LOCAL enable_nestloop = on")
    for statement in (
        SETTLE,
        HOLD,
        COUNT_MISSING,
        MARK_SUSPECTS,
        CLOSE_SPANS,
        INSERT_PRODUCTS,
        OPEN_SPANS,
        CHANGE_PRODUCTS,
        SEE_PRODUCTS,
        EVENTS,
        COUNT_MISSES,
        DELIST,
    ):
        cursor.execute(statement, values)
    cursor.execute(UPDATE_SEARCH)
    if cursor.rowcount:
        cursor.execute(MERGE_SEARCH)


def _finish(cursor: CursorWrapper, run: CrawlRun, now: datetime) -> None:
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
    results = list(CategoryResult.objects.filter(run=run).select_related("category").order_by("category__code"))
    suspects = [result for result in results if result.suspect]
    good = [result for result in results if result.outcome in COMPLETE and not result.suspect]
    Category.objects.filter(pk__in=[result.category_id for result in good]).update(last_complete_at=now)
    if not suspects:
        run.verdict, run.message = CrawlRun.Verdict.OK, ""
    else:
        run.verdict = CrawlRun.Verdict.SUSPECT if good or run.seen else CrawlRun.Verdict.FAILED
        run.message = _describe_suspects(suspects, len(results))
    _raise_alert(run, suspects, good, now)
    run.status, run.finished_at, run.heartbeat_at = CrawlRun.Status.APPLIED, now, now
    run.save()
    cursor.execute("DROP TABLE seen")


def _describe_suspects(suspects: list[CategoryResult], of: int) -> str:
    """One line with the names of the first categories and their reasons."""
    named = "；".join(
        f"{result.category.name}（{result.message or result.get_outcome_display()}）" for result in suspects[:3]
    )
    more = f"；另有 {len(suspects) - 3} 個分類" if len(suspects) > 3 else ""
    return f"{of} 個分類中有 {len(suspects)} 個可疑，這些分類不判定下架：{named}{more}"


def _raise_alert(run: CrawlRun, suspects: list[CategoryResult], good: list[CategoryResult], now: datetime) -> None:
    """One alert for categories that became suspect.

    A category leaves an open alert when it is good again or no longer crawled; the alert ends with its last one.
    """
    alerted: set[str] = set()
    good_codes = {result.category.code for result in good}
    crawled = set(Category.objects.filter(enabled=True).values_list("code", flat=True))
    for alert in Alert.objects.select_for_update().filter(resolved_at=None):
        waiting = [code for code in alert.category_codes if code in crawled - good_codes]
        if waiting:
            alert.category_codes = waiting
            alerted |= set(waiting)
        elif good_codes or alert.category_codes:
            alert.resolved_at = now
        alert.save(update_fields=["category_codes", "resolved_at"])
    fresh = [result for result in suspects if result.category.code not in alerted]
    if fresh:
        Alert.objects.create(
            kind=Alert.Kind.SUSPECT,
            run=run,
            category_codes=[result.category.code for result in fresh],
            message=f"爬取 #{run.pk}：{run.message}",
            created_at=now,
        )

"""The delisting guard: what of a run is suspect, where delistings wait, and how waiting ends.

Statements keep what is known of goods that their category does not list (`Unlisted`). Results of categories are few and
are judged here, one by one. A category waits while too many of its goods are missing, or its list is empty of a sudden,
or product pages do not answer. The wait ends with goods that are found, with equal findings in CRAWL_SUSPECT_RUNS runs
(of the category, or of one product whose page says each time that it is gone), or with a person (`confirm_gone`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.db.models import Count

from momo.core.thresholds import thresholds
from products.models import CategoryResult, CrawlError, CrawlRun, Product

WALKED = (CategoryResult.Outcome.COMPLETE, CategoryResult.Outcome.EMPTY)
EXAMPLES = 3  # of prices that cannot be read, a category
# A category that listed goods is never believed to be empty at once.
EMPTY_OF_A_SUDDEN = "這個分類上次有 {seen} 件商品，這次一件也沒有列出；暫不算下架"
STILL_EMPTY = "這個分類仍然一件商品也沒有列出；暫不算下架"
MISSING = "{known} 件商品中有 {missing} 件未見，超過 {percent}%；暫不算下架"
NOTHING_SEEN = "這次沒有看到任何商品，{missing} 件未見；暫不算下架"
NO_ANSWER = "商品頁沒有正常回應，沒有列出的商品無法確認；暫不算下架"
UNREAD = "{seen} 件商品中有 {unread} 件的售價讀不到{examples}"

# Goods on a list are found, whatever was known of them.
FORGET_LISTED = """
DELETE FROM products_unlisted u
USING seen s WHERE s.product_id = u.product_id AND NOT s.absent AND s.source = 'list'
"""

# Products on sale whose home category was walked to its end without them. Pages that say "missing" while pages of goods
# that are on sale do not open prove nothing.
NOTE_UNLISTED = """
INSERT INTO products_unlisted AS u (product_id, since, word, asked_at, times, missing)
SELECT n.id, %(now)s, n.word, CASE WHEN n.word <> 'unasked' THEN %(now)s::timestamptz END,
       CASE WHEN n.word = 'missing' THEN 1 ELSE 0 END, n.word <> 'alive'
FROM (
    SELECT p.id, CASE WHEN s.product_id IS NULL THEN 'unasked'
                      WHEN s.source = 'fail' OR (s.absent AND r.pages_answer IS FALSE) THEN 'failed'
                      WHEN s.absent THEN 'missing'
                      ELSE 'alive' END AS word
    FROM products_categoryresult r
    JOIN products_product p ON p.category_id = r.category_id
    LEFT JOIN seen s ON s.product_id = p.id
    WHERE r.run_id = %(run)s AND r.outcome IN ('complete', 'empty') AND p.status <> 'delisted'
      AND (s.product_id IS NULL OR s.source <> 'list')
) n
ON CONFLICT (product_id) DO UPDATE
SET word = excluded.word, asked_at = excluded.asked_at,
    times = CASE excluded.word WHEN 'missing' THEN u.times + 1 WHEN 'alive' THEN 0 ELSE u.times END,
    missing = CASE excluded.word WHEN 'alive' THEN FALSE WHEN 'missing' THEN TRUE ELSE u.missing END
WHERE excluded.word <> 'unasked'
"""

FINDINGS = """
SELECT r.id, coalesce(m.missing, 0), coalesce(u.unread, 0)
FROM products_categoryresult r
LEFT JOIN (
    SELECT p.category_id, count(*) AS missing
    FROM products_unlisted n JOIN products_product p ON p.id = n.product_id
    WHERE n.missing AND p.status <> 'delisted' GROUP BY 1
) m ON m.category_id = r.category_id AND r.outcome IN ('complete', 'empty')
LEFT JOIN (
    SELECT category_id, count(*) AS unread
    FROM seen WHERE NOT absent AND shown_price IS NULL AND source = 'list' GROUP BY 1
) u ON u.category_id = r.category_id
WHERE r.run_id = %(run)s
"""

# A miss needs both: a believed list without the product, and a product page that does not know it. The page alone ends
# the period for which the price is known.
COUNT_MISSES = """
WITH missed AS (
    UPDATE products_product p
    SET misses = p.misses + (p.category_id = ANY(%(believed)s))::integer, price_shown = FALSE, lowest_price_until = NULL
    FROM seen s
    WHERE p.id = s.product_id AND s.absent AND s.source <> 'fail' AND p.status <> 'delisted'
      AND p.category_id = ANY(%(counting)s)
    RETURNING p.id, p.product_id, p.last_seen_at
), interrupted AS (
    UPDATE products_quarantinedprice q SET interrupted = TRUE
    FROM missed WHERE q.code = missed.product_id AND q.status = 'held'
)
UPDATE products_pricespan sp SET last_seen_at = greatest(missed.last_seen_at, sp.observed_at)
FROM missed WHERE sp.product_id = missed.id AND sp.last_seen_at IS NULL
"""

# Missed often enough while its category was believed, or called missing by its own page in as many runs as end a wait.
MISSED_OFTEN_ENOUGH = """
FROM seen s JOIN products_unlisted n ON n.product_id = s.product_id
WHERE p.id = s.product_id AND s.absent AND s.source <> 'fail' AND p.status <> 'delisted'
  AND ((p.category_id = ANY(%(believed)s) AND p.misses >= %(delist_after)s)
       OR (p.category_id = ANY(%(counting)s) AND n.times >= %(suspect_runs)s))
"""

# Delists the products of the condition, with one event each. A held price of something that is gone is settled too.
DELIST = """
WITH gone AS (
    UPDATE products_product p
    SET status = 'delisted', delisted_at = %(now)s, price_shown = FALSE, lowest_price_until = NULL
    {condition}
    RETURNING p.id, p.product_id, p.price, p.last_seen_at
), closed AS (
    UPDATE products_pricespan sp SET last_seen_at = greatest(gone.last_seen_at, sp.observed_at)
    FROM gone WHERE sp.product_id = gone.id AND sp.last_seen_at IS NULL
), settled AS (
    UPDATE products_quarantinedprice q SET status = 'gone', decided_at = %(now)s
    FROM gone WHERE q.code = gone.product_id AND q.status = 'held'
), forgotten AS (
    DELETE FROM products_unlisted u USING gone WHERE u.product_id = gone.id
)
INSERT INTO products_priceevent (product_id, run_id, kind, old_price, new_price, created_at)
SELECT id, %(run)s, 'delisted', price, NULL, %(now)s FROM gone
ON CONFLICT (product_id, run_id, kind) DO NOTHING
"""

# What a believed walk did not list, and no page explains, is the new state of the category.
ACCEPT_UNLISTED = """
UPDATE products_unlisted u SET missing = FALSE
FROM products_product p
WHERE p.id = u.product_id AND u.missing AND u.word IN ('failed', 'unasked') AND p.category_id = ANY(%(believed)s)
"""


@dataclass
class Judged:
    """The judged results of a run.

    `believed` are the categories whose missing goods are delisted as usual, `counting` those whose missing pages prove
    something: the believed ones, and waiting ones while product pages answer.
    """

    results: Sequence[CategoryResult]
    believed: list[int] = field(default_factory=list)
    counting: list[int] = field(default_factory=list)


def judge_run(cursor: CursorWrapper, run: CrawlRun, values: Mapping[str, Any]) -> Judged:
    """Store findings and verdict of each category of a run; `values` are those of its statements."""
    cursor.execute(FORGET_LISTED, values)
    cursor.execute(NOTE_UNLISTED, values)
    cursor.execute(FINDINGS, values)
    found = {pk: (missing, unread) for pk, missing, unread in cursor.fetchall()}
    results = list(CategoryResult.objects.filter(run=run).select_related("category").order_by("category__code"))
    for result in results:
        result.missing, result.unread = found[result.pk]
    _count_known(results)
    cursor.execute("SELECT EXISTS (SELECT FROM seen WHERE NOT absent)")
    (anything_seen,) = cursor.fetchone()
    judged = Judged(results)
    unread_anywhere = _too_many_unread(results)
    for result in results:
        _judge(result, anything_seen=anything_seen, unread_anywhere=unread_anywhere)
        if result.outcome in WALKED and result.pages_answer is not False:
            if not result.waits:
                judged.believed.append(result.category_id)
            if not result.waits or result.pages_answer:
                judged.counting.append(result.category_id)
    changed = [result for result in results if result.suspect or result.missing or result.unread]
    CategoryResult.objects.bulk_update(changed, ["missing", "known", "unread", "suspect", "waits", "message"])
    return judged


def delist_missing(cursor: CursorWrapper, judged: Judged, values: Mapping[str, Any]) -> None:
    """Count misses, delist what was missed often enough, and take the believed walks as the new state."""
    found: dict[str, Any] = {
        **values,
        "believed": judged.believed,
        "counting": judged.counting,
        "delist_after": thresholds.DELIST_AFTER_MISSES,
        "suspect_runs": max(thresholds.CRAWL_SUSPECT_RUNS, thresholds.DELIST_AFTER_MISSES),
    }
    cursor.execute(COUNT_MISSES, found)
    cursor.execute(DELIST.format(condition=MISSED_OFTEN_ENOUGH), found)
    cursor.execute(ACCEPT_UNLISTED, found)


def _count_known(results: Iterable[CategoryResult]) -> None:
    """Products on sale of the categories in which some are missing."""
    missing = [result for result in results if result.missing]
    if not missing:
        return
    on_sale = Product.objects.exclude(status=Product.Status.DELISTED)
    rows = on_sale.filter(category__in=[result.category_id for result in missing]).order_by().values("category")
    known = dict(rows.annotate(n=Count("*")).values_list("category", "n"))
    for result in missing:
        result.known = known.get(result.category_id, 0)


def _judge(result: CategoryResult, *, anything_seen: bool, unread_anywhere: bool) -> None:
    """Set `suspect`, `waits` and `message` of one result."""
    reasons = []
    if result.outcome not in WALKED:
        result.waits = True
        reasons.append(result.message)
    elif result.pages_answer is False:
        result.waits = True
        reasons.append(f"{NO_ANSWER}（{result.message}）" if result.message else NO_ANSWER)
    elif (doubt := _doubt(result, anything_seen=anything_seen)) is not None:
        result.waits = True
        reasons.append(doubt)
    if result.unread and (unread_anywhere or _too_many_unread([result])):
        texts = "、".join(f"「{text}」" for text in _unread_texts(result))
        examples = f"，例如{texts}" if texts else ""
        reasons.append(UNREAD.format(seen=max(result.seen, result.unread), unread=result.unread, examples=examples))
    if reasons:
        result.suspect = True
        result.message = "；".join(filter(None, reasons))


def _doubt(result: CategoryResult, *, anything_seen: bool) -> str | None:
    """Why a list that was walked to its end is not believed; None if it is, or was the same often enough."""
    if result.missing and not anything_seen and not result.pages_answer:
        # No evidence, however few goods are missing and however often that is repeated.
        return NOTHING_SEEN.format(missing=result.missing)
    doubt = None
    percent = thresholds.CRAWL_MAX_MISSING_PERCENT
    if result.missing >= thresholds.CRAWL_MIN_MISSING and result.missing * 100 > result.known * percent:
        doubt = MISSING.format(known=result.known, missing=result.missing, percent=percent)
    if doubt is None and result.outcome != CategoryResult.Outcome.EMPTY:
        return None
    before = _walks_before(result)
    if doubt is None:
        doubt = _sudden_emptiness(result, before)
    return None if _equal_walks(result, before) + 1 >= thresholds.CRAWL_SUSPECT_RUNS else doubt


def _walks_before(result: CategoryResult) -> list[CategoryResult]:
    """The last walks over the same category while product pages answered, newest first."""
    walks = CategoryResult.objects.filter(
        category=result.category_id, run__lt=result.run_id, run__status=CrawlRun.Status.APPLIED, outcome__in=WALKED
    ).exclude(pages_answer=False)
    return list(walks.select_related("run").order_by("-run_id")[: max(1, thresholds.CRAWL_SUSPECT_RUNS - 1)])


def _equal_walks(result: CategoryResult, before: Sequence[CategoryResult]) -> int:
    """How many of the walks just before found about the same, and were not believed."""
    number = 0
    for walk in before:
        difference = abs(walk.missing - result.missing) * 100
        near = difference <= max(walk.known, result.known) * thresholds.CRAWL_MAX_MISSING_PERCENT
        if not walk.waits or walk.outcome != result.outcome or not near:
            break
        number += 1
    return number


def _sudden_emptiness(result: CategoryResult, before: Sequence[CategoryResult]) -> str | None:
    """The doubt about an empty list whose goods are all explained by their pages."""
    last = next(iter(before), None)
    if last is None or _is_confirmed(result, last.run.finished_at):
        return None
    if last.outcome == CategoryResult.Outcome.EMPTY:
        return STILL_EMPTY if last.waits else None
    return EMPTY_OF_A_SUDDEN.format(seen=last.seen) if last.seen >= thresholds.CRAWL_MIN_MISSING else None


def _is_confirmed(result: CategoryResult, since: datetime | None) -> bool:
    confirmed = result.category.gone_confirmed_at
    return confirmed is not None and since is not None and confirmed >= since


def _too_many_unread(results: Sequence[CategoryResult]) -> bool:
    """Whether too many of the listed goods have no readable price: a share of them, or all of few."""
    unread = sum(result.unread for result in results)
    listed = max(unread, sum(result.seen for result in results))
    many = unread >= thresholds.CRAWL_MIN_MISSING and unread * 100 > listed * thresholds.CRAWL_MAX_UNREAD_PERCENT
    return many or 0 < unread == listed


def _unread_texts(result: CategoryResult) -> list[str]:
    """Some of the texts that stood in place of a price."""
    errors = CrawlError.objects.filter(
        run=result.run_id, kind=CrawlError.Kind.PRICE, category_code=result.category.code
    ).exclude(value="")
    return list(errors.order_by("value").values_list("value", flat=True).distinct()[:EXAMPLES])

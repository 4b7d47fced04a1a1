"""The statements that apply a run, in the order of `services.apply`.

Every decision is made in one temporary table (`seen`, a row for each goods code); the later statements only carry it
out.
"""

from __future__ import annotations

from products.selectors.lowest import FOREVER, KEPT_LOWEST_PRICE

# A moving price that is implausible each time is believed at its third sight in a row, each close to the one before.
LEVEL_SIGHTS = 3

# One row for each code: seen wins over absent, a readable price over none, a list over the page, the home category over
# others. A product leaves its home category only when that was walked to its end without the product, or is switched
# off: a category that was blocked, or is no part of this run, has not lost it.
#
# `implausible` is the reason to doubt a price; `verdict` is what quarantine says of it: a price held before is believed
# now, a rejected one is refused, and "level" is a price close to those held in the last two sights. `believed` is the
# price that was shown and is believed, or null: then no span covers this sight. `begun` is when a believed price was
# first seen, `unbroken` whether nothing else was seen since.
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
           o.absent, o.source, o.observed_at, p.id AS product_id, p.price AS old_price, p.status AS old_status,
           p.last_seen_at AS old_last_seen_at, p.name AS old_name, p.brand AS old_brand,
           p.category_id AS old_category_id, p.url AS old_url, p.image_url AS old_image_url,
           p.list_price AS old_list_price, p.lowest_price_until AS old_lowest_price_until,
           p.price_shown AS old_shown, p.price_unread_since AS old_unread_since
    FROM products_observation o
    LEFT JOIN products_product p ON p.product_id = o.code
    -- Without the observations of a category that was deleted meanwhile.
    JOIN products_category c ON c.id = o.category_id
    WHERE o.run_id = %(run)s
    ORDER BY o.code COLLATE "C", o.absent, (o.price IS NULL), o.source, (o.category_id = p.category_id) DESC NULLS LAST,
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
    SELECT *,
           -- One value of four, so that quarantine is looked at once, and only for implausible prices.
           CASE WHEN implausible IS NOT NULL THEN (
               SELECT ARRAY[CASE WHEN q.price = shown_price THEN q.status
                                 WHEN q.sights + 1 >= %(level)s THEN 'level' END,
                            q.observed_at::text, q.sights::text, q.interrupted::text]
               FROM products_quarantinedprice q
               WHERE q.code = judged.code AND q.run_id <> %(run)s
                 AND ((q.price = shown_price
                       AND (q.status IN ('held', 'rejected') OR (q.status = 'accepted' AND product_id IS NULL)))
                      OR (q.status = 'held'
                          AND abs(shown_price - q.price)::bigint * 100 <= q.price::bigint * %(jump_percent)s
                          -- Whoever refused a price of this level is to decide on the next one as well.
                          AND NOT EXISTS (SELECT FROM products_quarantinedprice r
                                          WHERE r.code = q.code AND r.status = 'rejected'
                                            AND abs(r.price - q.price)::bigint * 100
                                                <= q.price::bigint * %(jump_percent)s)))
               ORDER BY (q.price = shown_price) DESC, q.id DESC LIMIT 1
           ) END AS quarantine
    FROM judged
    OFFSET 0
), known AS (
    SELECT *, quarantine[1] AS verdict, quarantine[2]::timestamptz AS held_at, quarantine[3]::integer AS old_sights,
           quarantine[4]::boolean AS interrupted
    FROM quarantined
)
-- OFFSET 0 keeps PostgreSQL from computing a level's columns again for each use. Texts only where they are written.
SELECT code, category_id, shown_price, believed, new_price, list_price, in_stock, absent, source, observed_at,
       implausible, held, sights, begun, unbroken, changed, product_id, old_price, old_status, new_status, old_shown,
       new_unread_since, old_last_seen_at, old_category_id,
       CASE WHEN changed OR held THEN name END AS name, CASE WHEN changed THEN old_name END AS old_name,
       CASE WHEN changed THEN brand END AS brand, CASE WHEN changed THEN old_brand END AS old_brand,
       CASE WHEN changed THEN url END AS url, CASE WHEN changed THEN image_url END AS image_url
FROM (
    SELECT *, coalesce(believed, old_price) AS new_price,
           believed IS DISTINCT FROM CASE WHEN old_shown THEN old_price END
               OR new_unread_since IS DISTINCT FROM old_unread_since
               OR new_status <> old_status OR category_id <> old_category_id
               OR list_price IS DISTINCT FROM old_list_price OR name <> old_name OR url <> old_url
               OR brand <> old_brand OR image_url <> old_image_url
               OR old_lowest_price_until IS NULL OR old_lowest_price_until <= %(now)s AS changed
    FROM (
        SELECT *, implausible IS NOT NULL AND verdict IS NULL AS held, coalesce(old_sights, 0) + 1 AS sights,
               CASE WHEN implausible IS NULL OR verdict IN ('held', 'accepted', 'level')
                    THEN shown_price END AS believed,
               CASE WHEN verdict IN ('held', 'accepted') THEN held_at ELSE observed_at END AS begun,
               verdict IS NULL OR verdict = 'level' OR NOT interrupted AS unbroken,
               -- A page of something sold out need not show a price: that is no price that cannot be read.
               CASE WHEN shown_price IS NULL AND (in_stock OR source = 'list')
                    THEN coalesce(old_unread_since, observed_at)
                    WHEN shown_price IS NULL THEN old_unread_since END AS new_unread_since,
               CASE WHEN in_stock THEN 'active' ELSE 'out_of_stock' END AS new_status
        FROM known
        OFFSET 0
    ) r
    OFFSET 0
) c
-- In the order of the products in their table, so that the updates go from page to page.
ORDER BY product_id
"""

HOLD = """
INSERT INTO products_quarantinedprice
    (code, name, product_id, price, known_price, list_price, reason, status, run_id, observed_at, sights)
SELECT code, name, product_id, shown_price, old_price, list_price, implausible, 'held', %(run)s, observed_at, sights
FROM seen WHERE held
"""

# A held price is settled by the next price that is read of its product: the same one confirms it, any other sends it
# away. A sight without a price in between ends the period for which it is known.
SETTLE = """
UPDATE products_quarantinedprice q
SET status = CASE WHEN s.shown_price IS NULL THEN q.status
                  WHEN s.shown_price = q.price THEN 'confirmed' ELSE 'gone' END,
    decided_at = CASE WHEN s.shown_price IS NOT NULL THEN %(now)s::timestamptz END,
    interrupted = q.interrupted OR s.shown_price IS NULL
FROM seen s
WHERE q.status = 'held' AND q.run_id <> %(run)s AND s.code = q.code AND NOT s.absent
"""

# The open span ends where the product was last seen, which was at its old price.
CLOSE_SPANS = """
UPDATE products_pricespan sp SET last_seen_at = greatest(s.old_last_seen_at, sp.observed_at)
FROM seen s
WHERE sp.product_id = s.product_id AND sp.last_seen_at IS NULL AND s.changed AND NOT s.absent
  AND s.old_shown AND s.believed IS DISTINCT FROM s.old_price
"""

# The one rule of when a price takes effect, for runs and for decisions of users: from when it was first seen, and
# until now if nothing else was seen since. Otherwise the first sight is a span of its own, and the second (null in a
# decision) begins another. The source names the columns that stand here.
OPEN_SPANS = """
INSERT INTO products_pricespan (product_id, price, observed_at, last_seen_at)
SELECT t.product_id, t.price, span.observed_at, span.last_seen_at
FROM ({source}) AS t (product_id, price, begun, seen_again, unbroken)
CROSS JOIN LATERAL (
    SELECT t.begun, CASE WHEN NOT t.unbroken THEN t.begun END
    UNION ALL SELECT t.seen_again, NULL WHERE NOT t.unbroken AND t.seen_again IS NOT NULL
) AS span (observed_at, last_seen_at)
"""
OPEN_SEEN_SPANS = OPEN_SPANS.format(
    source="""
    SELECT product_id, believed, begun, observed_at, unbroken FROM seen
    WHERE product_id IS NOT NULL AND changed AND NOT absent AND believed IS NOT NULL
      AND (believed IS DISTINCT FROM old_price OR NOT old_shown)"""
)

# The lowest price is kept anew when the spans changed, and when it has left the window.
CHANGE_PRODUCTS = f"""
UPDATE products_product p
SET name = s.name, brand = s.brand, url = s.url, image_url = s.image_url, category_id = s.category_id,
    status = s.new_status, list_price = s.list_price, price = s.new_price, price_shown = s.believed IS NOT NULL,
    price_unread_since = s.new_unread_since,
    previous_price = CASE WHEN s.new_price IS DISTINCT FROM s.old_price THEN s.old_price ELSE p.previous_price END,
    price_changed_at = CASE WHEN s.new_price IS DISTINCT FROM s.old_price AND s.old_price IS NOT NULL
                            THEN s.begun ELSE p.price_changed_at END,
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
    SELECT code, name, brand, category_id, url, image_url, new_status, believed, list_price, begun, observed_at,
           believed, {FOREVER}, 0, ''
    FROM seen WHERE product_id IS NULL AND NOT absent AND believed IS NOT NULL
    RETURNING id, product_id
)
UPDATE seen s SET product_id = born.id FROM born WHERE born.product_id = s.code
"""  # noqa: S608 - constants only

# The first complete walk over a category is its baseline: goods found then are not news. An event names the price that
# was shown, none if that is not known.
EVENTS = """
INSERT INTO products_priceevent (product_id, run_id, kind, old_price, new_price, created_at)
SELECT s.product_id, %(run)s, e.kind, s.old_price, s.believed, s.observed_at
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

COUNTS = """
SELECT count(*) FILTER (WHERE kind = 'new'), count(*) FILTER (WHERE kind = 'increase'),
       count(*) FILTER (WHERE kind = 'decrease'), count(*) FILTER (WHERE kind = 'delisted'),
       count(*) FILTER (WHERE kind = 'relisted'), count(*) FILTER (WHERE kind = 'out_of_stock'),
       count(*) FILTER (WHERE kind = 'back_in_stock'),
       (SELECT count(*) FROM seen WHERE NOT absent), (SELECT count(*) FROM seen WHERE held)
FROM products_priceevent WHERE run_id = %(run)s
"""

"""Catalogues of any size with their past, made by SQL; names, brands and codes are the demo shop's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice

from django.db import connection

from momo.local.demo import load_categories
from momo.local.shop import Catalogue
from momo.local.shop.catalogue import generate
from products.models import Category

SPANS = 20  # of a product whose price ever changed; one in ten never did
_TABLES = ("products_product", "products_pricespan", "products_productsearch")

# Of 20 products one is delisted and one sold out; one in ten never changed its price, one in 20 did within a day. The
# shares are the same in each size, and spread by a hash, as the order of change is none of the table's.
_PRODUCTS = """
INSERT INTO products_product
    (product_id, name, brand, category_id, url, image_url, status, price, list_price, previous_price, price_changed_at,
     first_seen_at, last_seen_at, delisted_at, misses, note)
SELECT code, name, brand, category_id, 'https://www.momoshop.com.tw/product/' || code,
       'https://img4.momoshop.com.tw/goodsimg/' || code || '_L.webp', status, price, list_price,
       CASE WHEN changed_at IS NOT NULL THEN price * 100 / (85 + place %% 29 + (place %% 29 >= 15)::int) + 1 END,
       changed_at, now() - interval '400 days' + place %% 86400 * interval '1 second',
       CASE status WHEN 'delisted' THEN delisted_at - interval '6 hours' ELSE now() - interval '1 hour' END,
       CASE status WHEN 'delisted' THEN delisted_at END, 0, ''
FROM (
    SELECT m.*, CASE place %% 20 WHEN 3 THEN 'delisted' WHEN 4 THEN 'out_of_stock' ELSE 'active' END AS status,
           now() - place / 20 %% 200 * interval '1 day' - interval '2 days' AS delisted_at,
           CASE WHEN place / 20 %% 20 < 2 THEN NULL
                WHEN place %% 20 = 3 THEN now() - (place / 20 %% 200 + 3 + place / 97 %% 90) * interval '1 day'
                WHEN place / 20 %% 20 = 2 THEN now() - place / 400 %% 86000 * interval '1 second'
                ELSE now() - (86400 + place / 400 %% 12000000) * interval '1 second' END AS changed_at
    FROM (SELECT *, hashint4(number)::bigint + 2147483648 AS place FROM made) m
) n
ORDER BY number
"""

# One walk through time after another, as crawls write them: a product's spans lie far apart in the table.
_SPANS = """
INSERT INTO products_pricespan (product_id, price, observed_at, last_seen_at)
SELECT id,
       CASE back WHEN 0 THEN price WHEN 1 THEN previous_price
                 ELSE price * (80 + (id * 7 + back * 13) %% 40) / 100 + 1 END,
       began, CASE WHEN back > 0 THEN began + interval '10 days' - interval '2 hours'
                   WHEN status = 'delisted' THEN greatest(last_seen_at, began) END
FROM (
    SELECT p.*, %(back)s AS back, coalesce(price_changed_at, first_seen_at) - %(back)s * interval '10 days' AS began
    FROM products_product p
) p
WHERE %(back)s = 0 OR price_changed_at IS NOT NULL
"""

# As `apply_run` keeps it.
_LOWEST = """
UPDATE products_product p SET lowest_price = low.price, lowest_price_until = low.until
FROM (
    SELECT DISTINCT ON (product_id) product_id, price,
           coalesce(last_seen_at + interval '30 days', '9999-01-01') AS until
    FROM products_pricespan WHERE last_seen_at IS NULL OR last_seen_at >= now() - interval '30 days'
    ORDER BY product_id, price, last_seen_at DESC NULLS FIRST
) low
WHERE low.product_id = p.id AND p.status <> 'delisted'
"""

_WORDS = """
INSERT INTO products_productsearch (product_id, haystack, grams)
SELECT id, haystack, momo_grams(haystack)
FROM (SELECT id, momo_haystack(name, brand, product_id) AS haystack FROM products_product OFFSET 0) p
"""


def fill(size: int, *, spans: int = SPANS) -> None:
    """Fill the database in use with `size` products of about `spans` price spans each, with statistics."""
    catalogue = Catalogue(1, size)
    load_categories(catalogue)
    categories = dict(Category.objects.values_list("code", "pk"))
    with connection.cursor() as cursor:
        # The rows are right as they are made: foreign keys and the like need no second look.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(
            "CREATE UNLOGGED TABLE made (number int, code text, name text, brand text, category_id bigint, price int, "
            "list_price int)"
        )
        with cursor.copy("COPY made FROM STDIN") as copy:
            # Not kept by a catalogue: a large one would take much memory.
            for product in islice(generate(1, size, catalogue.categories), size):
                category = categories[product.categories[0]]
                price, brand = product.prices[0], product.brand
                copy.write_row((product.number, product.id, product.name, brand, category, price, product.list_price))
        with without_indexes():
            cursor.execute(_PRODUCTS, {})
            for back in reversed(range(spans)):
                cursor.execute(_SPANS, {"back": back})
            cursor.execute(_LOWEST)
            cursor.execute(_WORDS)
        cursor.execute("DROP TABLE made")
        cursor.execute("RESET session_replication_role")
        cursor.execute("RESET synchronous_commit")
        # As any writer but the one above leaves it: its triggers were off.
        cursor.execute("INSERT INTO products_catalogueversion (id, version) VALUES (1, gen_random_uuid())")
        for table in _TABLES:
            # As autovacuum leaves them: visible to all, with statistics.
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        cursor.execute("CHECKPOINT")


def touch() -> None:
    """A new version of the catalogue, as a change of any product makes it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE products_catalogueversion SET version = gen_random_uuid()")


@contextlib.contextmanager
def without_indexes() -> Iterator[None]:
    """Drop the indexes of the filled tables that no constraint needs, and build them anew after the block."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
            "WHERE i.indrelid = ANY(%s::regclass[]) "
            "AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
            [list(_TABLES)],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f"DROP INDEX {name}")
        yield
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in found:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")

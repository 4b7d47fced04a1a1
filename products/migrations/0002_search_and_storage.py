"""Functions of the search, and room in the pages of products for the update that every crawl brings."""

from django.db import migrations

HAYSTACK = """
CREATE FUNCTION momo_haystack(name text, brand text, code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(normalize(name || E'\\n' || brand || E'\\n' || code, NFKC))
"""

# Pieces of one and two characters; those with white space in them join nothing that anyone looks for.
GRAMS = """
CREATE FUNCTION momo_grams(haystack text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT coalesce(array_agg(DISTINCT piece), '{}')
    FROM (
        SELECT substr(haystack, place, size) AS piece, size
        FROM generate_series(1, char_length(haystack)) AS place, (VALUES (1), (2)) AS sizes(size)
    ) AS pieces
    WHERE char_length(piece) = size AND piece !~ '\\s'
)
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial")]

    operations = [
        migrations.RunSQL(HAYSTACK, "DROP FUNCTION momo_haystack(text, text, text)"),
        migrations.RunSQL(GRAMS, "DROP FUNCTION momo_grams(text)"),
        # last_seen_at moves with every crawl: half of each page is left free for it (HOT updates).
        migrations.RunSQL(
            "ALTER TABLE products_product SET (fillfactor = 50)", "ALTER TABLE products_product RESET (fillfactor)"
        ),
        migrations.RunSQL(
            "ALTER INDEX productsearch_grams SET (fastupdate = off)", "ALTER INDEX productsearch_grams RESET (fastupdate)"
        ),
    ]

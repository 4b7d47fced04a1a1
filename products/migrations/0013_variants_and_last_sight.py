"""Searches find a character by its variants too, and the catalogue has a new version when products are seen.

臺灣 is found by 台灣, and 檯燈 by 台燈. The pairs are those of `products.selectors.products.VARIANTS`; texts and searches
both use the second of each.
"""

from django.db import migrations

VARIANTS = "臺檯裏羣峯恒綫着爲麪衞牀啓衆祕汚汙鈎脚粘盃竈鷄猫塩傢週鍊砲痠"
COMMON = "台台裡群峰恆線著為麵衛床啟眾秘污污鉤腳黏杯灶雞貓鹽家周鏈炮酸"

HAYSTACK = f"""
CREATE OR REPLACE FUNCTION momo_haystack(name text, brand text, code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(lower(normalize(name || E'\\n' || brand || E'\\n' || code, NFKC)), '{VARIANTS}', '{COMMON}')
"""
BEFORE = """
CREATE OR REPLACE FUNCTION momo_haystack(name text, brand text, code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(normalize(name || E'\\n' || brand || E'\\n' || code, NFKC))
"""
# Only products that have such a character: few of 50,000. OFFSET 0, or the haystack would be computed again for each use.
AGAIN = f"""
UPDATE products_productsearch s SET haystack = t.haystack, grams = momo_grams(t.haystack)
FROM (
    SELECT id, momo_haystack(name, brand, product_id) AS haystack FROM products_product
    WHERE normalize(name || brand, NFKC) ~ '[{VARIANTS}]'
    OFFSET 0
) t
WHERE s.product_id = t.id
"""  # noqa: S608 - constants only
# Lists in the order of last_seen_at are kept for one version of the catalogue.
TRIGGER = """
CREATE OR REPLACE TRIGGER product_new_catalogue_version
AFTER INSERT OR DELETE
   OR UPDATE OF product_id, name, brand, category_id, price, previous_price, price_changed_at, status{more}
ON products_product FOR EACH STATEMENT EXECUTE FUNCTION momo_new_catalogue_version()
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0012_unread_prices")]

    operations = [
        # Backwards, the last operation comes first: the function is the old one when texts are written again.
        migrations.RunSQL(migrations.RunSQL.noop, AGAIN),
        migrations.RunSQL(HAYSTACK, BEFORE),
        migrations.RunSQL(AGAIN, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGER.format(more=", last_seen_at"), TRIGGER.format(more="")),
    ]

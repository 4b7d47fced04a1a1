"""Products that were written before searches knew the variants of a character."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from products.models import ProductSearch
from products.selectors.products import matching_products, search_words

pytestmark = pytest.mark.long  # all apps go back and forth, for migrations that never change again
BEFORE = ("products", "0012_unread_prices")
AS_IT_WAS = """
INSERT INTO products_productsearch (product_id, haystack, grams)
SELECT id, momo_haystack(name, brand, product_id), momo_grams(momo_haystack(name, brand, product_id))
FROM products_product
"""


def test_products_of_before_are_found_by_a_variant_afterwards(transactional_db: Any) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([BEFORE])
    try:
        old = executor.loader.project_state([BEFORE]).apps
        category = old.get_model("products", "Category").objects.create(code="1100100001", name="茶")
        for code, name in (("1000001", "臺灣高山茶"), ("1000002", "別的")):
            old.get_model("products", "Product").objects.create(
                product_id=code,
                name=name,
                category=category,
                url=f"https://shop.test/product/{code}",
                price=100,
                first_seen_at=timezone.now(),
                last_seen_at=timezone.now(),
            )
        with connection.cursor() as cursor:
            cursor.execute(AS_IT_WAS)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert list(matching_products(search_words("台灣")).values_list("product__product_id", flat=True)) == ["1000001"]
    assert ProductSearch.objects.get(product__product_id="1000002").haystack.startswith("別的")

"""Products with what the checks need of them."""

from __future__ import annotations

from momo.core.errors import NotFound
from products.models import Product


def product_for_check(product_id: str) -> Product:
    """The product with momo's `product_id`, its category and fact sheet. Raises NotFound."""
    product = Product.objects.select_related("category", "fact_sheet").filter(product_id=product_id).first()
    if product is None:
        raise NotFound(f"找不到品號 {product_id}")
    return product

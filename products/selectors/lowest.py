"""The lowest price of 30 days (`lowest_price_30d`): its one definition, for lists, exports, pages and applied runs.

It is the lowest price of the spans that were seen within the window. Applying a run keeps it with the product, together
with the moment until which it holds if nothing changes, so that lists read no spans; afterwards only the spans answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import PositiveIntegerField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from products.models import Product

WINDOW = timedelta(days=30)
FOREVER = "'9999-01-01'"  # an open span never leaves the window

_SPANS = """FROM products_pricespan span
    WHERE span.product_id = {product}.id AND (span.last_seen_at IS NULL OR span.last_seen_at >= {since})"""

# To be formatted with the SQL of the product's table, of now and of the window's start. A delisted product has no open
# span, so none of its spans is newer than the product itself.
LOWEST_PRICE = f"""
CASE WHEN {{product}}.lowest_price_until > {{now}} THEN {{product}}.lowest_price
     WHEN {{product}}.status <> 'delisted' OR {{product}}.last_seen_at >= {{since}} THEN
    (SELECT min(span.price) {_SPANS})
END"""

# Both columns that a product keeps: the price, and until when it is the lowest.
KEPT_LOWEST_PRICE = f"""
SELECT span.price, coalesce(span.last_seen_at + interval '{WINDOW.days} days', {FOREVER})
{_SPANS}
ORDER BY span.price, span.last_seen_at DESC NULLS FIRST
LIMIT 1"""


def window_start(now: datetime) -> datetime:
    """The moment from which on prices count."""
    return now - WINDOW


def lowest_price(*, now: datetime | None = None) -> RawSQL:
    """`lowest_price_30d` as an expression for querysets of products."""
    now = now or timezone.now()
    since = window_start(now)
    sql = LOWEST_PRICE.format(product=Product._meta.db_table, now="%s", since="%s")
    return RawSQL(sql, (now, since, since), PositiveIntegerField(null=True))  # noqa: S611 - constants, and parameters


def lowest_price_of(product: Product, *, now: datetime | None = None) -> int | None:
    """`lowest_price_30d` of one product, in one query."""
    return Product.objects.filter(pk=product.pk).values_list(lowest_price(now=now), flat=True).first()

"""Searches, recent changes and price histories of products."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import BooleanField, Count, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from momo.core.days import between, start_of_day
from momo.core.thresholds import thresholds
from products.models import Category, PriceSpan, Product, ProductSearch, QuarantinedPrice
from products.selectors.counts import cached

MAX_QUERY_LENGTH = 100
# What pages and workbooks show as the status of products on sale whose category is switched off: nobody knows it.
NOT_UPDATED = "停止更新"
# When the price of a span was last seen; that of an open span moves with crawls.
SPAN_END = Coalesce("last_seen_at", Greatest("observed_at", F("product__last_seen_at")))
MOST_BRANDS = 2_000  # that a filter offers
# Each step is one look into the index by brand: of 560,000 products 1 ms for 100 brands, and 55 ms by DISTINCT.
_BRANDS = """
WITH RECURSIVE known AS (
    (SELECT brand FROM products_product WHERE brand > '' ORDER BY brand LIMIT 1)
    UNION ALL
    SELECT (SELECT brand FROM products_product WHERE brand > known.brand ORDER BY brand LIMIT 1)
    FROM known WHERE known.brand IS NOT NULL
)
SELECT brand FROM known WHERE brand IS NOT NULL LIMIT %s
"""
MAX_CACHED_KEYS = 20_000  # products of one search
# Characters that are written in two ways, and the one that the index has; the same pairs as in momo_haystack
# (migrations 0013 and 0018). NFKC leaves them, since Unicode holds them for different characters.
VARIANTS = str.maketrans(
    "臺檯裏羣峯恒綫着爲麪衞牀啓衆祕汚汙鈎脚粘盃竈鷄猫塩傢週鍊砲痠",
    "台台裡群峰恆線著為麵衛床啟眾秘污污鉤腳黏杯灶雞貓鹽家周鏈炮酸",
)


def change_window_start(hours: int | None = None) -> datetime:
    """The moment from which on a change of price is recent: `hours` (PRICE_CHANGE_WINDOW_HOURS by default) ago.

    It moves in steps of a minute, so that counts can be cached.
    """
    window = timedelta(hours=hours if hours is not None else thresholds.PRICE_CHANGE_WINDOW_HOURS)
    return timezone.now().replace(second=0, microsecond=0) - window


def changed_products(products: QuerySet[Product], *, hours: int | None = None) -> QuerySet[Product]:
    """Keep products whose last confirmed change is recent (see `change_window_start`)."""
    return products.filter(price_changed_at__gte=change_window_start(hours))


def held_price() -> Subquery:
    """The price of a product that waits for a second sight or a decision, as an expression; null for most."""
    held = QuarantinedPrice.objects.filter(code=OuterRef("product_id"), status=QuarantinedPrice.Status.HELD)
    return Subquery(held.values("price")[:1])


def held_prices(codes: Iterable[str]) -> dict[str, int]:
    """Prices that wait for a second sight or a decision, by goods code."""
    held = QuarantinedPrice.objects.filter(code__in=list(codes), status=QuarantinedPrice.Status.HELD)
    return dict(held.values_list("code", "price"))


def held_codes() -> QuerySet[QuarantinedPrice, str]:
    """Goods codes of the prices that wait for a second sight or a decision."""
    return QuarantinedPrice.objects.filter(status=QuarantinedPrice.Status.HELD).values_list("code", flat=True)


def search_words(q: str) -> list[str]:
    """Words of a search as the index has them: NFKC, lower case, VARIANTS, at most MAX_QUERY_LENGTH characters.

    Lower case is PostgreSQL's: each character becomes one character, also İ, and Σ at the end of a word.
    """
    text = unicodedata.normalize("NFKC", q[:MAX_QUERY_LENGTH].replace("\0", " "))
    return "".join(character.lower()[0] for character in text).translate(VARIANTS).split()


class _Among(Func):
    """Whether a key is in an array, given as its text: a thousand parameters would take longer to write."""

    arity = 2
    arg_joiner = " = ANY("
    template = "%(expressions)s::bigint[])"
    output_field = BooleanField()


def search(products: QuerySet[Product], words: Iterable[str]) -> QuerySet[Product]:
    """Keep products that hold every word somewhere in name, brand or goods code.

    Their keys are cached for COUNT_SECONDS. From the keys PostgreSQL knows how many products match, and either fetches
    a few one by one or filters many while it reads the index of the requested order. From words alone it estimates far
    too few, and sorted all 8,000 for the first 50.
    """
    words = list(words)
    if not words:
        return products
    found = cached(("search", words), lambda: matching_keys(words))
    if found is None:
        return products.filter(pk__in=matching_products(words))
    return products.filter(_Among(F("pk"), Value(found)))


def matching_products(words: Iterable[str]) -> QuerySet[ProductSearch]:
    """Products with every word: pairs of characters find candidates by index; the text decides on other lengths."""
    matches = ProductSearch.objects.all()
    for word in words:
        pairs = [word[i : i + 2] for i in range(len(word) - 1)]
        if pairs:
            matches = matches.filter(grams__contains=pairs)
        if len(word) != 2:
            matches = matches.filter(haystack__contains=word)
    return matches


def matching_keys(words: Iterable[str]) -> str | None:
    """Keys of the products that hold every word, as the text of an array; None for more than MAX_CACHED_KEYS."""
    keys = list(matching_products(words).values_list("pk", flat=True)[: MAX_CACHED_KEYS + 1])
    return None if len(keys) > MAX_CACHED_KEYS else "{" + ",".join(map(str, keys)) + "}"


def product_by_code(code: str) -> Product | None:
    """The product with this goods code, with its category; letters may be small."""
    found = Product.objects.select_related("category").filter(product_id__in={code, code.upper()})
    return found.order_by("product_id").first()


def category_keys(code_or_name: str) -> tuple[int, ...]:
    """Primary keys of the categories with this code or name."""
    found = Category.objects.filter(Q(code=code_or_name) | Q(name=code_or_name))
    return tuple(found.values_list("pk", flat=True))


def category_choices() -> list[tuple[str, str]]:
    """Every category as (code, path), in the order of the paths."""
    rows = Category.objects.order_by("path", "code").values_list("code", "path", "name")
    return [(code, path or name) for code, path, name in rows]


def brands() -> list[str]:
    """The first MOST_BRANDS brands of products, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_BRANDS, [MOST_BRANDS])
        return [brand for (brand,) in cursor.fetchall()]


def with_product_numbers(categories: QuerySet[Category]) -> QuerySet[Category]:
    """Categories with `products_number`, how many products are not delisted.

    PostgreSQL counts for the rows of the page only, each by an Index Only Scan of `product_category_listed`.
    """
    known = Product.objects.filter(category=OuterRef("pk")).exclude(status=Product.Status.DELISTED)
    counted = known.order_by().values("category").annotate(n=Count("*")).values("n")
    return categories.annotate(products_number=Coalesce(Subquery(counted, output_field=IntegerField()), 0))


def history_of(
    product: Product, *, start_date: date | None = None, end_date: date | None = None
) -> list[tuple[datetime, int, datetime]]:
    """Prices of a product as (from, price, last seen), newest first; dates are days in Taipei, both inclusive.

    A price that began before `start_date` and was still seen then starts at the beginning of that day.
    """
    spans = PriceSpan.objects.filter(product=product).annotate(until=SPAN_END)
    spans = spans.filter(**between("until", start_date, None), **between("observed_at", None, end_date))
    start = start_of_day(start_date) if start_date else None
    rows = spans.order_by("-observed_at").values_list("observed_at", "price", "until")
    return [(max(begun, start) if start else begun, price, until) for begun, price, until in rows]

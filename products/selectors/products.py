"""Product lists, histories, and the figures that go with them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from products.models import PriceSpan, Product

FILTERS = ("all", "increase", "decrease", "delisted")
LOWEST_DAYS = 30
MAX_QUERY_LENGTH = 100


def changed_products(products: QuerySet[Product], *, hours: int | None = None) -> QuerySet[Product]:
    """Keep products whose last confirmed change happened within `hours` (PRICE_CHANGE_WINDOW_HOURS by default).

    The window's start moves in steps of a minute, so that counts can be remembered.
    """
    window = timedelta(hours=hours if hours is not None else settings.PRICE_CHANGE_WINDOW_HOURS)
    return products.filter(price_changed_at__gte=timezone.now().replace(second=0, microsecond=0) - window)


def search_words(q: str) -> list[str]:
    """Words of a search as the index has them: NFKC, lower case, at most MAX_QUERY_LENGTH characters."""
    return unicodedata.normalize("NFKC", q[:MAX_QUERY_LENGTH].replace("\0", " ")).lower().split()


def search(products: QuerySet[Product], words: Iterable[str]) -> QuerySet[Product]:
    """Keep products that hold every word somewhere in name, brand or goods code.

    The pieces of each word find candidates by index; the text itself decides.
    """
    for word in words:
        pieces = [word[i : i + 2] for i in range(len(word) - 1)] or [word]
        products = products.filter(search__grams__contains=pieces, search__haystack__contains=word)
    return products


def lowest_prices(
    product_ids: Iterable[int], *, days: int = LOWEST_DAYS, now: datetime | None = None
) -> dict[int, int]:
    """Lowest price of each product (by primary key) at any time within the last `days` days."""
    since = (now or timezone.now()) - timedelta(days=days)
    spans = PriceSpan.objects.filter(product_id__in=list(product_ids))
    spans = spans.filter(Q(last_seen_at=None) | Q(last_seen_at__gte=since))
    return dict(spans.values("product_id").annotate(lowest=Min("price")).values_list("product_id", "lowest"))


def history_of(
    product: Product, *, start_date: date | None = None, end_date: date | None = None
) -> list[tuple[datetime, int, datetime]]:
    """Prices of a product as (from, price, last seen), newest first; dates are days in Taipei, both inclusive.

    A price that began before `start_date` and was still seen then is told as from the start of that day.
    """
    zone = timezone.get_default_timezone()
    spans = PriceSpan.objects.filter(product=product).annotate(
        until=Coalesce("last_seen_at", Greatest("observed_at", F("product__last_seen_at")))
    )
    start = datetime.combine(start_date, time.min, zone) if start_date else None
    if start:
        spans = spans.filter(until__gte=start)
    if end_date:
        spans = spans.filter(observed_at__lt=datetime.combine(end_date + timedelta(days=1), time.min, zone))
    rows = spans.order_by("-observed_at").values_list("observed_at", "price", "until")
    return [(max(begun, start) if start else begun, price, until) for begun, price, until in rows]

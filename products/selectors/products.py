"""Product lists, histories, and the figures that go with them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import BooleanField, F, Func, Min, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from products.models import PriceSpan, Product, ProductSearch
from products.selectors.counts import remember

LOWEST_DAYS = 30
MAX_QUERY_LENGTH = 100
MAX_REMEMBERED = 20_000  # products of one search


def changed_products(products: QuerySet[Product], *, hours: int | None = None) -> QuerySet[Product]:
    """Keep products whose last confirmed change happened within `hours` (PRICE_CHANGE_WINDOW_HOURS by default).

    The window's start moves in steps of a minute, so that counts can be remembered.
    """
    window = timedelta(hours=hours if hours is not None else settings.PRICE_CHANGE_WINDOW_HOURS)
    return products.filter(price_changed_at__gte=timezone.now().replace(second=0, microsecond=0) - window)


def search_words(q: str) -> list[str]:
    """Words of a search as the index has them: NFKC, lower case, at most MAX_QUERY_LENGTH characters.

    Lower case is PostgreSQL's: letter by letter, each of one letter, also for İ and for Σ at the end of a word.
    """
    text = unicodedata.normalize("NFKC", q[:MAX_QUERY_LENGTH].replace("\0", " "))
    return "".join(letter.lower()[0] for letter in text).split()


class _Among(Func):
    """Whether a key is in an array, given as the text of one: a thousand parameters would take longer to write."""

    arity = 2
    arg_joiner = " = ANY("
    template = "%(expressions)s::bigint[])"
    output_field = BooleanField()


def search(products: QuerySet[Product], words: Iterable[str]) -> QuerySet[Product]:
    """Keep products that hold every word somewhere in name, brand or goods code.

    Who they are is remembered for some seconds, as their number is. Given their keys PostgreSQL sees how many they are,
    and takes a few one by one or meets many on its way through the order asked for; from words alone it guesses far too
    few, and sorted all 8,000 for the first 50.
    """
    words = list(words)
    if not words:
        return products
    found = remember(("search", words), lambda: matching_keys(words))
    if found is None:
        return products.filter(pk__in=matching_products(words))
    return products.filter(_Among(F("pk"), Value(found)))


def matching_products(words: Iterable[str]) -> QuerySet[ProductSearch]:
    """The pairs of each word find candidates by index; the text decides, where a word is shorter or longer than one."""
    matches = ProductSearch.objects.all()
    for word in words:
        pairs = [word[i : i + 2] for i in range(len(word) - 1)]
        if pairs:
            matches = matches.filter(grams__contains=pairs)
        if len(word) != 2:
            matches = matches.filter(haystack__contains=word)
    return matches


def matching_keys(words: Iterable[str]) -> str | None:
    """Keys of the products that hold every word, as the text of an array; None for more than MAX_REMEMBERED."""
    keys = list(matching_products(words).values_list("pk", flat=True)[: MAX_REMEMBERED + 1])
    return None if len(keys) > MAX_REMEMBERED else "{" + ",".join(map(str, keys)) + "}"


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

"""Results about big tables, cached for some seconds: how many rows a filter has, which products a search finds.

Counting a big table takes longer than reading a page of it. Every applied run and every decision (on a held price, on a
closed category) invalidates all of them by raising a generation number. Without the cache each call computes anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

COUNT_SECONDS = 20
GENERATION = "products:counts:generation"
T = TypeVar("T")


def cached(key: object, make: Callable[[], T]) -> T:
    """The result of `make`, at most COUNT_SECONDS old; `key` is distinguished by its repr."""
    digest = hashlib.sha256(repr(key).encode()).hexdigest()
    known = cache.get_many([GENERATION, digest])
    # Read before the work begins: a change meanwhile makes the result stale at once.
    generation = known.get(GENERATION, 0)
    stored: tuple[int, T] | None = known.get(digest)
    if stored is not None and stored[0] == generation:
        return stored[1]
    made = make()
    cache.set(digest, (generation, made), COUNT_SECONDS)
    return made


def count_rows(queryset: QuerySet[Any]) -> int:
    """Exact number of rows of `queryset` at most COUNT_SECONDS ago."""
    try:
        # Without its columns, whose SQL takes longer than the look into the cache.
        key = queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # a filter that no row can pass, such as a price beyond the column's range
        return 0
    return cached(key, queryset.count)


def forget_counts() -> None:
    """Invalidate all cached results; to be called after a commit that adds, removes or changes products."""
    cache.add(GENERATION, 0, None)
    try:
        cache.incr(GENERATION)
    except ValueError:
        # The cache is down or was emptied; its entries expire within COUNT_SECONDS.
        return

"""What reads of big tables remember for some seconds: how many rows a filter has, which products a search finds.

Counting a big table takes longer than reading a page of it. Every applied run and every decision of a person forgets
all of it at once by moving a generation number. Without the cache each call works it out anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

COUNT_SECONDS = 20
GENERATION = "products:counts:generation"
T = TypeVar("T")


def remember(key: object, make: Callable[[], T]) -> T:
    """What `make` answers, at most COUNT_SECONDS ago for the same `key` (told apart by its repr)."""
    digest = hashlib.sha256(repr(key).encode()).hexdigest()
    known = cache.get_many([GENERATION, digest])
    # Read before the work begins: what changes meanwhile makes the answer stale at once.
    generation = known.get(GENERATION, 0)
    remembered: tuple[int, T] | None = known.get(digest)
    if remembered is not None and remembered[0] == generation:
        return remembered[1]
    made = make()
    cache.set(digest, (generation, made), COUNT_SECONDS)
    return made


def count_rows(queryset: QuerySet) -> int:
    """Exact number of rows of `queryset` at most COUNT_SECONDS ago."""
    try:
        # Its columns do not matter, and to write them out takes longer than the look into the cache.
        key = queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # a filter that no row can pass, such as a price beyond the column's range
        return 0
    return remember(key, queryset.count)


def forget_counts() -> None:
    """Make all that is remembered stale. Called after a commit that adds, removes or changes products."""
    cache.add(GENERATION, 0, None)
    try:
        cache.incr(GENERATION)
    except ValueError:
        # The cache is away or was emptied; what it remembers ends by itself within COUNT_SECONDS.
        return

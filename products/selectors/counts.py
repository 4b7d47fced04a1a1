"""How many rows a filter has, remembered for some seconds: counting a big table takes longer than reading a page of it.

Every applied run and every decision of a person forgets all of it at once by moving a generation number. Without the
cache each call counts.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from django.db.models import QuerySet

COUNT_SECONDS = 20
GENERATION = "products:counts:generation"


def count_rows(queryset: QuerySet) -> int:
    """Exact number of rows of `queryset` at most COUNT_SECONDS ago. The key is its SQL and parameters."""
    sql, params = queryset.order_by().query.sql_with_params()
    digest = hashlib.sha256(repr((sql, params)).encode()).hexdigest()
    known = cache.get_many([GENERATION, digest])
    generation = known.get(GENERATION, 0)
    remembered = known.get(digest)
    if remembered is not None and remembered[0] == generation:
        return remembered[1]
    total = queryset.count()
    cache.set(digest, (generation, total), COUNT_SECONDS)
    return total


def forget_counts() -> None:
    """Make every remembered count stale. Called after a commit that adds, removes or changes products."""
    cache.add(GENERATION, 0, None)
    try:
        cache.incr(GENERATION)
    except ValueError:
        # The cache is away or was emptied; what it remembers ends by itself within COUNT_SECONDS.
        return

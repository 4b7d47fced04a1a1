"""The product list as GET /api/products tells it: found, and written as JSON, in one query.

PostgreSQL writes the page in half the time that its rows would take to become objects, dictionaries and then JSON
here, and SQL put together by hand in a tenth of the time that the ORM takes to compile it.

Each process remembers how many products a filter has and which a search finds, together with the version of the
catalogue that it found them in (`CatalogueVersion`, which the database itself changes with the products). A page brings
the version along, so what is remembered is used exactly while it is true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone

from products.models import Product
from products.selectors.products import LOWEST_DAYS, matching_keys, matching_products

FILTERS = ("all", "increase", "decrease", "delisted")
MEMORIES = 200

VERSION = "(SELECT version::text FROM products_catalogueversion)"
ITEMS = f"""
SELECT {VERSION}, json_agg(item)::text
FROM (
    SELECT p.id, p.product_id, p.name, p.brand,
           (SELECT c.name FROM products_category c WHERE c.id = p.category_id) AS category,
           p.price, p.previous_price, p.change, p.change_percent, p.status, p.url, p.image_url,
           p.price_changed_at, p.first_seen_at, p.last_seen_at,
           CASE WHEN p.lowest_price_until > %s::timestamptz THEN p.lowest_price
                WHEN p.status <> 'delisted' OR p.last_seen_at >= %s::timestamptz THEN
                    (SELECT min(s.price) FROM products_pricespan s
                     WHERE s.product_id = p.id AND (s.last_seen_at IS NULL OR s.last_seen_at >= %s::timestamptz))
           END AS lowest_price_30d
    -- No join beside it: the items stay in this order.
    FROM (SELECT * FROM products_product {{where}} ORDER BY {{order}} LIMIT %s OFFSET %s) AS p
) AS item
"""  # noqa: S608 - no value of a request becomes part of the text


@dataclass(frozen=True)
class Listing:
    """Which products, in which order.

    `hours` back look `increase` and `decrease` (PRICE_CHANGE_WINDOW_HOURS by default), `categories` are keys, `words`
    are those of `search_words`, `sort_by` is a column.
    """

    kind: str = "all"
    hours: int | None = None
    categories: tuple[int, ...] | None = None
    words: tuple[str, ...] = ()
    sort_by: str = "price_changed_at"
    descending: bool = True
    nulls_last: bool = True

    def page(self, *, start: int, size: int) -> tuple[orjson.Fragment, int]:
        """`size` items from `start` on, as a JSON array, and how many there are in all.

        Prices are New Taiwan dollars, times ISO 8601 in Taipei (the zone of our connections), `lowest_price_30d` is the
        lowest of LOWEST_DAYS days.
        """
        where, params, keys = self._where()
        version, items = self._read(where, params, start, size)
        if keys is not None and keys.version != version:
            FOUND.forget(self.words)
            where, params, keys = self._where()
            version, items = self._read(where, params, start, size)
        return orjson.Fragment(items), self._total(where, params, version)

    def _read(self, where: str, params: list[Any], start: int, size: int) -> tuple[str | None, str]:
        direction = ("DESC" if self.descending else "ASC") + (" NULLS LAST" if self.nulls_last else "")
        order = f"{self.sort_by} {direction}, id {'DESC' if self.descending else 'ASC'}"
        now = timezone.now()
        since = str(now - timedelta(days=LOWEST_DAYS))
        with connection.cursor() as cursor:
            cursor.execute(ITEMS.format(where=where, order=order), [str(now), since, since, *params, size, start])
            version, items = cursor.fetchone()
        return version, items or "[]"

    def _since(self) -> datetime:
        """Moves in steps of a minute, so that counts can be remembered."""
        hours = self.hours if self.hours is not None else settings.PRICE_CHANGE_WINDOW_HOURS
        return timezone.now().replace(second=0, microsecond=0) - timedelta(hours=hours)

    def _where(self) -> tuple[str, list[Any], _Found | None]:
        parts: list[str] = []
        params: list[Any] = []
        keys = None
        if self.kind == "delisted":
            parts.append("status = 'delisted'")
        elif self.kind in ("increase", "decrease"):
            parts.append(f"price_changed_at >= %s::timestamptz AND change {'>' if self.kind == 'increase' else '<'} 0")
            params.append(str(self._since()))
        if self.categories is not None:
            parts.append(f"category_id IN ({', '.join(['%s'] * len(self.categories))})")
            params += self.categories
        if self.words:
            keys = _search(self.words)
            if keys.text is None:
                among, values = matching_products(self.words).values("pk").query.sql_with_params()
                parts.append(f"id IN ({among})")
                params += values
            else:
                parts.append("id = ANY(%s::bigint[])")
                params.append(keys.text)
        return ("WHERE " + " AND ".join(parts)) if parts else "", params, keys

    def _total(self, where: str, params: list[Any], version: str | None) -> int:
        since = self._since() if self.kind in ("increase", "decrease") else None
        key = (replace(self, sort_by="", descending=True, nulls_last=True), since)
        known: int | None = TOTALS.get(key, version) if version is not None else None
        if known is None:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {Product._meta.db_table} {where}", params)  # noqa: S608 - as above
                known = cursor.fetchone()[0]
            TOTALS.keep(key, version, known)
        return known


@dataclass(frozen=True)
class _Found:
    """Keys that a search found, as the text of an array; None for too many to carry about."""

    version: str | None
    text: str | None


class _Memory:
    """Values by key, each true in one version of the catalogue; all are forgotten when there are too many.

    A process may speak to more than one database, though hardly ever does outside of tests and benchmarks.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[str, Any]] = {}

    def get(self, key: Any, version: str | None = None) -> Any:
        """What was kept for `key`, if it was in `version`; of any version when none is named."""
        kept = self._kept.get((connection.settings_dict["NAME"], key))
        return kept[1] if kept is not None and version in (None, kept[0]) else None

    def keep(self, key: Any, version: str | None, value: Any) -> None:
        if version is None:
            return
        if len(self._kept) >= MEMORIES:
            self._kept.clear()
        self._kept[connection.settings_dict["NAME"], key] = (version, value)

    def clear(self) -> None:
        self._kept.clear()

    def forget(self, key: Any) -> None:
        self._kept.pop((connection.settings_dict["NAME"], key), None)


TOTALS, FOUND = _Memory(), _Memory()


def _search(words: tuple[str, ...]) -> _Found:
    known: _Found | None = FOUND.get(words)
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {VERSION}")
            (version,) = cursor.fetchone()
        # Read after its version: if the catalogue changes in between, the page tells another version and this ends.
        known = _Found(version, matching_keys(words))
        FOUND.keep(words, version, known)
    return known

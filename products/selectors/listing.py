"""The product list of GET /api/products: found, and written as JSON, in one query.

PostgreSQL writes the page in half the time that its rows would take to become objects, dictionaries and then JSON
here, and SQL put together by hand in a tenth of the time that the ORM takes to compile it.

Each process caches how many products a filter has, which products a search finds, and the order in which they were last
seen, all for one version of the catalogue (`CatalogueVersion`, which a trigger changes with the products). Every page
is read together with the version, so a cached value is used exactly while it is true.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from momo.core.prepared import prepared_cursor
from products.models import Product
from products.selectors.lowest import LOWEST_PRICE, window_start
from products.selectors.products import change_window_start, matching_keys, matching_products

FILTERS = ("all", "increase", "decrease", "delisted")
CACHE_SIZE = 200
FEW_KEYS = 300  # of a search: fetching and sorting them is right in any catalogue

VERSION = "(SELECT version::text FROM products_catalogueversion)"
ITEMS = f"""
SELECT {VERSION}, json_agg(item)
FROM (
    SELECT p.id, p.product_id, p.name, p.brand,
           (SELECT c.name FROM products_category c WHERE c.id = p.category_id) AS category,
           p.price, p.previous_price, p.change, p.change_percent, p.status, p.url, p.image_url,
           p.price_changed_at, p.first_seen_at, p.last_seen_at, p.price_unread_since,
           -- Few products have one; the others have no look at the table.
           CASE WHEN NOT p.price_shown AND p.status <> 'delisted' THEN (
               SELECT json_build_object('price', q.price, 'since', q.observed_at) FROM products_quarantinedprice q
               WHERE q.code = p.product_id AND q.status = 'held') END AS held_price,
           {LOWEST_PRICE.format(product="p", now="%s::timestamptz", since="%s::timestamptz")} AS lowest_price_30d
    -- No join beside it: the items stay in this order.
    FROM (SELECT * FROM products_product {{where}} ORDER BY {{order}} LIMIT {{size}} OFFSET {{start}}) AS p
) AS item
"""  # noqa: S608 - no value of a request becomes part of the text


class _AsItIs(Loader):
    """Leaves JSON as the bytes that PostgreSQL sent: it becomes a part of the answer's bytes."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


@dataclass(frozen=True)
class Listing:
    """Which products, in which order.

    `kind` is one of FILTERS; `increase` and `decrease` look `hours` back (PRICE_CHANGE_WINDOW_HOURS by default).
    `categories` are keys, `words` come from `search_words`, `sort_by` is a column.
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

        Prices are New Taiwan dollars, times ISO 8601 in Taipei (the zone of our connections), `lowest_price_30d` is
        that of `selectors.lowest`.
        """
        where, params, keys = self._where()
        if self.sort_by == "last_seen_at" and self._is_large():
            return self._page_by_last_seen(where, start, size)
        version, items = self._read(where, params, start, size, prepared=self._has_one_plan(keys))
        if keys is not None and keys.version != version:
            KEYS.forget(self.words)
            where, params, keys = self._where()
            version, items = self._read(where, params, start, size, prepared=self._has_one_plan(keys))
        return orjson.Fragment(items), self._total(where, params, version)

    def _is_large(self) -> bool:
        """Whether nothing narrows the list: no words, categories or time."""
        return self.kind in ("all", "delisted") and self.categories is None and not self.words

    def _has_one_plan(self, keys: _Found | None) -> bool:
        """Whether one plan is the best for all values of the parameters.

        It is not where the values decide how many products match and another index gives the order.
        """
        if keys is not None:
            return keys.few
        return self.categories is None and (self.kind in ("all", "delisted") or self.sort_by == "price_changed_at")

    def _page_by_last_seen(self, where: str, start: int, size: int) -> tuple[orjson.Fragment, int]:
        """A page in the order of `last_seen_at`, which has no index: it would make each crawl write every product anew.

        The order is sorted once for each version of the catalogue and kept, as 8 bytes a product: of 50,000 products a
        page took 47 ms, now the first takes 27 ms and each other 2 to 4 ms.
        """
        for _ in range(2):
            order = _seen_order(self.kind, where)
            keys = order.page(start, size, self.descending)
            version, items = self._read("WHERE id = ANY(%s::bigint[])", [keys], 0, size, prepared=True)
            if version == order.version:
                return orjson.Fragment(items), self._total(where, [], version)
            SEEN_ORDERS.forget(self.kind)
        # The catalogue changes faster than it can be sorted.
        version, items = self._read(where, [], start, size)
        return orjson.Fragment(items), self._total(where, [], version)

    def _read(
        self, where: str, params: list[Any], start: int, size: int, *, prepared: bool = False
    ) -> tuple[str | None, bytes]:
        """Version of the catalogue, and the items as JSON.

        `prepared` where one plan is best for all parameters: to plan each request anew takes a sixth of it.
        """
        direction = ("DESC" if self.descending else "ASC") + (" NULLS LAST" if self.nulls_last else "")
        order = f"{self.sort_by} {direction}, id {'DESC' if self.descending else 'ASC'}"
        now = timezone.now()
        since = str(window_start(now))
        statement = ITEMS.format(where=where, order=order, size=size, start=start)
        with prepared_cursor() if prepared else connection.cursor() as cursor:
            cursor.cursor.adapters.register_loader("json", _AsItIs)
            cursor.execute(statement, [str(now), since, since, *params])
            version, items = cursor.fetchone()
        return version, items or b"[]"

    def _where(self) -> tuple[str, list[Any], _Found | None]:
        parts: list[str] = []
        params: list[Any] = []
        keys = None
        if self.kind == "delisted":
            parts.append("status = 'delisted'")
        elif self.kind in ("increase", "decrease"):
            parts.append(f"price_changed_at >= %s::timestamptz AND change {'>' if self.kind == 'increase' else '<'} 0")
            params.append(str(change_window_start(self.hours)))
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
        key = (where, *params)
        known: int | None = TOTALS.get(key, version) if version is not None else None
        if known is None:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {Product._meta.db_table} {where}", params)  # noqa: S608 - as above
                known = cursor.fetchone()[0]
            TOTALS.keep(key, version, known)
        return known


@dataclass(frozen=True)
class _Found:
    """Keys that a search found, as the text of an array; None for more than MAX_CACHED_KEYS."""

    version: str | None
    text: str | None

    @property
    def few(self) -> bool:
        """Whether there are at most FEW_KEYS."""
        return self.text is not None and self.text.count(",") < FEW_KEYS


@dataclass(frozen=True)
class _SeenOrder:
    """Keys of products, those first that were last seen longest ago."""

    version: str | None
    keys: array[int]

    def page(self, start: int, size: int, descending: bool) -> str:
        """Keys of one page as the text of an array; descending is exactly the reverse."""
        end = len(self.keys) - start
        page = self.keys[max(0, end - size) : max(0, end)] if descending else self.keys[start : start + size]
        return "{" + ",".join(map(str, page)) + "}"


class _VersionedCache:
    """Values by key, each true in one version of the catalogue; emptied when it holds CACHE_SIZE values.

    Keys include the name of the database, since tests and benchmarks use more than one in a process.
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
        if len(self._kept) >= CACHE_SIZE:
            self._kept.clear()
        self._kept[connection.settings_dict["NAME"], key] = (version, value)

    def clear(self) -> None:
        self._kept.clear()

    def forget(self, key: Any) -> None:
        self._kept.pop((connection.settings_dict["NAME"], key), None)


TOTALS, KEYS, SEEN_ORDERS = _VersionedCache(), _VersionedCache(), _VersionedCache()


def _seen_order(kind: str, where: str) -> _SeenOrder:
    known: _SeenOrder | None = SEEN_ORDERS.get(kind)
    if known is None:
        keys = "SELECT id FROM products_product"
        with connection.cursor() as cursor:
            # One statement, so that the order is that of its version.
            cursor.execute(f"SELECT {VERSION}, ARRAY({keys} {where} ORDER BY last_seen_at, id)")
            version, ordered = cursor.fetchone()
        known = _SeenOrder(version, array("q", ordered))
        SEEN_ORDERS.keep(kind, version, known)
    return known


def _search(words: tuple[str, ...]) -> _Found:
    known: _Found | None = KEYS.get(words)
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {VERSION}")
            (version,) = cursor.fetchone()
        # Read after its version: if the catalogue changes in between, the page has another version and drops this one.
        known = _Found(version, matching_keys(words))
        KEYS.keep(words, version, known)
    return known

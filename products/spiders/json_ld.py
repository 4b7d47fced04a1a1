"""JSON-LD of a product page: which `Product` is the one asked for.

A page describes other goods the same way (recommended ones, lists, `isRelatedTo`), with a goods code or without.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from products.spiders.pages import is_empty, product_id_from_url, same_code

# Bounds on the work that a hostile page can cause.
_MAX_SCRIPTS = 20
_MAX_NODES = 2_000

Record = dict[str, Any]


@dataclass(slots=True, frozen=True)
class LinkedProducts:
    """What the JSON-LD of a page describes.

    `own` has the goods code asked for. `unnamed` is the only top-level `Product` without any id, if there is just one.
    `others`: a top-level `Product` has another id.
    """

    own: Record | None = None
    unnamed: Record | None = None
    others: bool = False


def linked_products(scripts: Iterable[str], wanted: str) -> LinkedProducts:
    """Find the products of the page's JSON-LD scripts; a script that is no JSON is passed over."""
    own: list[Record] = []
    unnamed: list[Record] = []
    others = False
    for product, top_level in _products(scripts):
        belongs = _belongs_to(product, wanted)
        if belongs:
            own.append(product)
        elif top_level and belongs is None:
            unnamed.append(product)
        elif top_level:
            others = True
    # Trails and lists have the same product in short, without a price.
    own.sort(key=lambda product: not product.get("offers"))
    return LinkedProducts(own[0] if own else None, unnamed[0] if len(unnamed) == 1 else None, others)


def _belongs_to(product: Record, wanted: str) -> bool | None:
    """Whether a `Product` is the wanted one; None if it has no id at all.

    An address with a goods code outranks `sku` and `productID`, which may be the maker's own numbers.
    """
    offer = product.get("offers")
    addresses = [product.get("url"), product.get("@id"), offer.get("url") if isinstance(offer, dict) else None]
    linked = [code for each in addresses if isinstance(each, str) and (code := product_id_from_url(each))]
    if linked:
        return all(same_code(code, wanted) for code in linked)
    numbers = [str(each) for key in ("sku", "productID") if not is_empty(each := product.get(key))]
    if numbers:
        # A productID may carry its scheme: "sku:13326964".
        return any(same_code(number.rsplit(":", 1)[-1], wanted) for number in numbers)
    return None


def _products(scripts: Iterable[str]) -> Iterator[tuple[Record, bool]]:
    """Yield every `Product`, those of the top level first; top level are a script, its array, and its `@graph`."""
    nested: list[Any] = []
    for node in top_level_nodes(scripts):
        if is_product(node):
            yield node, True
        nested.extend(value for key, value in node.items() if key != "@graph")
    yield from ((node, False) for node in _below(nested))


def top_level_nodes(scripts: Iterable[str]) -> Iterator[Record]:
    """The objects of a page's JSON-LD scripts, of their arrays and their `@graph`s; what is no JSON is passed over."""
    for script in islice(scripts, _MAX_SCRIPTS):
        try:
            # Line breaks within texts are common in templates, and harmless.
            data = json.loads(script, strict=False)
        except (ValueError, RecursionError):
            continue
        yield from _top_level(data)


def _top_level(data: Any) -> Iterator[Record]:
    for node in (data if isinstance(data, list) else [data])[:_MAX_NODES]:
        if isinstance(node, dict):
            yield node
            graph = node.get("@graph")
            yield from (each for each in (graph if isinstance(graph, list) else [graph]) if isinstance(each, dict))


def _below(waiting: list[Any]) -> Iterator[Record]:
    """Yield every `Product` within these values, without recursion and within bounds."""
    waiting.reverse()
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            if is_product(node):
                yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(reversed(node[:_MAX_NODES]))


def is_product(node: Record) -> bool:
    """Whether the node's `@type` is, or includes, schema.org's Product."""
    return is_a(node, "Product")


def is_a(node: Record, wanted: str) -> bool:
    """Whether the node's `@type` is, or includes, a type of schema.org."""
    kinds = node.get("@type")
    named = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and kind.replace(":", "/").rsplit("/", 1)[-1] == wanted for kind in named)

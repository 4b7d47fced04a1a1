"""Facts of products: what the catalogue says, and over it what staff wrote on the fact sheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from ai.checks.facts import Facts
from ai.checks.facts.names import read_name
from ai.models import FactSheet
from momo.core.errors import ValidationFailed
from products.models import Product

PRICES = ("price", "list_price")


def facts_from(*, mapping: Mapping[str, Any]) -> Facts:
    """Facts of a request or a sheet. Raises ValidationFailed, naming the key that is no text, number or list."""
    try:
        return Facts.from_mapping(mapping)
    except ValueError as error:
        raise ValidationFailed(fields={"facts": [str(error)]}) from error


def facts_of(product: Product) -> Facts:
    """The catalogue's facts of a product, overlaid with those of its sheet. Raises ValidationFailed as `facts_from`."""
    return facts_from(mapping=facts_mapping(product=product))


def facts_mapping(*, product: Product) -> dict[str, Any]:
    """The same as a mapping, as it is put before a model. A promotion that has ended is no fact any more."""
    sheet = FactSheet.objects.filter(product=product).first()
    written = own_facts(sheet, product) if sheet else {}
    if "promotion" in written:
        written["promotion"] = [one for one in _listed(written["promotion"]) if not has_ended(one)]
    return catalogue_facts(product) | written


def catalogue_facts(product: Product) -> dict[str, Any]:
    """Brand, name, prices, and content and count as the name says them.

    A price that the shop shows and nobody can read is no fact.
    """
    facts: dict[str, Any] = {"brand": product.brand, "name": product.name}
    if product.price_unread_since is None:
        facts["price"] = product.price
    if product.list_price:
        facts["list_price"] = product.list_price
    return facts | read_name(product.name)


def own_facts(sheet: FactSheet, product: Product) -> dict[str, Any]:
    """What staff wrote and still counts: neither empty entries, nor prices from before the shop's last change of price.

    A price on the sheet is one that the shop does not show, such as that of a coupon. When the shop's price moves,
    nobody knows whether it still holds, and a wrong price in an advertisement is worse than a missing one.
    """
    outdated = prices_outdated(sheet, product)
    return {
        key: value
        for key, value in sheet.facts.items()
        if value not in (None, "", [], {}) and not (outdated and key in PRICES)
    }


def shown_facts(product: Product, sheet: FactSheet | None) -> dict[str, Any]:
    """What a form of the sheet begins with: the catalogue's, and over it those of staff, ended promotions included."""
    return catalogue_facts(product) | (own_facts(sheet, product) if sheet else {})


def prices_outdated(sheet: FactSheet, product: Product) -> bool:
    """Whether the sheet has a price that was written before the shop's price changed."""
    changed = product.price_changed_at
    return bool(
        changed and sheet.priced_at and changed > sheet.priced_at and any(sheet.facts.get(key) for key in PRICES)
    )


def has_ended(promotion: Any) -> bool:
    """Whether the last day of a promotion is over in Taipei; one without a readable last day never ends."""
    try:
        return dt.date.fromisoformat(promotion["ends"]) < timezone.localdate()
    except (KeyError, TypeError, ValueError):
        return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

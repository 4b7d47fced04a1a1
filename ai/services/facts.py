"""Facts of products: what the catalogue says, and over it what staff wrote on the fact sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from ai.checks.facts import Facts
from ai.checks.facts.names import read_name
from ai.models import FactSheet
from momo.core.errors import ValidationFailed
from products.models import Product


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
    """The same as a mapping, as it is put before a model. An empty entry of the sheet leaves the catalogue's."""
    sheet = FactSheet.objects.filter(product=product).first()
    written = {key: value for key, value in (sheet.facts if sheet else {}).items() if value not in (None, "", [], {})}
    return catalogue_facts(product) | read_name(product.name) | written


def catalogue_facts(product: Product) -> dict[str, Any]:
    """Brand, name and prices. A price that the shop shows and nobody can read is no fact."""
    facts: dict[str, Any] = {"brand": product.brand, "name": product.name}
    if product.price_unread_since is None:
        facts["price"] = product.price
    if product.list_price:
        facts["list_price"] = product.list_price
    return facts


def open_fact_sheet(*, product: Product, user: User | None = None) -> FactSheet:
    """The fact sheet of a product; a new one has content and count as its name says.

    Prices, brand and name stay in the catalogue: a copy of them would be wrong after the next change of price.
    """
    sheet, _ = FactSheet.objects.get_or_create(
        product=product, defaults={"facts": read_name(product.name), "updated_by": user}
    )
    return sheet

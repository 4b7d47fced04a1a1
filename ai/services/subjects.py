"""What a copy is about: a product of the catalogue with its fact sheet, or what the request says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ai.checks.domains import guess_domain
from ai.services.checking import domain_of
from ai.services.facts import facts_from, facts_mapping
from momo.core.errors import ValidationFailed
from products.models import Product


@dataclass(frozen=True)
class Subject:
    """`facts` is what the model is told, and what its text is checked against."""

    product: Product | None
    name: str
    facts: dict[str, Any]
    domain: str

    @property
    def protected(self) -> list[str]:
        """Texts whose characters are never converted."""
        return [text for _, text in facts_from(mapping=self.facts).texts]


def subject_of(*, product_id: str, product_name: str, facts: Mapping[str, Any], domain: str) -> Subject:
    """What is given beats the fact sheet, and that beats the catalogue. Raises ValidationFailed."""
    product = _product(product_id) if product_id else None
    name = product_name or (product.name if product else "")
    if not name:
        raise ValidationFailed(fields={"product_name": ["請輸入品名，或以 product_id 指定商品"]})
    known = {**(facts_mapping(product=product) if product else {}), "name": name, **facts}
    facts_from(mapping=known)  # refused before anything is spent
    chosen = domain or (domain_of(product) if product else guess_domain("", name))
    return Subject(product, name, known, str(chosen))


def _product(product_id: str) -> Product:
    found = Product.objects.select_related("category", "fact_sheet").filter(product_id=product_id).first()
    if found is None:
        raise ValidationFailed(fields={"product_id": ["沒有這個商品"]})
    return found

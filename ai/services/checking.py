"""Both checks of a text: whether facts support it, and whether the law objects to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ai.checks.claims import check_claims
from ai.checks.domains import guess_domain
from ai.checks.facts import check_facts
from ai.checks.warnings import Warning
from ai.models import Domain
from ai.selectors.products import product_for_check
from ai.services.facts import facts_from, facts_mapping
from ai.services.phrases import current_phrases
from products.models import Product

LONGEST = 20_000  # characters of a text


def check_text(*, text: str, domain: str, facts: Mapping[str, Any] | None = None) -> list[Warning]:
    """Warnings about `text`, by place; offsets are its code points. Without facts only the law is checked.

    Raises ValidationFailed for facts that are neither texts, numbers nor lists.
    """
    warnings = check_claims(text, domain, current_phrases())
    if facts is not None:
        warnings += check_facts(text, facts_from(mapping=facts))
    return sorted(warnings, key=lambda warning: (warning.start, -warning.end))


def check_copy(
    *, text: str, domain: str = "", facts: Mapping[str, Any] | None = None, product_id: str = ""
) -> tuple[list[Warning], str]:
    """Warnings about a text that staff wrote, and the domain whose law was applied.

    Without `domain` it is that of the product, by its fact sheet or its category, or guessed from the name in `facts`.
    `facts` are laid over those of the product. Raises NotFound for an unknown `product_id`, ValidationFailed for facts.
    """
    product = product_for_check(product_id) if product_id else None
    chosen = domain or (domain_of(product) if product else guess_domain("", str((facts or {}).get("name", ""))))
    known = facts_mapping(product=product) | dict(facts or {}) if product else facts
    return check_text(text=text, domain=chosen, facts=known), chosen


def domain_of(product: Product) -> Domain:
    """The domain that staff noted on the fact sheet of a product, or the one that its category and name suggest."""
    sheet = getattr(product, "fact_sheet", None)
    if sheet is not None and sheet.domain:
        return Domain(sheet.domain)
    return Domain(guess_domain(product.category.path or product.category.name, product.name))

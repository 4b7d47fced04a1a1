"""Changes that users make to categories and products."""

from __future__ import annotations

from django.db.models import QuerySet

from products.models import Category, Product


def enable_categories(*, categories: QuerySet[Category], enabled: bool) -> int:
    """Include these categories in the next crawls, or exclude them. Returns how many changed."""
    changed = list(categories.exclude(enabled=enabled))
    for category in changed:
        # One by one, since the audit trail listens to saves.
        category.enabled = enabled
        category.save(update_fields=["enabled"])
    return len(changed)


def set_note(*, product: Product, note: str) -> None:
    """Write the note and nothing else, since a crawl may be changing the same row."""
    product.note = note
    product.save(update_fields=["note"])

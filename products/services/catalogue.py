"""What people change of categories and products by hand."""

from __future__ import annotations

from django.db.models import QuerySet

from products.models import Category, Product


def enable_categories(*, categories: QuerySet[Category], enabled: bool) -> int:
    """Have the next crawls include these categories, or leave them out. Returns how many changed."""
    return categories.exclude(enabled=enabled).update(enabled=enabled)


def set_note(*, product: Product, note: str) -> None:
    """Write the note and nothing else, since a crawl may be changing the same row."""
    Product.objects.filter(pk=product.pk).update(note=note)

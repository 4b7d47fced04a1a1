"""What staff change of categories and products, for the audit trail. Crawls write by the million and are no changes."""

from __future__ import annotations

from auditlog.registry import auditlog

from products.models import Category, Product


def register() -> None:
    """Watch what people edit."""
    auditlog.register(Category, include_fields=["code", "level", "name", "path", "enabled"])
    auditlog.register(Product, include_fields=["note"])

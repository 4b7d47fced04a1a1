"""Fields of the audit trail: those that users edit. Writes of crawls, millions of them, are not audited."""

from __future__ import annotations

from auditlog.registry import auditlog

from products.models import Category, Product, Watch


def register() -> None:
    """Register the fields that users edit."""
    auditlog.register(Category, include_fields=["code", "level", "name", "path", "enabled", "gone_confirmed_at"])
    auditlog.register(Product, include_fields=["note"])
    auditlog.register(Watch, include_fields=["user", "product", "kind", "value", "active"])

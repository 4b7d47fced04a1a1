"""The admin of products, by subject."""

from products.admin import catalogue, crawls, events, held, watches

__all__ = ["catalogue", "crawls", "events", "held", "watches"]

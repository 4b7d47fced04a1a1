"""Tables of products, prices and crawls, by subject."""

from products.models.catalogue import (
    CatalogueVersion,
    Category,
    PriceEvent,
    PriceSpan,
    Product,
    ProductSearch,
    QuarantinedPrice,
    Unlisted,
)
from products.models.crawls import Alert, CategoryResult, CrawlError, CrawlRun, CrawlShard, Observation
from products.models.watches import Watch

__all__ = [
    "Alert",
    "CatalogueVersion",
    "Category",
    "CategoryResult",
    "CrawlError",
    "CrawlRun",
    "CrawlShard",
    "Observation",
    "PriceEvent",
    "PriceSpan",
    "Product",
    "ProductSearch",
    "QuarantinedPrice",
    "Unlisted",
    "Watch",
]

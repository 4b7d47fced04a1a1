"""Tables of products, prices and crawls, by subject."""

from products.models.catalogue import (
    Category,
    PriceEvent,
    PriceSpan,
    Product,
    ProductSearch,
    QuarantinedPrice,
)
from products.models.crawls import Alert, CategoryResult, CrawlError, CrawlRun, CrawlShard, Observation

__all__ = [
    "Alert",
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
]

"""Badges of states and kinds, links between pages, and a paginator that caches its count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from momo.admin.kit.display import BAD, BRAND, GOOD, INFO, WARN, badge, choice_badge, money, page_link, span
from products.models import CategoryResult, CrawlRun, CrawlShard, PriceEvent, Product, QuarantinedPrice
from products.selectors.counts import count_rows
from products.selectors.products import NOT_UPDATED

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

_status_badge = choice_badge({Product.Status.ACTIVE: GOOD, Product.Status.OUT_OF_STOCK: WARN})
kind_badge = choice_badge(
    {
        PriceEvent.Kind.NEW: INFO,
        PriceEvent.Kind.INCREASE: BAD,
        PriceEvent.Kind.DECREASE: GOOD,
        PriceEvent.Kind.RELISTED: BRAND,
        PriceEvent.Kind.OUT_OF_STOCK: WARN,
        PriceEvent.Kind.BACK_IN_STOCK: INFO,
    },
    "kind",
)
shard_badge = choice_badge(
    {CrawlShard.Status.RUNNING: INFO, CrawlShard.Status.DONE: GOOD, CrawlShard.Status.FAILED: BAD}
)
outcome_badge = choice_badge(
    {
        CategoryResult.Outcome.COMPLETE: GOOD,
        CategoryResult.Outcome.PARTIAL: WARN,
        CategoryResult.Outcome.BLOCKED: BAD,
        CategoryResult.Outcome.FAILED: BAD,
    },
    "outcome",
)
held_badge = choice_badge(
    {
        QuarantinedPrice.Status.HELD: WARN,
        QuarantinedPrice.Status.CONFIRMED: GOOD,
        QuarantinedPrice.Status.ACCEPTED: GOOD,
        QuarantinedPrice.Status.REJECTED: BAD,
    }
)
VERDICT_TONES = {CrawlRun.Verdict.OK: GOOD, CrawlRun.Verdict.SUSPECT: WARN, CrawlRun.Verdict.FAILED: BAD}


def verdict_badge(run: CrawlRun) -> SafeString:
    """Badge of a run: its verdict, or that it is running."""
    if not run.verdict:
        return badge(run.get_status_display(), INFO)
    text = run.get_verdict_display() if run.status == CrawlRun.Status.APPLIED else run.get_status_display()
    return badge(text, VERDICT_TONES[CrawlRun.Verdict(run.verdict)])


def product_badge(product: Product) -> SafeString:
    """Badge of a product's status as last seen; of a category that is switched off nobody knows it any more."""
    if product.status != Product.Status.DELISTED and not product.category.enabled:
        return badge(NOT_UPDATED)
    return _status_badge(product)


def price_in_list(product: Product) -> SafeString | str:
    """The price, and below it what keeps it from being certain; the list adds `held_price`."""
    shown: SafeString | str = money(product.price)
    if product.price_unread_since:
        shown = format_html("{}{}", shown, span("mo-sub", badge("售價讀不到", WARN)))
    held: int | None = getattr(product, "held_price", None)
    if held is not None:
        shown = format_html("{}{}", shown, span("mo-sub", badge(f"待確認 {money(held)}", WARN)))
    return shown


def product_link(pk: int, name: str) -> SafeString:
    """Link to the admin page of a product."""
    return page_link("products_product", pk, name)


def run_link(pk: int) -> SafeString:
    """Link to the admin page of a run."""
    return page_link("products_crawlrun", pk, f"#{pk}")


class CachingPaginator(_Paginator):
    """Caches the count for some seconds, as the API's product list does."""

    @cached_property
    def count(self) -> int:
        return count_rows(cast("QuerySet[Any]", self.object_list))

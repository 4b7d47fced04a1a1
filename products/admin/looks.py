"""Tones of states and kinds, links between pages, and a paginator that remembers its count."""

from __future__ import annotations

from typing import cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from momo.admin_kit.display import BAD, BRAND, GOOD, INFO, QUIET, WARN, badge, link
from products.models import CategoryResult, CrawlRun, CrawlShard, PriceEvent, Product, QuarantinedPrice
from products.selectors.counts import count_rows

PRODUCT_TONES = {Product.Status.ACTIVE: GOOD, Product.Status.OUT_OF_STOCK: WARN, Product.Status.DELISTED: QUIET}
KIND_TONES = {
    PriceEvent.Kind.NEW: INFO,
    PriceEvent.Kind.INCREASE: BAD,
    PriceEvent.Kind.DECREASE: GOOD,
    PriceEvent.Kind.DELISTED: QUIET,
    PriceEvent.Kind.RELISTED: BRAND,
    PriceEvent.Kind.OUT_OF_STOCK: WARN,
    PriceEvent.Kind.BACK_IN_STOCK: INFO,
}
VERDICT_TONES = {CrawlRun.Verdict.OK: GOOD, CrawlRun.Verdict.SUSPECT: WARN, CrawlRun.Verdict.FAILED: BAD}
SHARD_TONES = {
    CrawlShard.Status.PENDING: QUIET,
    CrawlShard.Status.RUNNING: INFO,
    CrawlShard.Status.DONE: GOOD,
    CrawlShard.Status.FAILED: BAD,
}
OUTCOME_TONES = {
    CategoryResult.Outcome.COMPLETE: GOOD,
    CategoryResult.Outcome.EMPTY: QUIET,
    CategoryResult.Outcome.PARTIAL: WARN,
    CategoryResult.Outcome.BLOCKED: BAD,
    CategoryResult.Outcome.FAILED: BAD,
}
HELD_TONES = {
    QuarantinedPrice.Status.HELD: WARN,
    QuarantinedPrice.Status.CONFIRMED: GOOD,
    QuarantinedPrice.Status.ACCEPTED: GOOD,
    QuarantinedPrice.Status.REJECTED: BAD,
    QuarantinedPrice.Status.GONE: QUIET,
}


def product_badge(product: Product) -> SafeString:
    return badge(product.get_status_display(), PRODUCT_TONES[Product.Status(product.status)])


def kind_badge(event: PriceEvent) -> SafeString:
    return badge(event.get_kind_display(), KIND_TONES[PriceEvent.Kind(event.kind)])


def verdict_badge(run: CrawlRun) -> SafeString:
    """The verdict of a run that has ended, else that it goes on."""
    if not run.verdict:
        return badge(run.get_status_display(), INFO)
    text = run.get_verdict_display() if run.status == CrawlRun.Status.APPLIED else run.get_status_display()
    return badge(text, VERDICT_TONES[CrawlRun.Verdict(run.verdict)])


def product_link(pk: int, text: str) -> SafeString:
    return link(reverse("admin:products_product_change", args=[pk]), text)


def run_link(pk: int) -> SafeString:
    return link(reverse("admin:products_crawlrun_change", args=[pk]), f"#{pk}")


class RememberingPaginator(Paginator):
    """Counts at most every some seconds, as the API's product list does."""

    @cached_property
    def count(self) -> int:
        return count_rows(cast(QuerySet, self.object_list))

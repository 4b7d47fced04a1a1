"""Observations and runs made by hand, for tests of what happens to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from products.models import Category, CategoryResult, CrawlRun, CrawlShard, Product
from products.services.apply import apply_run
from products.services.observations import ObservationRow, copy_observations
from products.services.runs import start_run

START = datetime(2026, 3, 2, 6, 0, tzinfo=timezone.get_fixed_timezone(0))


def category(code: str = "1100100000", **values: Any) -> Category:
    return Category.objects.get_or_create(code=code, defaults={"name": f"分類{code[-4:]}", **values})[0]


def item(product_id: str, price: int | None = 1000, **values: Any) -> dict[str, Any]:
    return {
        "code": product_id,
        "name": f"商品 {product_id}",
        "brand": "品牌",
        "url": f"https://www.momoshop.com.tw/product/{product_id}",
        "price": price,
        **values,
    }


def absent(product_id: str) -> dict[str, Any]:
    return {"code": product_id, "in_stock": False, "absent": True, "source": "page"}


def failed(product_id: str) -> dict[str, Any]:
    """A product page that was asked for and did not answer."""
    return absent(product_id) | {"source": "fail"}


def on_page(product_id: str, price: int | None = 1000, **values: Any) -> dict[str, Any]:
    """A product that is not listed, and whose own page is alive."""
    return item(product_id, price, source="page", **values)


def lowest_of_spans(product: Product, now: datetime) -> int | None:
    """The lowest price of 30 days, worked out from the spans one by one."""
    since = now - timedelta(days=30)
    shown = (span.price for span in product.spans.all() if span.last_seen_at is None or span.last_seen_at >= since)
    return min(shown, default=None)


class Runs:
    """Applies one run after another, two hours apart."""

    def __init__(self) -> None:
        self.at = START

    def run(
        self,
        seen: dict[Category, Iterable[dict[str, Any]]],
        outcomes: dict[Category, str] | None = None,
        *,
        pages_answer: dict[Category, bool | None] | None = None,
        **values: Any,
    ) -> CrawlRun:
        run = self.crawled(seen, outcomes, **values)
        for where, answer in (pages_answer or {}).items():
            CategoryResult.objects.filter(run=run, category=where).update(pages_answer=answer)
        assert apply_run(run.pk, now=self.at)
        run.refresh_from_db()
        return run

    def crawled(
        self, seen: dict[Category, Iterable[dict[str, Any]]], outcomes: dict[Category, str] | None = None, **values: Any
    ) -> CrawlRun:
        """A run whose shards have ended, not yet applied."""
        self.at += timedelta(hours=2)
        codes = [row.code for row in seen]
        run = start_run(trigger=CrawlRun.Trigger.COMMAND, categories=codes, dispatch=False, at=self.at, **values).run
        shard = run.shards.first()
        assert shard is not None
        rows = []
        results = []
        for where, items in seen.items():
            listed = list(items)
            rows += [
                ObservationRow(run_id=run.pk, shard_id=shard.pk, category_id=where.pk, observed_at=self.at, **one)
                for one in listed
            ]
            outcome = (outcomes or {}).get(where, "complete")
            number = sum(one.get("source", "list") == "list" for one in listed)
            results.append(CategoryResult(run=run, category=where, outcome=outcome, seen=number))
        with transaction.atomic():
            copy_observations(rows)
            CategoryResult.objects.bulk_create(results)
            run.shards.update(status=CrawlShard.Status.DONE)
        return run

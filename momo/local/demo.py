"""Demo data: the shop's categories, two weeks of prices from before the first start, and one real crawl.

The past goes through the same tables and the same `apply_run` as a crawl; only the walk over HTTP is left out, since
the shop cannot be asked for yesterday.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from momo.local.services import DEMO_PAST_DAYS, DEMO_SIZE
from momo.local.shop import Catalogue
from momo.local.shop.days import IN_CATEGORY, State
from momo.local.shop.items import image_path
from products.models import Category, CategoryResult, CrawlRun, CrawlShard, Product
from products.services.apply import apply_run
from products.services.runs import start_run
from products.services.shards import copy_observations, observation_row


def load(*, size: int = DEMO_SIZE, days: int = DEMO_PAST_DAYS, seed: int = 1) -> bool:
    """Fill an empty database with categories and `days` days of prices. False if it has categories already."""
    if Category.objects.exists():
        return False
    catalogue = Catalogue(seed, size)
    load_categories(catalogue)
    start = timezone.localtime().replace(hour=14, minute=0, second=0, microsecond=0) - timedelta(days=days)
    for day in range(days):
        load_day(catalogue, day, at=start + timedelta(days=day))
    return True


def load_categories(catalogue: Catalogue) -> None:
    Category.objects.bulk_create(
        Category(code=row.code, level=int(row.level), name=row.name, path=row.path) for row in catalogue.categories()
    )


def load_day(catalogue: Catalogue, day: int, *, at: datetime) -> CrawlRun:
    """Store and apply what a crawl at `at` would have seen on the shop's day `day`."""
    run = start_run(trigger=CrawlRun.Trigger.COMMAND, dispatch=False, at=at).run
    categories = {category.code: category for category in Category.objects.filter(enabled=True)}
    on_sale = Product.objects.exclude(status=Product.Status.DELISTED).values_list("category__code", "product_id")
    shard = run.shards.first()
    assert shard is not None
    rows: list[tuple[Any, ...]] = []
    results = []
    seen: set[str] = set()
    for code, category in categories.items():
        listed = catalogue.listed(code, day)
        seen.update(listed)
        rows += [_row(catalogue, product_id, day, run, shard, category, at) for product_id in listed]
        results.append(
            CategoryResult(
                run=run, category=category, outcome="complete", pages=1, max_page=1, total=len(listed), seen=len(listed)
            )
        )
    for code, product_id in on_sale:
        if product_id not in seen:
            rows.append(_row(catalogue, product_id, day, run, shard, categories[code], at))
    with transaction.atomic():
        copy_observations(rows)
        CategoryResult.objects.bulk_create(results)
        run.shards.update(status=CrawlShard.Status.DONE, pages=1, pages_expected=1, heartbeat_at=at)
    apply_run(run.pk, now=at)
    return run


def _row(
    catalogue: Catalogue, product_id: str, day: int, run: CrawlRun, shard: CrawlShard, category: Category, at: datetime
) -> tuple[Any, ...]:
    product, state = catalogue.product(product_id), catalogue.state(product_id, day)
    item = {
        "product_id": product_id,
        "name": product.name,
        "brand": product.brand,
        "url": f"{settings.MOMO_SHOP_URL}/product/{product_id}",
        "image_url": f"{settings.MOMO_SHOP_URL}{image_path(product_id)}",
        "price": catalogue.price(product_id, day),
        "list_price": product.list_price,
        "in_stock": state == State.LISTED,
        "absent": state not in IN_CATEGORY and state != State.OUT_OF_STOCK_UNLISTED,
    }
    return observation_row(run_id=run.pk, shard_id=shard.pk, category_id=category.pk, item=item, observed_at=at)


def crawl_once(say: Callable[[str], None]) -> None:
    """The first crawl over HTTP, in the foreground; later ones are the schedule's."""
    if not Category.objects.filter(enabled=True).exists():
        say("還沒有分類：請在後台「分類」新增要監看的 momo 分類，或匯入分類表")
        return
    over_http = CrawlRun.objects.filter(status=CrawlRun.Status.APPLIED, shards__requests__gt=0)
    if over_http.exists():
        return
    say("第一次爬取")
    try:
        call_command("crawl")
    except CommandError as error:
        say(f"這次爬取沒有完成（{error}）；網站照常啟動，排程會再試")

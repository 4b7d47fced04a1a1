"""Applying a run over known products, 5 % of whose prices have changed, beside a bare COPY of the same observations."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from momo.local.demo import load_categories
from momo.local.shop import Catalogue
from products.models import Category, CategoryResult, CrawlRun, CrawlShard, Observation
from products.services.apply import apply_run
from products.services.observations import ObservationRow, copy_observations
from products.services.runs import start_run
from tests.benchmarks.context import Context
from tests.benchmarks.plans import explained
from tests.benchmarks.report import Row, interleave, seconds_of

PRODUCTS = 5_600


def run(context: Context) -> list[Row]:
    """Milliseconds of both, each with its commit."""
    size = 200 if context.quick else PRODUCTS
    with context.database("bench_apply"):
        day = Day(size)
        day.apply()  # the products become known
        for _ in range(4):  # as many runs as are kept, so that each later one has an old one to remove
            day.observe(changed_percent=5)
            day.apply()
        with connection.cursor() as cursor:
            # As autovacuum leaves a table that has been in use for a while.
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute(f"CREATE TABLE bare AS TABLE {Observation._meta.db_table} WITH NO DATA")

        def copy() -> float:
            day.observe(changed_percent=5)
            return 1000 * seconds_of(lambda: bare_copy(day.rows))

        floor, subject = interleave(3 if context.quick else 15, copy, lambda: 1000 * seconds_of(day.apply))
        run = CrawlRun.objects.latest("id")
        expected = size * 5 // 100
        if run.increased + run.decreased != expected:
            raise RuntimeError(f"{run.increased + run.decreased} changes, not {expected}")
        if context.plans:
            day.observe(changed_percent=5)
            with explained(context.console, "apply"):
                day.apply()
    return [Row(f"apply, {size:,} known products, 5 % changed", "COPY of the same rows", floor, subject, "ms", 5)]


class Day:
    """Runs over the same products, two hours apart, made without a crawl."""

    def __init__(self, size: int) -> None:
        self.catalogue = Catalogue(1, size)
        load_categories(self.catalogue)
        self.random = random.Random(1)
        self.at: datetime = timezone.now() - timedelta(days=30)
        self.categories = dict(Category.objects.values_list("code", "pk"))
        self.prices = {product.number: product.prices[0] for product in self.catalogue.products()}
        self.rows: list[ObservationRow] = []
        self.run: CrawlRun | None = None
        self.observe(changed_percent=0)

    def observe(self, *, changed_percent: int) -> None:
        """A run whose only shard has ended; that share of the prices has moved by 3 to 30 %."""
        self.at += timedelta(hours=2)
        changed = self.random.sample(sorted(self.prices), len(self.prices) * changed_percent // 100)
        for number in changed:
            step = self.random.choice((-1, 1)) * self.random.randint(3, 30)
            self.prices[number] = max(20, self.prices[number] * (100 + step) // 100 + (1 if step > 0 else -1))
        self.run = start_run(trigger=CrawlRun.Trigger.COMMAND, dispatch=False, at=self.at).run
        shard = self.run.shards.get()
        self.rows = [self._row(shard, number) for number in range(len(self.prices))]
        with transaction.atomic():
            copy_observations(self.rows)
            CategoryResult.objects.bulk_create(
                CategoryResult(run=self.run, category_id=pk, outcome="complete") for pk in self.categories.values()
            )
            self.run.shards.update(status=CrawlShard.Status.DONE)

    def apply(self) -> None:
        """Apply the run observed last."""
        assert self.run is not None
        if not apply_run(self.run.pk, now=self.at):
            raise RuntimeError("the run was not applied")

    def _row(self, shard: CrawlShard, number: int) -> ObservationRow:
        product = self.catalogue.products()[number]
        return ObservationRow(
            run_id=shard.run_id,
            shard_id=shard.pk,
            category_id=self.categories[product.categories[0]],
            code=product.id,
            observed_at=self.at,
            name=product.name,
            brand=product.brand,
            url=f"https://www.momoshop.com.tw/product/{product.id}",
            image_url=f"https://img4.momoshop.com.tw/goodsimg/{product.id}_L.webp",
            price=self.prices[number],
            # Far above every price, so that none is held as implausible.
            list_price=product.list_price,
        )


def bare_copy(rows: list[ObservationRow]) -> None:
    """COPY into a table without indexes or constraints, and commit."""
    with transaction.atomic():
        copy_observations(rows, table="bare")

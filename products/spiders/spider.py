"""The momo spider: walks categories by the shop's list JSON, then looks up the known products that were not listed.

It drives Scrapy's engine with coroutines instead of callbacks, since a category is a conversation whose next question
depends on the answers so far; downloads, delays, robots.txt and throttling remain Scrapy's.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, TypeVar

from scrapy import Request

from momo.core.waits import backoff
from products.spiders.pages import PRODUCT_ID, quote_value
from products.spiders.parsers import (
    CategoryPage,
    ListedItem,
    PageError,
    Problem,
    ProductPage,
    parse_category_page,
    parse_product_page,
)
from products.spiders.polite import PoliteSpider
from products.spiders.protocol import AbsentLine, AbsentOutcome, CategoryJob, ErrorLine, ItemLine, Job
from products.spiders.reporter import Reporter
from products.spiders.walk import LookUps, Trouble, Walk

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

LIST_PATH = "/api/moecapp/getCategoryGoodsV3"
# So many pages of goods on sale must open, of at most twice as many: then a page that says "missing" proves something.
CONTROLS = 2


class MomoSpider(PoliteSpider):
    """Runs one job. `finished` is true once a line was sent for every category."""

    name = "momo"

    def __init__(self, job: Job, out: BinaryIO, **kwargs: Any) -> None:
        super().__init__(job, out, **kwargs)
        self.job: Job = job
        self.reporter = Reporter(out)
        self._list_url = job.shop_url + LIST_PATH
        self._seen: set[str] = set()
        self._on_sale: list[str] = []  # some of the listed goods that can be bought

    def end(self) -> None:
        """Write the end line."""
        self.reporter.end(self.traffic.requests, self.traffic.retries)

    async def start(self) -> AsyncIterator[Any]:
        """Crawl, within Scrapy's start phase: the engine stays open until it ends."""
        job = self.job
        self.reporter.pages_expected = len(job.categories)
        self.reporter.progress(0, now=True)
        walks: list[Walk] = []

        async def walk(category: CategoryJob) -> None:
            walks.append(await self._walk(category))

        await _in_parallel(job.concurrency, job.categories, walk)
        # "Not seen" means nowhere in this job, which is known only now.
        await _in_parallel(job.concurrency, walks, self._look_up_unseen)
        # Last, when whatever the shop does to us has begun.
        needed = any(walk.look_ups.need_control for walk in walks)
        control = await self._control() if needed else None
        self.reporter.send(*(walk.line(control) for walk in walks))
        self.reporter.progress(self.traffic.requests, now=True)
        self.finished = True
        return
        yield  # Scrapy requires an asynchronous generator; this one yields nothing

    async def _walk(self, category: CategoryJob) -> Walk:
        walk = Walk(category, self.job.page_size, self.job.max_pages)
        await self._page(walk, walk.take_page() or 1)
        self.reporter.pages_expected += walk.last_page - 1

        async def more(_: int) -> None:
            while (number := walk.take_page()) is not None:
                await self._page(walk, number)

        await _in_parallel(self.job.concurrency, range(self.job.concurrency), more)
        self._seen |= walk.seen
        self.reporter.pages_expected -= max(0, walk.last_page - walk.next_page + 1)
        return walk

    async def _page(self, walk: Walk, number: int) -> None:
        try:
            page = await self._list_page(walk.job, number)
        except Trouble as trouble:
            walk.fail(number, trouble)
            message = f"第 {number} 頁：{trouble.message}"
            self.reporter.send(ErrorLine(walk.job.code, self._list_url, trouble.kind, message))
        else:
            fresh = [item for item in page.items if item.product_id not in walk.seen]
            walk.read(number, page)
            now = _now()
            # A page may name one product twice as well.
            unique = {item.product_id: item for item in reversed(fresh)}
            self.reporter.send(*(_listed(walk.job.code, item, now) for item in reversed(unique.values())))
            if len(self._on_sale) < 2 * CONTROLS:
                on_sale = (item.product_id for item in fresh if item.in_stock and not item.upcoming)
                self._on_sale += islice(on_sale, 1)
            self._report(walk.job.code, self._list_url, page.problems)
        self.reporter.pages += 1
        self.reporter.progress(self.traffic.requests)

    async def _list_page(self, category: CategoryJob, number: int) -> CategoryPage:
        # The request body is described, with its answer, in the project's notes on momo購物網 (August 2026).
        question = {
            "host": "momoshop",
            "data": {
                "cateCode": category.code,
                "cateLevel": category.level,
                "curPage": str(number),
                "sortType": "",
                "dispCnt": str(self.job.page_size),
                "brandCode": [],
                "brandName": [],
            },
        }
        for tried in (0, 1):
            response = await self.ask(
                Request(
                    self._list_url,
                    method="POST",
                    body=json.dumps(question).encode(),
                    headers={"Content-Type": "application/json", "Accept": "application/json"},
                )
            )
            try:
                return parse_category_page(response.body, self.job.shop_url)
            except PageError as error:
                if error.kind == "truncated" and tried == 0 and self.job.retry_times:
                    self.traffic.retries += 1
                    await asyncio.sleep(backoff(1, base=self.job.backoff, longest=self.job.retry_after_cap))
                    continue
                raise Trouble(error.kind, "blocked" if error.kind == "blocked" else "failed", error.message) from error
        raise AssertionError("unreachable: the second try returns or raises")

    async def _look_up_unseen(self, walk: Walk) -> None:
        """Where a walk can be trusted, ask for the pages of goods that are no longer listed, as many as allowed."""
        if walk.outcome()[0] not in ("complete", "empty"):
            return
        unseen = [product_id for product_id in walk.job.known if product_id not in self._seen]
        walk.look_ups.unseen = len(unseen)
        await _in_parallel(self.job.concurrency, unseen[: self.job.max_lookups], partial(self._look_up, walk))

    async def _look_up(self, walk: Walk, product_id: str) -> None:
        """Report what a product's own page says, unless the shop has refused one of this category's before."""
        category, found = walk.job.code, walk.look_ups
        if not PRODUCT_ID.fullmatch(product_id):
            # The id would become part of an address. One bad id of the worker must not end the whole job either.
            error = ErrorLine(category, "", "product_id", "品號格式不對，無法查詢", value=quote_value(product_id))
            self.reporter.send(error)
            self.reporter.send(AbsentLine(category, product_id, "error"))
            return
        if found.blocked:
            self.reporter.send(AbsentLine(category, product_id, "blocked"))
            return
        found.asked += 1
        url = self._product_url(product_id)
        try:
            page = await self._product_page(product_id)
        except Trouble as trouble:
            self.reporter.send(AbsentLine(category, product_id, _count(found, trouble)))
            if trouble.kind != "gone":
                self.reporter.send(ErrorLine(category, url, trouble.kind, trouble.message, product_id, trouble.value))
        else:
            found.alive += 1
            self.reporter.send(_own_page(category, page, url))
            self._report(category, url, page.problems)
        finally:
            self.reporter.progress(self.traffic.requests)

    async def _control(self) -> bool | None:
        """Whether the pages of goods that are surely on sale open; None if no such goods are known."""
        opened = closed = 0
        controls = [*self._on_sale, *filter(PRODUCT_ID.fullmatch, self.job.controls)]
        for product_id in controls[: 2 * CONTROLS]:
            try:
                await self._product_page(product_id)
            except Trouble:
                closed += 1
            else:
                opened += 1
            if max(opened, closed) >= CONTROLS:
                break
        return opened > closed if opened or closed else None

    def _product_url(self, product_id: str) -> str:
        return f"{self.job.shop_url}/product/{product_id}"

    async def _product_page(self, product_id: str) -> ProductPage:
        """Return the page of goods that can be or could be bought. Raises `Trouble` for every other answer."""
        url = self._product_url(product_id)
        response = await self.ask(Request(url))
        page = parse_product_page(response.body, url, response.url)
        if page.outcome == "missing_or_blocked":
            raise Trouble("gone", "failed", "商品頁說沒有這件商品")
        if page.outcome in ("unreadable", "other_page"):
            problem = page.problems[0]
            raise Trouble(problem.kind, "failed", problem.message, value=problem.value)
        return page

    def _report(self, category: str, url: str, problems: Iterable[Problem]) -> None:
        self.reporter.send(
            *(ErrorLine(category, url, each.kind, each.message, each.product_id, each.value) for each in problems)
        )


def _count(found: LookUps, trouble: Trouble) -> AbsentOutcome:
    """Count a page that did not bring its product back; returns how the protocol calls that."""
    if trouble.kind == "gone":
        found.missing += 1
        return "missing"
    if trouble.outcome == "blocked":
        found.blocked = found.blocked or trouble.message
        return "blocked"
    if trouble.kind in ("redirect", "mismatch"):
        found.elsewhere += 1
    else:
        found.failed += 1
    return "error"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _listed(category: str, item: ListedItem, now: str) -> ItemLine:
    return ItemLine(category=category, **item._asdict(), source="list", observed_at=now)


def _own_page(category: str, page: ProductPage, url: str) -> ItemLine:
    return ItemLine(
        category=category,
        product_id=page.product_id,
        name=page.name,
        brand=page.brand,
        price=page.price,
        list_price=page.list_price,
        url=url,
        image_url=page.image_url,
        in_stock=page.outcome == "in_stock",
        upcoming=page.upcoming,
        source="page",
        observed_at=_now(),
    )


async def _in_parallel(width: int, things: Iterable[_T], work: Callable[[_T], Awaitable[None]]) -> None:
    """Do the work for each thing, `width` at a time and begun in order; the first exception ends it all."""
    queue = iter(list(things))

    async def worker() -> None:
        for thing in queue:
            await work(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(worker())

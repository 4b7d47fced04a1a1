"""The momo spider: walks categories by the shop's list JSON, then asks for the known products that were not listed.

It drives Scrapy's engine with coroutines instead of callbacks, since a category is a conversation whose next question
depends on the answers so far; downloads, delays, robots.txt and throttling remain Scrapy's.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest

from products.spiders.job import AbsentOutcome, CategoryJob, ItemLine, Job
from products.spiders.middleware import ShopClosed, Traffic, backoff_seconds
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
from products.spiders.reporter import Reporter
from products.spiders.walk import Trouble, Walk

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

LIST_PATH = "/api/moecapp/getCategoryGoodsV3"


class MomoSpider(Spider):
    """Runs one job. `finished` is true once every category has had its line."""

    name = "momo"

    def __init__(self, job: Job, reporter: Reporter, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.reporter = reporter
        self.finished = False
        self.allowed_domains = [urlsplit(job.shop_url).hostname or ""]
        self._slots = asyncio.Semaphore(job.concurrency)
        self._seen: set[str] = set()

    @property
    def traffic(self) -> Traffic:
        """The counts that this crawl's middleware keeps."""
        traffic: Traffic = self.crawler.settings["MOMO_TRAFFIC"]
        return traffic

    async def start(self) -> AsyncIterator[Any]:
        """Crawl, within Scrapy's start phase: the engine stays open until it ends."""
        job = self.job
        self.reporter.pages_expected = len(job.categories)
        self.reporter.progress(0, now=True)
        walks: list[Walk] = []

        async def walk(category: CategoryJob) -> None:
            walks.append(await self._walk(category))

        await _in_parallel(job.concurrency, job.categories, walk)
        # "Not seen" means nowhere in this job, so it is only known now. Complete walks are told in this second round.
        await _in_parallel(job.concurrency, walks, self._settle)
        self.reporter.progress(self.traffic.requests, now=True)
        self.finished = True
        return
        yield  # an asynchronous generator, as Scrapy asks, that has nothing to hand over

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
            self._error(
                walk.job.code, self.job.shop_url + LIST_PATH, trouble.kind, f"第 {number} 頁：{trouble.message}"
            )
        else:
            fresh = [item for item in page.items if item.product_id not in walk.seen]
            walk.read(number, page)
            now = _now()
            # A page may name one product twice as well.
            unique = {item.product_id: item for item in reversed(fresh)}
            self.reporter.send_items([_listed(walk.job.code, item, now) for item in reversed(unique.values())])
            for problem in page.problems:
                self._problem(walk.job.code, self.job.shop_url + LIST_PATH, problem)
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
            body = await self._ask(
                Request(
                    self.job.shop_url + LIST_PATH,
                    method="POST",
                    body=json.dumps(question).encode(),
                    headers={"Content-Type": "application/json", "Accept": "application/json"},
                )
            )
            try:
                return parse_category_page(body, self.job.shop_url)
            except PageError as error:
                if error.kind == "truncated" and tried == 0 and self.job.retry_times:
                    self.traffic.retries += 1
                    await asyncio.sleep(backoff_seconds(self.job.backoff, 0, self.job.retry_after_cap))
                    continue
                raise Trouble(error.kind, "blocked" if error.kind == "blocked" else "failed", error.message) from error
        raise AssertionError("unreachable: the second try returns or raises")

    async def _settle(self, walk: Walk) -> None:
        """Report how a category ended and, where its walk can be trusted, look up what it no longer lists."""
        outcome, _ = walk.outcome()
        known = walk.job.known
        unseen = [] if outcome not in ("complete", "empty") else [i for i in known if i not in self._seen]
        limit = self.job.max_missing_percent / 100 * len(known)
        if len(unseen) >= self.job.min_missing and len(unseen) > limit:
            note = (
                f"已知的 {len(known)} 件裡有 {len(unseen)} 件不見，超過 {self.job.max_missing_percent:g}%，不逐一查詢"
            )
            self.reporter.send(walk.line(note))
            return
        refused: list[str] = []

        async def look_up(product_id: str) -> None:
            if refused:
                self._absent(walk.job.code, product_id, "blocked")
            elif await self._look_up(walk.job.code, product_id) == "blocked":
                refused.append(product_id)

        await _in_parallel(self.job.concurrency, unseen, look_up)
        self.reporter.send(walk.line(f"逐一查詢了 {len(unseen)} 件沒有列出的商品" if unseen else ""))

    async def _look_up(self, category: str, product_id: str) -> AbsentOutcome | None:
        """Ask for one product's own page; return what made it absent, or None when it was found."""
        if not PRODUCT_ID.fullmatch(product_id):
            # It would become part of an address. One odd row of the caller's must not cost it the whole job either.
            self._error(category, "", "product_id", "品號格式不對，無法查詢", value=quote_value(product_id))
            return self._absent(category, product_id, "error")
        url = f"{self.job.shop_url}/product/{product_id}"
        try:
            body = await self._ask(Request(url))
        except Trouble as trouble:
            if trouble.kind == "gone":
                return self._absent(category, product_id, "missing")
            self._error(category, url, trouble.kind, trouble.message, product_id)
            return self._absent(category, product_id, "blocked" if trouble.outcome == "blocked" else "error")
        finally:
            self.reporter.progress(self.traffic.requests)
        page = parse_product_page(body, url)
        if page.outcome == "missing_or_blocked":
            return self._absent(category, product_id, "missing")
        if page.outcome == "unreadable":
            self._error(category, url, "unreadable", "商品頁的版面無法辨識", product_id)
            return self._absent(category, product_id, "error")
        if page.product_id != product_id:
            self._error(category, url, "mismatch", f"商品頁是另一件商品（{page.product_id}）", product_id)
            return self._absent(category, product_id, "error")
        self.reporter.send_items([_own_page(category, page, url)])
        for problem in page.problems:
            self._problem(category, url, problem)
        return None

    async def _ask(self, request: Request) -> bytes:
        """Return the body of a 200 answer. Raises `Trouble` for everything else, when the retries are used up."""
        async with self._slots:
            try:
                response = await self.crawler.engine.download_async(request)
            except ShopClosed as closed:
                raise _closed(closed.status, f"網站要求等候 {closed.seconds:,.0f} 秒，超過上限，不再詢問") from closed
            except IgnoreRequest as error:
                if "robots" in str(error).lower():
                    raise Trouble("robots", "blocked", "網站的 robots.txt 不允許讀取") from error
                raise Trouble("ignored", "failed", f"沒有讀取：{error}") from error
            except DownloadTimeoutError as error:
                raise Trouble("timeout", "failed", f"網站超過 {self.job.timeout:g} 秒沒有回應") from error
            # Whatever a download can raise, one page's fault must not end the whole crawl.
            except Exception as error:
                logger.info("Could not get %s", request.url, exc_info=True)
                raise Trouble("network", "failed", f"連線失敗（{type(error).__name__}）") from error
        status = response.status
        if status == 200:
            return response.body
        if self.traffic.closed and status == self.traffic.closed.status:
            raise _closed(status, f"網站回覆 {status}，要求等候 {self.traffic.closed.seconds:,.0f} 秒，超過上限")
        if status == 403:
            raise Trouble("forbidden", "blocked", "網站拒絕存取（403）")
        if status == 429:
            raise Trouble("too_many", "blocked", "網站說詢問太多次（429），重試後仍然如此")
        if status in (404, 410) and request.method == "GET":
            raise Trouble("gone", "failed", f"沒有這個商品頁（{status}）")
        if 300 <= status <= 399:
            raise Trouble("redirect", "failed", f"網站把詢問轉到別處（{status}）")
        raise Trouble("http", "failed", f"網站回覆 HTTP {status}")

    def _problem(self, category: str, url: str, problem: Problem) -> None:
        self._error(category, url, problem.kind, problem.message, problem.product_id, problem.value)

    def _error(
        self,
        category: str,
        url: str,
        kind: str,
        message: str,
        product_id: str | None = None,
        value: str | None = None,
    ) -> None:
        self.reporter.send(
            {
                "type": "error",
                "category": category,
                "url": url,
                "kind": kind,
                "message": message,
                "product_id": product_id,
                "value": value,
            }
        )

    def _absent(self, category: str, product_id: str, outcome: AbsentOutcome) -> AbsentOutcome:
        self.reporter.send({"type": "absent", "category": category, "product_id": product_id, "outcome": outcome})
        return outcome


def _closed(status: int, message: str) -> Trouble:
    return Trouble("closed", "blocked" if status == 429 else "failed", message)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _listed(category: str, item: ListedItem, now: str) -> ItemLine:
    return {
        "type": "item",
        "category": category,
        "product_id": item.product_id,
        "name": item.name,
        "brand": item.brand,
        "price": item.price,
        "list_price": item.list_price,
        "url": item.url,
        "image_url": item.image_url,
        "stock": "in_stock" if item.in_stock else "out_of_stock",
        "upcoming": item.upcoming,
        "source": "list",
        "observed_at": now,
    }


def _own_page(category: str, page: ProductPage, url: str) -> ItemLine:
    return {
        "type": "item",
        "category": category,
        "product_id": page.product_id,
        "name": page.name,
        "brand": page.brand,
        "price": page.price,
        "list_price": page.list_price,
        "url": url,
        "image_url": page.image_url,
        "stock": "in_stock" if page.outcome == "in_stock" else "out_of_stock",
        "upcoming": page.upcoming,
        "source": "page",
        "observed_at": _now(),
    }


async def _in_parallel(width: int, things: Iterable[_T], work: Callable[[_T], Awaitable[None]]) -> None:
    """Do the work for each thing, `width` at a time and begun in order; the first exception ends it all."""
    queue = iter(list(things))

    async def worker() -> None:
        for thing in queue:
            await work(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(worker())

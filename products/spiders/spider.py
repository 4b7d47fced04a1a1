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
from typing import Any, TypeVar
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest

from momo.core.waits import backoff
from products.spiders.middleware import ShopClosed, Traffic
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
from products.spiders.protocol import AbsentLine, AbsentOutcome, CategoryJob, ErrorLine, ItemLine, Job
from products.spiders.reporter import Reporter
from products.spiders.walk import Trouble, Walk

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

LIST_PATH = "/api/moecapp/getCategoryGoodsV3"


class MomoSpider(Spider):
    """Runs one job. `finished` is true once a line was sent for every category."""

    name = "momo"

    def __init__(self, job: Job, reporter: Reporter, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.reporter = reporter
        self.finished = False
        self.allowed_domains = [urlsplit(job.shop_url).hostname or ""]
        self._list_url = job.shop_url + LIST_PATH
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
        # "Not seen" means nowhere in this job, which is known only now: the second round reports the complete walks.
        await _in_parallel(job.concurrency, walks, self._settle)
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
            body = await self._ask(
                Request(
                    self._list_url,
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
                    await asyncio.sleep(backoff(1, base=self.job.backoff, longest=self.job.retry_after_cap))
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
            # The id would become part of an address. One bad id of the worker must not end the whole job either.
            error = ErrorLine(category, "", "product_id", "品號格式不對，無法查詢", value=quote_value(product_id))
            self.reporter.send(error)
            return self._absent(category, product_id, "error")
        url = f"{self.job.shop_url}/product/{product_id}"
        try:
            body = await self._ask(Request(url))
        except Trouble as trouble:
            if trouble.kind == "gone":
                return self._absent(category, product_id, "missing")
            self.reporter.send(ErrorLine(category, url, trouble.kind, trouble.message, product_id))
            return self._absent(category, product_id, "blocked" if trouble.outcome == "blocked" else "error")
        finally:
            self.reporter.progress(self.traffic.requests)
        page = parse_product_page(body, url)
        if page.outcome == "missing_or_blocked":
            return self._absent(category, product_id, "missing")
        if page.outcome == "unreadable":
            self.reporter.send(ErrorLine(category, url, "unreadable", "商品頁的版面無法辨識", product_id))
            return self._absent(category, product_id, "error")
        if page.product_id != product_id:
            message = f"商品頁是另一件商品（{page.product_id}）"
            self.reporter.send(ErrorLine(category, url, "mismatch", message, product_id))
            return self._absent(category, product_id, "error")
        self.reporter.send(_own_page(category, page, url))
        self._report(category, url, page.problems)
        return None

    async def _ask(self, request: Request) -> bytes:
        """Return the body of a 200 answer. Raises `Trouble` for everything else, when the retries are used up."""
        async with self._slots:
            try:
                response = await self.crawler.engine.download_async(request)
            # Whatever a download raises, one page's fault must not end the whole crawl.
            except Exception as error:
                raise self._download_trouble(error, request.url) from error
        if response.status == 200:
            return response.body
        raise self._answer_trouble(response.status, request.method)

    def _download_trouble(self, error: Exception, url: str) -> Trouble:
        match error:
            case ShopClosed(status=status, seconds=seconds):
                return _closed(status, f"網站要求等候 {seconds:,.0f} 秒，超過上限，不再詢問")
            case IgnoreRequest() if "robots" in str(error).lower():
                return Trouble("robots", "blocked", "網站的 robots.txt 不允許讀取")
            case IgnoreRequest():
                return Trouble("ignored", "failed", f"沒有讀取：{error}")
            case DownloadTimeoutError():
                return Trouble("timeout", "failed", f"網站超過 {self.job.timeout:g} 秒沒有回應")
        logger.info("Could not get %s", url, exc_info=error)
        return Trouble("network", "failed", f"連線失敗（{type(error).__name__}）")

    def _answer_trouble(self, status: int, method: str) -> Trouble:
        closed = self.traffic.closed
        if closed and status == closed.status:
            return _closed(status, f"網站回覆 {status}，要求等候 {closed.seconds:,.0f} 秒，超過上限")
        if status == 403:
            return Trouble("forbidden", "blocked", "網站拒絕存取（403）")
        if status == 429:
            return Trouble("too_many", "blocked", "網站說詢問太多次（429），重試後仍然如此")
        if status in (404, 410) and method == "GET":
            return Trouble("gone", "failed", f"沒有這個商品頁（{status}）")
        if 300 <= status <= 399:
            return Trouble("redirect", "failed", f"網站把詢問轉到別處（{status}）")
        return Trouble("http", "failed", f"網站回覆 HTTP {status}")

    def _report(self, category: str, url: str, problems: Iterable[Problem]) -> None:
        self.reporter.send(
            *(ErrorLine(category, url, each.kind, each.message, each.product_id, each.value) for each in problems)
        )

    def _absent(self, category: str, product_id: str, outcome: AbsentOutcome) -> AbsentOutcome:
        self.reporter.send(AbsentLine(category, product_id, outcome))
        return outcome


def _closed(status: int, message: str) -> Trouble:
    return Trouble("closed", "blocked" if status == 429 else "failed", message)


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

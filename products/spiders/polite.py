"""A spider that asks one host politely, and says in Traditional Chinese why an answer could not be had.

Shared by all spiders: that of momo, and those of the sites with trends.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest
from scrapy.http import Response

from products.spiders.middleware import ShopClosed, Traffic
from products.spiders.walk import Trouble

logger = logging.getLogger(__name__)


class PoliteJob(Protocol):
    """How politely a host is asked; see `products.spiders.protocol.Job`. `site` is the host's address."""

    @property
    def site(self) -> str: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def concurrency(self) -> int: ...
    @property
    def delay(self) -> float: ...
    @property
    def autothrottle(self) -> bool: ...
    @property
    def timeout(self) -> float: ...
    @property
    def robots(self) -> bool: ...
    @property
    def retry_times(self) -> int: ...
    @property
    def retry_after_cap(self) -> float: ...
    @property
    def backoff(self) -> float: ...


class PoliteSpider(Spider):
    """Base of the spiders: a subclass crawls in `start`, writes lines to `out`, and sets `finished` at its end."""

    def __init__(self, job: PoliteJob, out: BinaryIO, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job: Any = job
        self.finished = False
        self.allowed_domains = [urlsplit(job.site).hostname or ""]
        self._slots = asyncio.Semaphore(job.concurrency)

    @property
    def traffic(self) -> Traffic:
        """The counts that this crawl's middleware keeps."""
        traffic: Traffic = self.crawler.settings["MOMO_TRAFFIC"]
        return traffic

    def end(self) -> None:
        """Write the last line; called once the spider has finished."""
        raise NotImplementedError

    async def ask(self, request: Request) -> Response:
        """Return a 200 answer, after redirects. Raises `Trouble` for everything else, when the retries are used up."""
        async with self._slots:
            try:
                response: Response = await self.crawler.engine.download_async(request)
            # Whatever a download raises, one page's fault must not end the whole crawl.
            except Exception as error:
                raise self._download_trouble(error, request.url) from error
        if response.status == 200:
            return response
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
            return Trouble("gone", "failed", f"沒有這個網頁（{status}）")
        if 300 <= status <= 399:
            return Trouble("redirect", "failed", f"網站把詢問轉到別處（{status}）")
        return Trouble("http", "failed", f"網站回覆 HTTP {status}")


def _closed(status: int, message: str) -> Trouble:
    return Trouble("closed", "blocked" if status == 429 else "failed", message)

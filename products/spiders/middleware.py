"""Scrapy components of polite requests: Retry-After, bounded retries with back-off, redirects within the host only."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost

from momo.core.waits import backoff, retry_after

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from products.spiders.polite import PoliteJob

logger = logging.getLogger(__name__)

TRANSIENT: tuple[type[Exception], ...] = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    ConnectError,
    ConnectionDone,
    ConnectionLost,
    OSError,
)
MAX_REDIRECTS = 3


class ShopClosed(IgnoreRequest):
    """Not sent: the shop demands a longer wait than the job allows. `status` is that of the answer that demanded it."""

    def __init__(self, status: int, seconds: float) -> None:
        self.status = status
        self.seconds = seconds
        super().__init__(f"status {status} demands a wait of {seconds:.0f} s")


@dataclass(slots=True)
class Traffic:
    """Shared by all requests of one crawl: counts, and the time (monotonic seconds) before which none may be sent."""

    requests: int = 0
    retries: int = 0
    not_before: float = 0.0
    closed: ShopClosed | None = None

    async def wait(self) -> None:
        """Return once a request may be sent. Raises `ShopClosed`."""
        while (left := self.not_before - time.monotonic()) > 0:
            await asyncio.sleep(left)
        if self.closed:
            raise ShopClosed(self.closed.status, self.closed.seconds)


class PoliteHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler with a gate: a Retry-After given to one request holds back all of them.

    The gate comes after Scrapy's own queue and delay, so that requests already in that queue are held back too.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._traffic: Traffic = crawler.settings["MOMO_TRAFFIC"]

    async def download_request(self, request: Request) -> Response:
        """Send the request when that is allowed. Raises `ShopClosed` and what the handler raises."""
        await self._traffic.wait()
        self._traffic.requests += 1
        return await super().download_request(request)


class RetryMiddleware:
    """Retries transient failures: 429 and 5xx, time-outs and broken connections. 403 is an answer, not a failure.

    A Retry-After within the job's cap is waited out; one beyond it ends the crawl's requests. Otherwise the wait
    doubles each time, with jitter. Replaces Scrapy's own middleware, which retries at once.
    """

    def __init__(self, job: PoliteJob, traffic: Traffic) -> None:
        self.job = job
        self.traffic = traffic

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryMiddleware:
        """Build from the settings MOMO_JOB and MOMO_TRAFFIC."""
        return cls(crawler.settings["MOMO_JOB"], crawler.settings["MOMO_TRAFFIC"])

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the response, or the request to send again."""
        if response.status not in (408, 429) and not 500 <= response.status <= 599:
            return response
        wait = None
        if response.status in (429, 503):
            wait = retry_after(response.headers.get("Retry-After"))
        if wait is not None and wait > self.job.retry_after_cap:
            self.traffic.closed = self.traffic.closed or ShopClosed(response.status, wait)
            return response
        return await self._again(request, f"HTTP {response.status}", wait) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return the request to send again, or None to let the exception pass."""
        if isinstance(exception, TRANSIENT):
            return await self._again(request, type(exception).__name__, None)
        return None

    async def _again(self, request: Request, reason: str, wait: float | None) -> Request | None:
        tried = request.meta.get("retry_times", 0)
        if tried >= self.job.retry_times:
            logger.warning("Gave up %s after %d tries: %s", request.url, tried + 1, reason)
            return None
        if wait is None:
            await asyncio.sleep(backoff(tried + 1, base=self.job.backoff, longest=self.job.retry_after_cap))
        else:
            self.traffic.not_before = max(self.traffic.not_before, time.monotonic() + wait)
        self.traffic.retries += 1
        logger.info("Trying %s again: %s", request.url, reason)
        again = request.copy()
        again.meta["retry_times"] = tried + 1
        return again


class RedirectMiddleware:
    """Follows a redirect to the same host only, at most three times; any other 3xx is handed on as the answer.

    A POST is repeated only for 307 and 308: the list's JSON is not available by GET.
    """

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the response, or the request it redirects to."""
        location = response.headers.get("Location")
        if response.status not in (301, 302, 303, 307, 308) or not location:
            return response
        if request.method == "POST" and response.status not in (307, 308):
            return response
        followed = request.meta.get("redirects", 0)
        target = urljoin(request.url, location.decode("latin-1"))
        if followed >= MAX_REDIRECTS or not same_shop(request.url, target):
            logger.warning("Not following %s to %s", request.url, target[:300])
            return response
        redirected: Request = request.replace(url=target)
        redirected.meta["redirects"] = followed + 1
        return redirected


def same_shop(here: str, there: str) -> bool:
    """Whether a redirect stays with the shop: same host and port, and never from https down to http."""
    try:
        a, b = urlsplit(here), urlsplit(there)
        ports = {"http": 80, "https": 443}
        if b.scheme not in ports or a.hostname != b.hostname or (a.scheme == "https" and b.scheme != "https"):
            return False
        port_a, port_b = a.port or ports[a.scheme], b.port or ports[b.scheme]
        return port_a == port_b or (port_a == 80 and port_b == 443)
    except ValueError:
        return False

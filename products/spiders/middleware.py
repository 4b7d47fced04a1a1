"""How the spider asks: waits as it is told, tries again within bounds, never follows the shop to another host."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from products.spiders.job import Job

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
    """Not sent: the shop has told this crawl to wait longer than it may. `status` is the answer that said so."""

    def __init__(self, status: int, seconds: float) -> None:
        self.status = status
        self.seconds = seconds
        super().__init__(f"told by {status} to wait {seconds:.0f} s")


@dataclass(slots=True)
class Traffic:
    """What all requests of one crawl share: counts, and the moments (monotonic seconds) that the shop has set."""

    requests: int = 0
    retries: int = 0
    not_before: float = 0.0
    closed: ShopClosed | None = None

    async def wait(self) -> None:
        """Return once the shop may be asked. Raises `ShopClosed`."""
        while (left := self.not_before - time.monotonic()) > 0:
            await asyncio.sleep(left)
        if self.closed:
            raise ShopClosed(self.closed.status, self.closed.seconds)


class PoliteHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler with a gate: a Retry-After given to one request holds back all of them.

    The gate stands here, after Scrapy's own queue and delay, because a request that already waits in that queue must
    be held back too.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._traffic: Traffic = crawler.settings["MOMO_TRAFFIC"]

    async def download_request(self, request: Request) -> Response:
        """Send the request when the shop may be asked. Raises `ShopClosed` and what the handler raises."""
        await self._traffic.wait()
        self._traffic.requests += 1
        return await super().download_request(request)


class RetryMiddleware:
    """Tries again what may pass: 429 and 5xx, time-outs and broken connections. 403 is an answer, not a fault.

    A Retry-After within the job's cap is waited out; one beyond it ends the crawl's requests. Otherwise the wait
    doubles each time, with jitter. Takes the place of Scrapy's own, which retries at once.
    """

    def __init__(self, job: Job, traffic: Traffic) -> None:
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
        told = None
        if response.status in (429, 503):
            told = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        if told is not None and told > self.job.retry_after_cap:
            self.traffic.closed = self.traffic.closed or ShopClosed(response.status, told)
            return response
        return await self._again(request, f"HTTP {response.status}", told) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return the request to send again, or None to let the exception pass."""
        if isinstance(exception, TRANSIENT):
            return await self._again(request, type(exception).__name__, None)
        return None

    async def _again(self, request: Request, reason: str, told: float | None) -> Request | None:
        tried = request.meta.get("retry_times", 0)
        if tried >= self.job.retry_times:
            logger.warning("Gave up %s after %d tries: %s", request.url, tried + 1, reason)
            return None
        if told is None:
            await asyncio.sleep(backoff_seconds(self.job.backoff, tried, self.job.retry_after_cap))
        else:
            self.traffic.not_before = max(self.traffic.not_before, time.monotonic() + told)
        self.traffic.retries += 1
        logger.info("Trying %s again: %s", request.url, reason)
        again = request.copy()
        again.meta["retry_times"] = tried + 1
        return again


class RedirectMiddleware:
    """Follows a redirect to the same host only, at most three times; any other 3xx is handed on as the answer.

    A POST is repeated only where the shop says so (307, 308): the list's JSON is not found by a GET.
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
    """Say whether a redirect stays with the shop: same host and port, and never from https down to http."""
    try:
        a, b = urlsplit(here), urlsplit(there)
        ports = {"http": 80, "https": 443}
        if b.scheme not in ports or a.hostname != b.hostname or (a.scheme == "https" and b.scheme != "https"):
            return False
        port_a, port_b = a.port or ports[a.scheme], b.port or ports[b.scheme]
        return port_a == port_b or (port_a == 80 and port_b == 443)
    except ValueError:
        return False


def retry_after_seconds(header: bytes | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks to wait (RFC 9110, 10.2.3), or None if it cannot be read."""
    if not header:
        return None
    text = header.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= 9 else 1e9
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())


def backoff_seconds(base: float, tried: int, cap: float) -> float:
    """Return the wait before try number `tried` + 2: base, doubled each time, ± half, at most `cap` seconds."""
    # Jitter only spreads load; nothing secret depends on it.
    return min(cap, base * float(1 << tried) * random.uniform(0.5, 1.5))  # noqa: S311

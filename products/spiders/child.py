"""`python -m products.spiders.child`: one job from stdin, its lines to stdout, its log to stderr.

Exit 0 after the end line; 2 for a job that cannot be run; 1 when the crawl broke off; 3 when stdout is closed or the
parent is gone. A process of its own because Twisted's reactor starts once in a process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from scrapy.crawler import AsyncCrawlerProcess

from products.spiders.middleware import Traffic
from products.spiders.polite import PoliteJob, PoliteSpider
from products.spiders.protocol import Job, JobError
from products.spiders.reporter import EXIT_UNHEARD
from products.spiders.spider import MomoSpider

EXIT_BROKEN_OFF = 1
EXIT_BAD_JOB = 2
_PARENT_CHECK_SECONDS = 0.5
_MAX_JOB_BYTES = 64 * 1024 * 1024
_MAX_BODY_BYTES = 8 * 1024 * 1024


def settings_of(job: PoliteJob) -> dict[str, Any]:
    """Return the Scrapy settings of a job. The component lists are complete: no component outside them is loaded."""
    host = urlsplit(job.site).hostname or ""
    middlewares: dict[str, int] = {
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": 50,
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": 100,
        "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
        "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
        "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
        "products.spiders.middleware.RetryMiddleware": 550,
        "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
        "products.spiders.middleware.RedirectMiddleware": 600,
    }
    if not _is_loopback(host):
        # A proxy of the environment is how some networks reach the shop; a stand-in on this machine needs none.
        middlewares["scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware"] = 750
    handler = "products.spiders.middleware.PoliteHandler"
    return {
        "USER_AGENT": job.user_agent,
        "ROBOTSTXT_OBEY": job.robots,
        "DOWNLOAD_DELAY": job.delay,
        "DOWNLOAD_TIMEOUT": job.timeout,
        "DOWNLOAD_MAXSIZE": _MAX_BODY_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        # Off by default in Scrapy; prices from an impostor would be worse than none.
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "CONCURRENT_REQUESTS": job.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": job.concurrency,
        "AUTOTHROTTLE_ENABLED": job.autothrottle,
        "AUTOTHROTTLE_START_DELAY": job.delay,
        # Scrapy's 60 s would shorten a longer delay.
        "AUTOTHROTTLE_MAX_DELAY": max(60.0, job.delay),
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(job.concurrency),
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "zh-TW,zh;q=0.9",
        },
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "DOWNLOADER_MIDDLEWARES_BASE": middlewares,
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {"scrapy.extensions.throttle.AutoThrottle": 0} if job.autothrottle else {},
        "DOWNLOAD_HANDLERS_BASE": {"http": handler, "https": handler},
        "LOG_LEVEL": "INFO",
        "LOG_VERSIONS": [],
        "STATS_DUMP": False,
        # The shop's pages are a few host names: one DNS thread is plenty.
        "REACTOR_THREADPOOL_MAXSIZE": 2,
    }


def run(read_job: Callable[[bytes], PoliteJob], spider_class: type[PoliteSpider]) -> int:
    """Run the job on stdin to its end; return the exit code."""
    _die_with_parent(os.getppid())
    # A stray print, of a library for example, must not reach the protocol: stdout becomes the log.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        raw = sys.stdin.buffer.read(_MAX_JOB_BYTES + 1)
        if len(raw) > _MAX_JOB_BYTES:
            raise JobError(f"the job is larger than {_MAX_JOB_BYTES} bytes")
        job = read_job(raw)
    except JobError as error:
        sys.stderr.write(f"bad job: {error}\n")
        return EXIT_BAD_JOB
    del raw
    process = AsyncCrawlerProcess(settings_of(job) | {"MOMO_JOB": job, "MOMO_TRAFFIC": Traffic()})
    crawler = process.create_crawler(spider_class)
    process.crawl(crawler, job=job, out=out)
    process.start()

    spider = crawler.spider
    if not isinstance(spider, PoliteSpider) or not spider.finished:
        return EXIT_BROKEN_OFF
    spider.end()
    return 0


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _die_with_parent(parent: int) -> None:
    """End this process within half a second of its parent's death, so that no orphan crawls on.

    A thread compares the parent's id. PR_SET_PDEATHSIG would fire when the *thread* that started the child ends, which
    in a worker with a pool of threads is not the worker's death.
    """

    def poll() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_SECONDS)
        os._exit(EXIT_UNHEARD)

    threading.Thread(target=poll, name="parent-poll", daemon=True).start()


if __name__ == "__main__":
    sys.exit(run(Job.from_json, MomoSpider))

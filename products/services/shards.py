"""One shard of a run: claimed, crawled in a child process, and stored by one COPY when the child says it is done."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from products.models import Category, CategoryResult, CrawlError, CrawlRun, CrawlShard, Observation, Product
from products.services.runs import fail_shard

logger = logging.getLogger(__name__)

MAX_ERRORS = 500  # rows kept a shard; the count goes on
HEARTBEAT_SECONDS = 1.0

OBSERVATION_COLUMNS = (
    "run_id, shard_id, category_id, code, name, brand, url, image_url, price, list_price, in_stock, absent, source, "
    "observed_at"
)


class ChildDied(RuntimeError):
    """The crawling process ended without saying that it was done; the text has its last words."""


class TakenOver(RuntimeError):
    """Another worker took the shard while we were silent; what we saw is dropped."""


@dataclass
class Seen:
    """What the child told, until it is stored."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    categories: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    error_count: int = 0
    end: dict[str, Any] | None = None


def claim_shard(shard_id: int) -> CrawlShard | None:
    """Take a shard that nobody works on; None if somebody does, or its run has ended.

    The attempt number goes up, so that whatever an earlier worker still does comes to nothing.
    """
    now = timezone.now()
    silent = now - timedelta(seconds=settings.CRAWL_HEARTBEAT_TIMEOUT)
    free = Q(status=CrawlShard.Status.PENDING) | Q(status=CrawlShard.Status.RUNNING, heartbeat_at__lt=silent)
    taken = CrawlShard.objects.filter(free, pk=shard_id, run__status=CrawlRun.Status.RUNNING).update(
        status=CrawlShard.Status.RUNNING, attempt=F("attempt") + 1, heartbeat_at=now, message=""
    )
    if not taken:
        return None
    CrawlRun.objects.filter(shards=shard_id, heartbeat_at__lt=now).update(heartbeat_at=now)
    return CrawlShard.objects.select_related("run").get(pk=shard_id)


def run_shard(shard_id: int, *, on_progress: Callable[[CrawlShard], None] | None = None) -> CrawlShard | None:
    """Crawl a shard to its end and store what was seen. None if there was nothing for us to do.

    A child that dies is started again, up to CRAWL_SHARD_ATTEMPTS times in all; then the shard has failed.
    """
    last_words = ""
    while (shard := claim_shard(shard_id)) is not None:
        if shard.attempt > settings.CRAWL_SHARD_ATTEMPTS:
            message = f"試了 {shard.attempt - 1} 次都沒有完成{last_words}"
            fail_shard(shard=shard, attempt=shard.attempt, message=message)
            return shard
        try:
            seen = crawl(shard, on_progress)
            store(shard, seen)
        except TakenOver:
            logger.warning("shard %s was taken over by another worker", shard)
            return None
        except ChildDied as error:
            logger.warning("crawling process of shard %s died: %s", shard, error)
            last_words = f"；{str(error)[:2000]}"
            give_back(shard, message=str(error)[:2000])
        except (KeyboardInterrupt, SystemExit):
            # Whoever starts again, often within seconds, need not wait until we count as silent.
            with contextlib.suppress(DatabaseError):
                give_back(shard)
            raise
        else:
            return shard
    return None


def give_back(shard: CrawlShard, *, message: str = "") -> None:
    """Leave a shard that is still ours to whoever comes next."""
    CrawlShard.objects.filter(pk=shard.pk, attempt=shard.attempt, status=CrawlShard.Status.RUNNING).update(
        status=CrawlShard.Status.PENDING, message=message
    )


# --- The child ------------------------------------------------------------------------------------------------------


def build_job(shard: CrawlShard) -> dict[str, Any]:
    """The child's work order; see products/spiders/job.py."""
    known: dict[str, list[str]] = defaultdict(list)
    on_sale = Product.objects.exclude(status=Product.Status.DELISTED)
    for code, product_id in on_sale.filter(category__code__in=shard.category_codes).values_list(
        "category__code", "product_id"
    ):
        known[code].append(product_id)
    levels = dict(Category.objects.filter(code__in=shard.category_codes).values_list("code", "level"))
    return {
        "shop_url": settings.MOMO_SHOP_URL,
        "user_agent": settings.CRAWL_USER_AGENT,
        "concurrency": settings.CRAWL_CONCURRENCY,
        "delay": settings.CRAWL_DELAY,
        "autothrottle": settings.CRAWL_AUTOTHROTTLE,
        "timeout": settings.CRAWL_TIMEOUT,
        "robots": settings.CRAWL_ROBOTS,
        "page_size": 35,
        "max_pages": settings.CRAWL_MAX_PAGES,
        "max_missing_percent": settings.CRAWL_MAX_MISSING_PERCENT,
        "min_missing": settings.CRAWL_MIN_MISSING,
        "retry_times": settings.CRAWL_RETRY_TIMES,
        "retry_after_cap": settings.CRAWL_RETRY_AFTER_CAP,
        "backoff": settings.CRAWL_BACKOFF,
        "categories": [
            {"code": code, "level": levels[code], "known": known[code]}
            for code in shard.category_codes
            if code in levels
        ],
    }


@contextlib.contextmanager
def child_process(job: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """Scrapy in a process of its own (a reactor starts once); it is gone when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "products.spiders.child"],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(json.dumps(job).encode())
        yield process
    finally:
        process.kill()
        process.wait()


def crawl(shard: CrawlShard, on_progress: Callable[[CrawlShard], None] | None) -> Seen:
    """Run the child and collect what it tells, with a sign of life every second. Raises ChildDied, TakenOver."""
    categories = dict(Category.objects.filter(code__in=shard.category_codes).values_list("code", "id"))
    seen = Seen()
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    last_words: list[bytes] = []
    deadline = time.monotonic() + settings.CRAWL_SHARD_TIMEOUT
    with child_process(build_job(shard)) as process:
        threads = [
            threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True),
            threading.Thread(target=_keep_tail, args=(process.stderr, last_words), daemon=True),
        ]
        for thread in threads:
            thread.start()
        next_sign = 0.0
        while True:
            try:
                line = lines.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                line = b""
            if line is None:
                break
            if line:
                _take(line, seen, shard, categories)
            if time.monotonic() > next_sign:
                next_sign = time.monotonic() + HEARTBEAT_SECONDS
                sign_of_life(shard)
                if on_progress:
                    on_progress(shard)
            if time.monotonic() > deadline:
                raise ChildDied(f"超過 {settings.CRAWL_SHARD_TIMEOUT} 秒還沒完成")
        process.wait(timeout=30)
        for thread in threads:
            thread.join(timeout=5)
    if seen.end is None:
        words = b"".join(last_words).decode(errors="replace").strip()[-1500:]
        raise ChildDied(f"爬取程序提早結束（代碼 {process.returncode}）{words}")
    return seen


def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _keep_tail(stream: IO[bytes], tail: list[bytes]) -> None:
    for line in stream:
        tail.append(line)
        del tail[:-20]


def sign_of_life(shard: CrawlShard) -> None:
    """Write heartbeat and progress. Raises TakenOver when the shard is no longer ours."""
    now = timezone.now()
    mine = CrawlShard.objects.filter(pk=shard.pk, attempt=shard.attempt, status=CrawlShard.Status.RUNNING)
    if not mine.update(
        heartbeat_at=now,
        pages=shard.pages,
        pages_expected=shard.pages_expected,
        items=shard.items,
        requests=shard.requests,
    ):
        raise TakenOver
    CrawlRun.objects.filter(pk=shard.run_id, status=CrawlRun.Status.RUNNING).update(heartbeat_at=now)


def _take(line: bytes, seen: Seen, shard: CrawlShard, categories: dict[str, int]) -> None:
    """One line of the child."""
    try:
        message = json.loads(line)
    except ValueError as error:
        raise ChildDied(f"爬取程序的輸出讀不懂：{line[:200]!r}") from error
    kind = message["type"]
    if kind == "items":
        for item in message["items"]:
            seen.rows.append(_item_row(item, shard, categories))
    elif kind == "item":
        seen.rows.append(_item_row(message, shard, categories))
    elif kind == "absent":
        if message["outcome"] == "missing":
            seen.rows.append(_absent_row(message, shard, categories))
    elif kind == "category":
        seen.categories.append(message)
    elif kind == "error":
        seen.error_count += 1
        if len(seen.errors) < MAX_ERRORS:
            seen.errors.append(message)
    elif kind == "progress":
        shard.requests = message["requests"]
        shard.items = message["items"]
        shard.pages = message["pages"]
        shard.pages_expected = message["pages_expected"]
    elif kind == "end":
        seen.end = message


def _item_row(item: dict[str, Any], shard: CrawlShard, categories: dict[str, int]) -> tuple[Any, ...]:
    in_stock = item["stock"] == "in_stock" and not item.get("upcoming")
    return (
        shard.run_id,
        shard.pk,
        categories[item["category"]],
        item["product_id"],
        item["name"],
        item["brand"][:120],
        item["url"],
        item["image_url"],
        item["price"],
        item["list_price"],
        in_stock,
        False,
        item["source"],
        item["observed_at"],
    )


def _absent_row(message: dict[str, Any], shard: CrawlShard, categories: dict[str, int]) -> tuple[Any, ...]:
    now = timezone.now().isoformat()
    category = categories[message["category"]]
    code = message["product_id"]
    return (shard.run_id, shard.pk, category, code, "", "", "", "", None, None, False, True, "page", now)


# --- Storing --------------------------------------------------------------------------------------------------------


def store(shard: CrawlShard, seen: Seen) -> None:
    """COPY what was seen and mark the shard done, in one transaction. Raises TakenOver."""
    end = seen.end or {}
    with transaction.atomic():
        mine = CrawlShard.objects.filter(pk=shard.pk, attempt=shard.attempt, status=CrawlShard.Status.RUNNING)
        if not mine.update(
            status=CrawlShard.Status.DONE,
            heartbeat_at=timezone.now(),
            pages=sum(result["pages"] for result in seen.categories),
            pages_expected=sum(result["max_page"] for result in seen.categories),
            items=sum(1 for row in seen.rows if not row[11]),
            requests=end.get("requests", 0),
            peak_rss_bytes=end.get("peak_rss_bytes", 0),
        ):
            raise TakenOver
        copy_observations(seen.rows)
        ids = dict(Category.objects.filter(code__in=shard.category_codes).values_list("code", "id"))
        CategoryResult.objects.bulk_create(
            CategoryResult(
                run_id=shard.run_id,
                category_id=ids[result["category"]],
                outcome=result["outcome"],
                pages=result["pages"],
                max_page=result["max_page"],
                total=result["total"],
                seen=result["seen"],
                message=result["message"],
            )
            for result in seen.categories
            if result["category"] in ids
        )
        CrawlError.objects.bulk_create(
            CrawlError(
                run_id=shard.run_id,
                category_code=error.get("category") or "",
                kind=error["kind"][:20],
                code=(error.get("product_id") or "")[:20],
                url=(error.get("url") or "")[:500],
                value=str(error.get("value") or "")[:200],
                message=error["message"],
            )
            for error in seen.errors
        )
        CrawlRun.objects.filter(pk=shard.run_id).update(
            heartbeat_at=timezone.now(), error_count=F("error_count") + seen.error_count
        )


def copy_observations(rows: list[tuple[Any, ...]]) -> None:
    """COPY observation rows, in the order of OBSERVATION_COLUMNS, inside the caller's transaction."""
    table = Observation._meta.db_table
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({OBSERVATION_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def observation_row(
    *, run_id: int, shard_id: int, category_id: int, item: dict[str, Any], observed_at: datetime
) -> tuple[Any, ...]:
    """A COPY row from plain values, for data that did not come through a child (the demo's past, benchmarks)."""
    return (
        run_id,
        shard_id,
        category_id,
        item["product_id"],
        item["name"],
        item.get("brand", ""),
        item["url"],
        item.get("image_url", ""),
        item["price"],
        item.get("list_price"),
        item.get("in_stock", True),
        item.get("absent", False),
        "page" if item.get("absent") else "list",
        observed_at,
    )

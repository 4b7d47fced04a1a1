"""One shard of a run: claimed, crawled in a child process, and stored by one COPY when the child says it is done."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from momo.core.work import AttemptFailed, run_work
from products.models import Category, CategoryResult, CrawlError, CrawlRun, CrawlShard, Product
from products.services.children import Child
from products.services.observations import ObservationRow, copy_observations
from products.services.runs import fail_shard, shards_to_crawl
from products.spiders.protocol import (
    AbsentLine,
    CategoryJob,
    CategoryLine,
    EndLine,
    ErrorLine,
    ItemLine,
    Job,
    Line,
    ProgressLine,
    ProtocolError,
    read_lines,
)

MAX_ERRORS = 500  # rows stored for a shard; all errors are counted
HEARTBEAT_SECONDS = 1.0
CONTROLS = 4  # goods whose pages show whether product pages open at all


class ChildDied(AttemptFailed):
    """The crawling process ended without its end line; the text holds the tail of its log."""


@dataclass
class Seen:
    """What the child reported, until it is stored."""

    items: list[ItemLine] = field(default_factory=list)
    absent: list[AbsentLine] = field(default_factory=list)
    categories: list[CategoryLine] = field(default_factory=list)
    errors: list[ErrorLine] = field(default_factory=list)  # at most MAX_ERRORS of `error_count`
    error_count: int = 0
    end: EndLine | None = None

    def take(self, line: Line, shard: CrawlShard) -> None:
        """Keep one line of the child; its progress goes to `shard`, which is not saved here."""
        match line:
            case ItemLine():
                self.items.append(line)
            case AbsentLine():
                self.absent.append(line)
            case CategoryLine():
                self.categories.append(line)
            case ErrorLine():
                self.error_count += 1
                if len(self.errors) < MAX_ERRORS:
                    self.errors.append(line)
            case ProgressLine():
                shard.requests, shard.items = line.requests, line.items
                shard.pages, shard.pages_expected = line.pages, line.pages_expected
            case EndLine():
                self.end = line

    def rows(self, shard: CrawlShard, category_ids: Mapping[str, int]) -> Iterator[ObservationRow]:
        """Yield the observations, without those of a category that was deleted meanwhile."""
        row = partial(ObservationRow, run_id=shard.run_id, shard_id=shard.pk)
        for item in self.items:
            if item.category in category_ids:
                yield row(
                    category_id=category_ids[item.category],
                    code=item.product_id,
                    observed_at=item.observed_at,
                    name=item.name,
                    brand=item.brand,
                    url=item.url,
                    image_url=item.image_url,
                    price=item.price,
                    list_price=item.list_price,
                    in_stock=item.in_stock and not item.upcoming,
                    source=item.source,
                )
        now = timezone.now()
        for line in self.absent:
            if line.category in category_ids:
                yield row(
                    category_id=category_ids[line.category],
                    code=line.product_id,
                    observed_at=now,
                    in_stock=False,
                    absent=True,
                    source="page" if line.outcome == "missing" else "fail",
                )


def run_shard(shard_id: int, *, on_progress: Callable[[CrawlShard], None] | None = None) -> CrawlShard | None:
    """Crawl a shard to its end and store what was seen. None if there was nothing for this worker to do.

    A child that dies is started again, up to CRAWL_SHARD_ATTEMPTS times in all; then the shard has failed.
    """

    def attempt(shard: CrawlShard) -> None:
        store(shard, seen=crawl(shard, on_progress=on_progress))

    return run_work(shards_to_crawl(), shard_id, attempt=attempt, end=fail_shard)


# --- The child ------------------------------------------------------------------------------------------------------


def build_job(shard: CrawlShard) -> Job:
    """Return what the child of a shard is to crawl."""
    known: dict[str, list[str]] = defaultdict(list)
    on_sale = Product.objects.exclude(status=Product.Status.DELISTED)
    # Those asked longest ago come first, so that all get their turn.
    asked = F("unlisted__asked_at").asc(nulls_first=True)
    for code, product_id in (
        on_sale.filter(category__code__in=shard.category_codes)
        .order_by(asked, "pk")
        .values_list("category__code", "product_id")
    ):
        known[code].append(product_id)
    levels = dict(Category.objects.filter(code__in=shard.category_codes).values_list("code", "level"))
    return Job(
        shop_url=settings.MOMO_SHOP_URL,
        user_agent=settings.CRAWL_USER_AGENT,
        categories=tuple(
            CategoryJob(code, str(levels[code]), tuple(known[code])) for code in shard.category_codes if code in levels
        ),
        concurrency=settings.CRAWL_CONCURRENCY,
        delay=settings.CRAWL_DELAY,
        autothrottle=settings.CRAWL_AUTOTHROTTLE,
        timeout=settings.CRAWL_TIMEOUT,
        robots=settings.CRAWL_ROBOTS,
        max_pages=settings.CRAWL_MAX_PAGES,
        max_lookups=settings.CRAWL_MAX_LOOKUPS,
        controls=_controls(shard),
        retry_times=settings.CRAWL_RETRY_TIMES,
        retry_after_cap=settings.CRAWL_RETRY_AFTER_CAP,
        backoff=settings.CRAWL_BACKOFF,
    )


def _controls(shard: CrawlShard) -> tuple[str, ...]:
    """Some goods of other categories that were on sale when last seen, the latest first."""
    others = Product.objects.filter(status=Product.Status.ACTIVE, unlisted=None, misses=0, category__enabled=True)
    others = others.exclude(category__code__in=shard.category_codes).order_by("-last_seen_at")
    return tuple(others.values_list("product_id", flat=True)[:CONTROLS])


def crawl(shard: CrawlShard, *, on_progress: Callable[[CrawlShard], None] | None) -> Seen:
    """Run the child and collect what it reports, with a heartbeat every second. Raises ChildDied, TakenOver."""
    seen = Seen()
    deadline = time.monotonic() + settings.CRAWL_SHARD_TIMEOUT
    next_heartbeat = 0.0
    with Child("products.spiders.child", build_job(shard).to_json()) as child:
        for raw in child.lines(every=HEARTBEAT_SECONDS):
            for line in _parsed(raw) if raw else ():
                seen.take(line, shard)
            if time.monotonic() > next_heartbeat:
                next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
                beat(shard)
                if on_progress:
                    on_progress(shard)
            if time.monotonic() > deadline:
                raise ChildDied(f"超過 {settings.CRAWL_SHARD_TIMEOUT} 秒還沒完成")
        died = child.ended_early()
    if seen.end is None:
        raise ChildDied(died)
    return seen


def _parsed(raw: bytes) -> list[Line]:
    try:
        return list(read_lines([raw]))
    except ProtocolError as error:
        raise ChildDied(f"讀取程式的輸出讀不懂：{raw[:200]!r}") from error


def beat(shard: CrawlShard) -> None:
    """Write heartbeat and progress of a shard, and the heartbeat of its run. Raises TakenOver."""
    progress = ("pages", "pages_expected", "items", "requests")
    shard.beat(**{name: getattr(shard, name) for name in progress})
    CrawlRun.objects.filter(pk=shard.run_id, status=CrawlRun.Status.RUNNING).update(heartbeat_at=timezone.now())


# --- Storing --------------------------------------------------------------------------------------------------------


def store(shard: CrawlShard, *, seen: Seen) -> None:
    """COPY what was seen and mark the shard done, in one transaction. Raises TakenOver."""
    with transaction.atomic():
        shard.finish(
            status=CrawlShard.Status.DONE,
            message="",
            pages=sum(line.pages for line in seen.categories),
            pages_expected=sum(line.max_page for line in seen.categories),
            items=len(seen.items),
            requests=seen.end.requests if seen.end else 0,
            peak_rss_bytes=seen.end.peak_rss_bytes if seen.end else 0,
        )
        ids = dict(Category.objects.filter(code__in=shard.category_codes).values_list("code", "id"))
        copy_observations(seen.rows(shard, ids))
        CategoryResult.objects.bulk_create(
            CategoryResult(
                run_id=shard.run_id,
                category_id=ids[line.category],
                outcome=line.outcome,
                pages=line.pages,
                max_page=line.max_page,
                total=line.total,
                seen=line.seen,
                message=line.message,
                pages_answer=line.pages_answer,
            )
            for line in seen.categories
            if line.category in ids
        )
        CrawlError.objects.bulk_create(
            CrawlError(
                run_id=shard.run_id,
                category_code=line.category,
                kind=line.kind[:20],
                code=(line.product_id or "")[:20],
                url=line.url[:500],
                value=(line.value or "")[:200],
                message=line.message,
            )
            for line in seen.errors
        )
        CrawlRun.objects.filter(pk=shard.run_id).update(
            heartbeat_at=timezone.now(), error_count=F("error_count") + seen.error_count
        )

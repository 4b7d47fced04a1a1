"""Life of a crawl run: started once, driven forward by whoever lives, closed when nobody does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from accounts.models import User
from products.models import Alert, Category, CategoryResult, CrawlRun, CrawlShard, Observation, Product
from products.services.tell import tell_soon

logger = logging.getLogger(__name__)

SHARD_TASK = "products.crawl_shard"
KEEP_OBSERVATIONS_OF = 3  # runs, for looking into what a run saw
ACTIVE = CrawlRun.Status.RUNNING
UNFINISHED = (CrawlShard.Status.PENDING, CrawlShard.Status.RUNNING)


class NothingToCrawl(ValueError):
    """No enabled category matches; the text says what to do."""


class UnknownCategories(ValueError):
    """Codes that are no category of ours, or one that is switched off."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = list(codes)
        super().__init__(f"沒有這些啟用中的分類：{'、'.join(self.codes)}")


class BrokerUnavailable(RuntimeError):
    """The message broker took no task; the run was closed again."""


@dataclass(frozen=True)
class Started:
    run: CrawlRun
    already_running: bool
    task_id: str


def start_run(
    *,
    trigger: CrawlRun.Trigger,
    user: User | None = None,
    categories: Sequence[str] | None = None,
    dispatch: bool = True,
    at: datetime | None = None,
) -> Started:
    """Open a run over the enabled categories (or those of `categories`), or answer the one that is going on.

    With `dispatch` its shards are sent to the workers on commit; without, the caller crawls them itself. `at` is the
    start, now by default.

    Raises NothingToCrawl, UnknownCategories, and at the commit BrokerUnavailable (after closing the run as failed).
    """
    now = at or timezone.now()
    chosen = _chosen_categories(categories)
    close_lost_runs(now=now)
    try:
        with transaction.atomic():
            run = CrawlRun.objects.create(
                trigger=trigger,
                requested_by=user,
                categories=len(chosen),
                started_at=now,
                heartbeat_at=now,
            )
            shards = CrawlShard.objects.bulk_create(
                CrawlShard(run=run, number=number, category_codes=codes)
                for number, codes in enumerate(split_into_shards(chosen), start=1)
            )
    except IntegrityError:
        active = CrawlRun.objects.filter(status=ACTIVE).first()
        if active is None:  # it ended between the two statements
            return start_run(trigger=trigger, user=user, categories=categories, dispatch=dispatch, at=at)
        return Started(active, already_running=True, task_id=task_id(active.shards.first()))
    if dispatch:
        # After the outermost commit, when workers can see the rows.
        transaction.on_commit(lambda: _dispatch(run, shards))
    return Started(run, already_running=False, task_id=task_id(shards[0]))


def _dispatch(run: CrawlRun, shards: Sequence[CrawlShard]) -> None:
    """Send a new run's shards; without a broker nothing has begun, so the run ends. Raises BrokerUnavailable."""
    try:
        for shard in shards:
            send_shard(shard)
    except BrokerUnavailable as error:
        close_run(run=run, status=CrawlRun.Status.FAILED, message=str(error))
        raise


def _chosen_categories(codes: Sequence[str] | None) -> list[tuple[str, int]]:
    """Enabled categories as (code, number of its products now on sale)."""
    enabled = Category.objects.filter(enabled=True)
    if codes is not None:
        wanted = set(codes)
        enabled = enabled.filter(code__in=wanted)
        unknown = wanted - set(enabled.values_list("code", flat=True))
        if unknown:
            raise UnknownCategories(sorted(unknown))
    rows = enabled.annotate(known=Count("products", filter=~Q(products__status=Product.Status.DELISTED)))
    chosen = list(rows.order_by("code").values_list("code", "known"))
    if not chosen:
        raise NothingToCrawl("沒有啟用的分類可爬。請先在後台「分類」新增或啟用分類。")
    return chosen


def split_into_shards(categories: Sequence[tuple[str, int]]) -> list[list[str]]:
    """Group (code, products) into at most CRAWL_SHARDS lists of about equal work, the largest category first."""
    count = max(1, min(settings.CRAWL_SHARDS, len(categories)))
    loads = [0] * count
    groups: list[list[str]] = [[] for _ in range(count)]
    for code, known in sorted(categories, key=lambda row: (-row[1], row[0])):
        lightest = loads.index(min(loads))
        groups[lightest].append(code)
        loads[lightest] += known + 1
    return groups


def task_id(shard: CrawlShard | None) -> str:
    """Id of the task of a shard's next attempt: sending it twice asks for the same thing."""
    return "" if shard is None else f"crawl-{shard.run_id}-{shard.number}-{shard.attempt + 1}"


def send_shard(shard: CrawlShard) -> None:
    """Hand a shard to the workers. Raises BrokerUnavailable."""
    try:
        current_app.send_task(SHARD_TASK, args=[shard.pk], task_id=task_id(shard))
    except (BrokerError, RedisError, OSError) as error:
        logger.exception("could not send shard %s", shard.pk)
        raise BrokerUnavailable("訊息佇列（Redis）連不上，爬取沒有開始。請確認 REDIS_URL 的服務後再試。") from error


def close_lost_runs(*, now: datetime | None = None) -> list[CrawlRun]:
    """Close runs of which nothing was heard for CRAWL_LOST_AFTER seconds. Nothing of them was applied."""
    silent = (now or timezone.now()) - timedelta(seconds=settings.CRAWL_LOST_AFTER)
    lost = list(CrawlRun.objects.filter(status=ACTIVE, heartbeat_at__lt=silent))
    for run in lost:
        close_run(run=run, status=CrawlRun.Status.LOST, message="太久沒有回報，視為中斷；沒有套用任何資料。")
    return lost


def close_run(*, run: CrawlRun, status: CrawlRun.Status, message: str) -> None:
    """End an active run without applying it, with one alert. Does nothing to a run that has ended."""
    now = timezone.now()
    with transaction.atomic():
        # Shards before their run, as a worker does that is storing one right now: no deadlock with it.
        unfinished = CrawlShard.objects.filter(run=run, status__in=UNFINISHED)
        list(unfinished.select_for_update().order_by("pk").values_list("pk"))
        changed = CrawlRun.objects.filter(pk=run.pk, status=ACTIVE).update(
            status=status, verdict=CrawlRun.Verdict.FAILED, message=message, finished_at=now
        )
        if not changed:
            return
        unfinished.update(status=CrawlShard.Status.FAILED, message=message)
        if not Alert.objects.filter(kind=Alert.Kind.FAILED, resolved_at=None).exists():
            Alert.objects.create(kind=Alert.Kind.FAILED, run=run, message=f"爬取 #{run.pk}：{message}", created_at=now)
            tell_soon()


def stale_shards(run: CrawlRun) -> list[CrawlShard]:
    """Shards of a run that nobody works on: never begun, or begun by someone who went silent."""
    silent = timezone.now() - timedelta(seconds=settings.CRAWL_HEARTBEAT_TIMEOUT)
    return list(
        run.shards.filter(
            Q(status=CrawlShard.Status.PENDING) | Q(status=CrawlShard.Status.RUNNING, heartbeat_at__lt=silent)
        )
    )


def fail_shard(*, shard: CrawlShard, attempt: int, message: str) -> bool:
    """Give a shard up: its categories count as failed in this run. False if another worker took it over."""
    with transaction.atomic():
        mine = CrawlShard.objects.filter(pk=shard.pk, attempt=attempt, status=CrawlShard.Status.RUNNING)
        if not mine.update(status=CrawlShard.Status.FAILED, message=message):
            return False
        CategoryResult.objects.bulk_create(
            [
                CategoryResult(
                    run_id=shard.run_id, category=category, outcome=CategoryResult.Outcome.FAILED, message=message
                )
                for category in Category.objects.filter(code__in=shard.category_codes)
            ],
            ignore_conflicts=True,
        )
    return True


def run_is_crawled(run_id: int) -> bool:
    """Whether every shard of a run has ended."""
    return not CrawlShard.objects.filter(run_id=run_id, status__in=UNFINISHED).exists()


def forget_observations() -> int:
    """Remove what all but the last KEEP_OBSERVATIONS_OF runs saw. Returns how many rows."""
    kept = CrawlRun.objects.order_by("-pk").values_list("pk", flat=True)[:KEEP_OBSERVATIONS_OF]
    oldest = min(kept, default=0)
    return Observation.objects.filter(run_id__lt=oldest).delete()[0]

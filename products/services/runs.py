"""Life of a crawl run: started once, swept while its workers die, closed when none is left."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from momo.core.errors import Unavailable, ValidationFailed
from momo.core.work import sweep
from products.models import Alert, Category, CategoryResult, CrawlRun, CrawlShard, PriceEvent, Product
from products.selectors.crawls import old_observations
from products.services.notify import notify_soon

logger = logging.getLogger(__name__)

ACTIVE = CrawlRun.Status.RUNNING
# Columns of a run that count its events of the kinds that decisions of users add.
DECIDED = {
    PriceEvent.Kind.INCREASE: "increased",
    PriceEvent.Kind.DECREASE: "decreased",
    PriceEvent.Kind.DELISTED: "delisted",
}
BROKER_AWAY = "價格更新沒有開始；請確認 REDIS_URL 的服務後再試"


class NothingToCrawl(ValidationFailed):
    """No category is enabled."""

    default_message = "沒有啟用的分類，沒有價格可以更新。請先在後台「分類」新增或啟用分類。"

    def __init__(self) -> None:
        super().__init__(self.default_message)


class UnknownCategories(ValidationFailed):
    """Codes of no category, or of one that is switched off."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = list(codes)
        self.reason = f"沒有這些啟用中的分類：{'、'.join(self.codes)}"
        super().__init__(fields={"categories": [self.reason]})

    def __str__(self) -> str:
        """The reason without the name of the API's field."""
        return self.reason


@dataclass(frozen=True)
class Started:
    """The active run, whether it was active before, and the id of the task of its first shard."""

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
    """Open a run over the enabled categories (or those of `categories`), or return the active one.

    With `dispatch` its shards are enqueued on commit; without, the caller crawls them itself. `at` is the start, now by
    default.

    Raises NothingToCrawl, UnknownCategories, and at the commit Unavailable (after closing the run as failed).
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
        if active is None:  # the active run ended between the two statements
            return start_run(trigger=trigger, user=user, categories=categories, dispatch=dispatch, at=at)
        return Started(active, already_running=True, task_id=_task_id(active.shards.first()))
    if dispatch:
        # After the outermost commit, when workers can see the rows.
        transaction.on_commit(lambda: _dispatch(run, shards))
    return Started(run, already_running=False, task_id=shards[0].task_id)


def _dispatch(run: CrawlRun, shards: Sequence[CrawlShard]) -> None:
    """Enqueue a new run's shards; without a broker nothing has begun, so the run ends. Raises Unavailable."""
    if not all(shard.enqueue() for shard in shards):
        error = Unavailable("訊息佇列", BROKER_AWAY, retry_after=5)
        close_run(run=run, status=CrawlRun.Status.FAILED, message=str(error))
        raise error


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
        raise NothingToCrawl
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


def _task_id(shard: CrawlShard | None) -> str:
    return "" if shard is None else shard.task_id


def close_lost_runs(*, now: datetime | None = None) -> list[CrawlRun]:
    """Close runs without a heartbeat for CRAWL_LOST_AFTER seconds. Nothing of them is applied."""
    silent = (now or timezone.now()) - timedelta(seconds=settings.CRAWL_LOST_AFTER)
    lost = list(CrawlRun.objects.filter(status=ACTIVE, heartbeat_at__lt=silent))
    for run in lost:
        close_run(run=run, status=CrawlRun.Status.LOST, message="太久沒有回報，視為中斷；沒有套用任何資料。")
    return lost


def close_run(*, run: CrawlRun, status: CrawlRun.Status, message: str) -> None:
    """End an active run without applying it, with one alert. Does nothing to a run that has ended."""
    now = timezone.now()
    with transaction.atomic():
        # Locks the shards before their run, in the order of a worker that stores a shard: no deadlock.
        unfinished = CrawlShard.objects.filter(run=run, status__in=CrawlShard.UNFINISHED)
        list(unfinished.select_for_update().order_by("pk").values_list("pk"))
        changed = CrawlRun.objects.filter(pk=run.pk, status=ACTIVE).update(
            status=status, verdict=CrawlRun.Verdict.FAILED, message=message, finished_at=now
        )
        if not changed:
            return
        unfinished.update(status=CrawlShard.Status.FAILED, message=message)
        if not Alert.objects.filter(kind=Alert.Kind.FAILED, resolved_at=None).exists():
            Alert.objects.create(
                kind=Alert.Kind.FAILED, run=run, message=f"價格更新 #{run.pk}：{message}", created_at=now
            )
            notify_soon()


def shards_to_crawl() -> QuerySet[CrawlShard]:
    """Return the shards of the active run; those of a run that has ended are not worked on."""
    return CrawlShard.objects.filter(run__status=ACTIVE)


def sweep_shards() -> None:
    """Release the shards of silent workers, and enqueue those that wait."""
    sweep(shards_to_crawl(), end=fail_shard)


def fail_shard(shard: CrawlShard, attempts: int) -> None:
    """Give a claimed shard up after so many attempts: its categories count as failed in this run. Raises TakenOver."""
    message = f"試了 {attempts} 次都沒有完成{'；' if shard.message else ''}{shard.message}"
    with transaction.atomic():
        shard.finish(status=CrawlShard.Status.FAILED, message=message)
        CategoryResult.objects.bulk_create(
            [
                CategoryResult(
                    run_id=shard.run_id, category=category, outcome=CategoryResult.Outcome.FAILED, message=message
                )
                for category in Category.objects.filter(code__in=shard.category_codes)
            ],
            ignore_conflicts=True,
        )


def run_is_crawled(run_id: int) -> bool:
    """Whether every shard of a run has ended."""
    return not CrawlShard.objects.filter(run_id=run_id, status__in=CrawlShard.UNFINISHED).exists()


def count_decided(*, run_id: int, kind: PriceEvent.Kind) -> None:
    """Count the events of one kind of a run anew after a decision added one: its page counts what its list shows."""
    events = PriceEvent.objects.filter(run=run_id, kind=kind).count()
    CrawlRun.objects.filter(pk=run_id).update(**{DECIDED[kind]: events})


def delete_old_observations() -> int:
    """Delete the observations that are old. Returns how many rows."""
    return old_observations().delete()[0]

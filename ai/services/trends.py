"""Refreshes lists of trends: a list that was read whole replaces the last one; a failure keeps it and says why."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ai.models import TrendCategory, TrendList
from ai.spiders.pages import ListError, TrendPage
from ai.spiders.protocol import KEYS, EndLine, FailedLine, Line, ListLine, TrendJob, read_line
from ai.spiders.youtube import QuotaExceeded, YouTube
from momo.core.errors import Conflict, NotFound, ValidationFailed
from momo.core.locks import lock_held
from products.services.children import Child

logger = logging.getLogger(__name__)
Source = TrendCategory.Source
KEY_FORMS = {
    Source.MYBEST: "mybest 的代碼是文章網址最後的數字，例如 114158",
    Source.COSME: "@cosme 的代碼是標籤編號（例如 105），或新品 newhot-0 到 newhot-12",
}


@dataclass(frozen=True)
class Refreshed:
    """How the attempt at a list ended; `error` is empty if it succeeded."""

    trend: TrendCategory
    items: int = 0
    error: str = ""


@dataclass(frozen=True)
class _Read:
    """A list as it was read, or why it was not."""

    title: str = ""
    items: tuple[dict[str, object], ...] = ()
    error: str = ""


OnProgress = Callable[[Refreshed], None]


def check_key(*, source: str, key: str) -> None:
    """Raise ValidationFailed if `key` cannot name a list of its source."""
    pattern = KEYS.get(source)
    if pattern and not pattern.fullmatch(key):
        raise ValidationFailed(fields={"key": [KEY_FORMS[Source(source)]]})


def refresh_trends(
    *, source: str = "", trend_id: int | None = None, on_progress: OnProgress | None = None
) -> list[Refreshed]:
    """Read the enabled lists, those of one source, or the one with this id, enabled or not; and store each source.

    Raises ValidationFailed (unknown source), NotFound, and Conflict while another refresh runs.
    """
    if source and source not in Source.values:
        raise ValidationFailed(fields={"source": [f"沒有這個來源；可用：{'、'.join(Source.values)}"]})
    chosen = TrendCategory.objects.filter(pk=trend_id) if trend_id else TrendCategory.objects.filter(enabled=True)
    rows = list((chosen.filter(source=source) if source else chosen).order_by("source", "pk"))
    if trend_id and not rows:
        raise NotFound("找不到這個清單")
    done: list[Refreshed] = []
    with lock_held("ai.refresh_trends") as held:
        if not held:
            raise Conflict("趨勢清單正在更新中，請等它完成")
        for name, group in groupby(rows, key=attrgetter("source")):
            trends = list(group)
            read = dict(_read(Source(name), trends, on_progress))
            done += _store(trends, read)
    return done


# --- Reading ----------------------------------------------------------------------------------------------------------


def _read(source: Source, trends: list[TrendCategory], on_progress: OnProgress | None) -> Iterator[tuple[int, _Read]]:
    """Yield each row's id with what was read, in the order in which they are done."""
    by_key = {trend.key: trend for trend in trends}
    found = _from_youtube(by_key) if source == Source.YOUTUBE else _from_child(source, by_key)
    for key, read in found:
        if trend := by_key.pop(key, None):
            if on_progress:
                on_progress(Refreshed(trend, len(read.items), read.error))
            yield trend.pk, read


def _from_youtube(keys: Iterable[str]) -> Iterator[tuple[str, _Read]]:
    api = YouTube(
        url=settings.YOUTUBE_API_URL,
        key=settings.YOUTUBE_API_KEY,
        timeout=settings.TREND_TIMEOUT,
        retries=settings.CRAWL_RETRY_TIMES,
        wait=settings.CRAWL_BACKOFF,
        seconds=settings.TREND_SOURCE_TIMEOUT,
    )
    deadline = time.monotonic() + settings.TREND_SOURCE_TIMEOUT
    refusal = "" if api.key else "沒有設定 YOUTUBE_API_KEY，無法查詢 YouTube"
    for key in list(keys):
        if not refusal and time.monotonic() > deadline:
            refusal = f"超過 {settings.TREND_SOURCE_TIMEOUT} 秒，這個清單沒有讀到"
        if refusal:
            yield key, _Read(error=refusal)
            continue
        try:
            page = api.most_viewed(key, days=settings.TREND_VIDEO_DAYS, limit=settings.TREND_ITEMS)
        except QuotaExceeded as error:
            refusal = str(error)
            yield key, _Read(error=refusal)
        except ListError as error:
            yield key, _Read(error=str(error))
        else:
            yield key, _of_page(page)


def _of_page(page: TrendPage) -> _Read:
    return _Read(page.title, tuple(item.as_dict() for item in page.items))


def _from_child(source: Source, keys: Iterable[str]) -> Iterator[tuple[str, _Read]]:
    """Run the spider; what it did not come to is an error."""
    wanted = list(keys)
    for key in [key for key in wanted if not KEYS[source].fullmatch(key)]:
        wanted.remove(key)
        yield key, _Read(error=KEY_FORMS[source])
    if not wanted:
        return
    job = TrendJob(
        source=source,
        site=settings.MYBEST_URL if source == Source.MYBEST else settings.COSME_URL,
        keys=tuple(wanted),
        limit=settings.TREND_ITEMS,
        user_agent=settings.CRAWL_USER_AGENT,
        delay=settings.TREND_DELAY,
        timeout=settings.TREND_TIMEOUT,
        autothrottle=settings.CRAWL_AUTOTHROTTLE,
        retry_times=settings.CRAWL_RETRY_TIMES,
        retry_after_cap=settings.CRAWL_RETRY_AFTER_CAP,
        backoff=settings.CRAWL_BACKOFF,
    )
    missing, why = set(wanted), ""
    for line in _child_lines(job):
        match line:
            case ListLine(key=key, title=title, items=items):
                missing.discard(key)
                yield key, _Read(title, tuple(items))
            case FailedLine(key=key, message=message):
                missing.discard(key)
                yield key, _Read(error=message)
            case str():
                why = line
    yield from ((key, _Read(error=why)) for key in wanted if key in missing)


def _child_lines(job: TrendJob) -> Iterator[Line | str]:
    """What the spider writes, and, where it did not come to its end, last a sentence that says why."""
    deadline = time.monotonic() + settings.TREND_SOURCE_TIMEOUT
    with Child("ai.spiders.child", job.to_json()) as child:
        for raw in child.lines(every=1):
            try:
                if raw:
                    yield (line := read_line(raw))
                    if isinstance(line, EndLine):
                        return
            except ValueError:
                logger.exception("Spider of %s", job.source)
                yield "讀取程式的輸出讀不懂，請看紀錄檔"
                return
            if time.monotonic() > deadline:
                yield f"超過 {settings.TREND_SOURCE_TIMEOUT} 秒，這個清單沒有讀到"
                return
        logger.error("Spider of %s: %s", job.source, child.ended_early())
        yield "讀取程式提早結束，請看紀錄檔"


# --- Storing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def _store(trends: list[TrendCategory], read: Mapping[int, _Read]) -> list[Refreshed]:
    """Store what was read of one source. A row that was deleted, or names another list now, is left out."""
    before = {trend.pk: (trend.source, trend.key) for trend in trends}
    locked = TrendCategory.objects.select_for_update().filter(pk__in=read).order_by("pk")
    rows = [row for row in locked if before[row.pk] == (row.source, row.key)]
    now = timezone.now()
    good = [row for row in rows if not read[row.pk].error]
    TrendList.objects.bulk_create(
        [
            TrendList(
                trend=row, title=read[row.pk].title, items=list(read[row.pk].items), fetched_at=now, by_hand=False
            )
            for row in good
        ],
        update_conflicts=True,
        unique_fields=["trend"],
        update_fields=["title", "items", "fetched_at", "by_hand"],
    )
    for row in rows:
        row.attempted_at, row.error = now, read[row.pk].error[:300]
    TrendCategory.objects.bulk_update(rows, ["attempted_at", "error"])
    return [Refreshed(row, len(read[row.pk].items), row.error) for row in rows]

"""Celery tasks of crawling. Each takes ids, may run twice, and does nothing that its service does not do."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from products.models import CrawlRun
from products.services.apply import apply_run
from products.services.runs import (
    BrokerUnavailable,
    NothingToCrawl,
    close_lost_runs,
    forget_observations,
    run_is_crawled,
    send_shard,
    stale_shards,
    start_run,
)
from products.services.shards import run_shard
from products.services.tell import tell as tell_news

logger = logging.getLogger(__name__)


@shared_task(name="products.start_crawl")
def start_crawl() -> None:
    """What the schedule calls: a run over all enabled categories, unless one goes on."""
    try:
        start_run(trigger=CrawlRun.Trigger.SCHEDULE)
    except NothingToCrawl as error:
        logger.info("scheduled crawl: %s", error)


@shared_task(name="products.crawl_shard", time_limit=settings.CRAWL_SHARD_TIMEOUT + 300)
def crawl_shard(shard_id: int) -> None:
    """Crawl one shard; whoever ends the last one applies the run."""
    shard = run_shard(shard_id)
    if shard is not None:
        apply_run(shard.run_id)


@shared_task(name="products.tell")
def tell() -> None:
    """Write the messages of what nobody was told of."""
    tell_news()


@shared_task(name="products.crawl_watch")
def crawl_watch() -> None:
    """Every half minute: take up what a dead worker left, apply what is ready, close what is lost, forget the old.

    And tell what was not told.
    """
    close_lost_runs()
    forget_observations()
    _take_up()
    tell_news()


def _take_up() -> None:
    for run in CrawlRun.objects.filter(status=CrawlRun.Status.RUNNING):
        if run_is_crawled(run.pk):
            apply_run(run.pk)
            continue
        for shard in stale_shards(run):
            try:
                send_shard(shard)
            except BrokerUnavailable:
                return

"""Celery tasks of crawling. Each takes ids, may run twice, and only calls services."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from products.models import CrawlRun
from products.services.apply import apply_run
from products.services.notify import notify_pending
from products.services.runs import (
    NothingToCrawl,
    close_lost_runs,
    delete_old_observations,
    run_is_crawled,
    start_run,
    sweep_shards,
)
from products.services.shards import run_shard

logger = logging.getLogger(__name__)


@shared_task(name="products.start_crawl")
def start_crawl() -> None:
    """Start a run over all enabled categories, unless one is active; called by the schedule."""
    try:
        start_run(trigger=CrawlRun.Trigger.SCHEDULE)
    except NothingToCrawl as error:
        logger.info("scheduled crawl: %s", error)


@shared_task(name="products.crawl_shard", time_limit=settings.CRAWL_SHARD_TIMEOUT + 300)
def crawl_shard(shard_id: int) -> None:
    """Crawl one shard, and apply the run when it was the last one."""
    shard = run_shard(shard_id)
    if shard is not None:
        apply_run(shard.run_id)


@shared_task(name="products.tell")
def notify() -> None:
    """Write the messages of events and alerts that are in none yet."""
    notify_pending()


# The stored schedule has this name.
@shared_task(name="products.crawl_watch")
def sweep_crawls() -> None:
    """Every half minute: continue what a dead worker left, apply what is ready, close lost runs, and notify."""
    close_lost_runs()
    delete_old_observations()
    sweep_shards()
    for run in CrawlRun.objects.filter(status=CrawlRun.Status.RUNNING):
        if run_is_crawled(run.pk):
            apply_run(run.pk)
    notify_pending()

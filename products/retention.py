"""What of crawls may be deleted, for the clean-up of the whole system to count or delete.

Products and their prices stay for ever, and so do runs with their counts.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from momo.core.retention import Expired, OldRows, register
from products.models import CategoryResult, CrawlError, PriceEvent
from products.selectors.crawls import old_observations


@register
def expired(*, now: dt.datetime) -> dict[str, Expired]:
    """What nothing needs any more at `now`, by a name for people. Events that nobody was notified of stay."""
    crawled = now - dt.timedelta(days=settings.CRAWL_KEEP_DAYS)
    happened = now - dt.timedelta(days=settings.PRICE_EVENT_KEEP_DAYS)
    return {
        "價格更新看到的資料": OldRows(old_observations()),
        "價格更新的讀取錯誤": OldRows(CrawlError.objects.filter(run__finished_at__lt=crawled)),
        "價格更新的分類結果": OldRows(CategoryResult.objects.filter(run__finished_at__lt=crawled)),
        "商品事件": OldRows(PriceEvent.objects.filter(created_at__lt=happened, told_at__isnull=False)),
    }

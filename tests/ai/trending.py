"""What tests of trends share: the stand-in, settings that point at it, and rows."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from ai.models import TrendCategory, TrendList
from tests.fakes.trends import TrendSites

ITEM = {
    "rank": 1,
    "name": "保濕化妝水",
    "brand": "水潤",
    "price": 599,
    "score": 5.8,
    "url": "https://example.com/1",
    "image_url": "",
    "views": None,
    "published_at": None,
}


def point_at(settings: Any, sites: TrendSites) -> None:
    """Have the settings name the stand-in, without pauses."""
    settings.MYBEST_URL = settings.COSME_URL = settings.YOUTUBE_API_URL = sites.url
    settings.YOUTUBE_API_KEY = "AIza-secret-of-tests"
    settings.TREND_DELAY, settings.CRAWL_BACKOFF, settings.CRAWL_AUTOTHROTTLE = 0.0, 0.01, False
    settings.CRAWL_RETRY_TIMES = 1


def trend(source: str = "mybest", key: str = "70740", category: str = "化妝水", **values: Any) -> TrendCategory:
    """A category; rows that the migration has written are replaced."""
    return TrendCategory.objects.update_or_create(source=source, key=key, defaults={"category": category, **values})[0]


def listed(row: TrendCategory, *names: str, **values: Any) -> TrendList:
    """The last good list of a category."""
    items = [ITEM | {"rank": rank, "name": name} for rank, name in enumerate(names, start=1)]
    return TrendList.objects.create(trend=row, items=items, **{"fetched_at": timezone.now(), **values})

"""Lists of trends as they are shown, with their age."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from ai.models import TrendCategory, TrendList
from momo.core.errors import ValidationFailed
from momo.core.thresholds import thresholds


def list_of(trend: TrendCategory) -> TrendList | None:
    """The last good list of a category, None if there never was one."""
    return getattr(trend, "list", None)


def age_of(trend: TrendCategory) -> dt.timedelta | None:
    """How old the last good list is."""
    found = list_of(trend)
    return None if found is None else max(dt.timedelta(), timezone.now() - found.fetched_at)


def is_stale(trend: TrendCategory) -> bool:
    """Whether there is no list, or only one older than TREND_STALE_HOURS."""
    age = age_of(trend)
    return age is None or age > dt.timedelta(hours=thresholds.TREND_STALE_HOURS)


def trends(*, source: str = "", category: str = "") -> QuerySet[TrendCategory]:
    """Enabled categories with their lists, by source and category; "" is all. Raises ValidationFailed for unknown ones.

    One query, and another where nothing is found.
    """
    if source and source not in TrendCategory.Source.values:
        raise ValidationFailed(fields={"source": [f"沒有這個來源；可用：{'、'.join(TrendCategory.Source.values)}"]})
    rows = TrendCategory.objects.filter(enabled=True).select_related("list")
    if source:
        rows = rows.filter(source=source)
    if category:
        rows = rows.filter(category=category)
        if not rows and not TrendCategory.objects.filter(category=category).exists():
            known = TrendCategory.objects.order_by("category").values_list("category", flat=True).distinct()[:50]
            raise ValidationFailed(fields={"category": [f"沒有這個分類；可用：{'、'.join(known) or '（沒有）'}"]})
    return rows


def trend_as_dict(trend: TrendCategory) -> dict[str, Any]:
    """A list for the API: `age` in seconds, `error` of the last attempt, empty if it succeeded."""
    found, age = list_of(trend), age_of(trend)
    return {
        "id": trend.pk,
        "source": trend.source,
        "key": trend.key,
        "category": trend.category,
        "title": found.title if found else "",
        "items": found.items if found else [],
        "fetched_at": found.fetched_at if found else None,
        "age": None if age is None else int(age.total_seconds()),
        "stale": is_stale(trend),
        "by_hand": found.by_hand if found else False,
        "attempted_at": trend.attempted_at,
        "error": trend.error,
    }

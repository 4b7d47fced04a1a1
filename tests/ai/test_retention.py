"""What of AI goes after its time, and that what was used and spent stays known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from ai.models import Call, DayUsage, Generation, TrendCategory, TrendList
from ai.retention import expired
from ai.selectors.usage import usage_stats
from tests.ai.makers import call, generation

pytestmark = pytest.mark.django_db


def counts(**ahead: int) -> dict[str, int]:
    return {
        name: some.count() for name, some in expired(now=timezone.now() + dt.timedelta(**ahead)).items() if some.count()
    }


def test_texts_go_after_their_time(user: User) -> None:
    kept = generation(user, favorite=True)
    generation(user)
    generation(user, kind="search", favorite=True)
    generation(user, deleted_at=timezone.now(), favorite=True)
    assert counts() == {"已刪除的產生紀錄": 1}
    assert counts(days=179) == {"已刪除的產生紀錄": 1}
    assert counts(days=181) == {"已刪除的產生紀錄": 1, "上網搜尋": 1}
    assert counts(days=366) == {"已刪除的產生紀錄": 1, "上網搜尋": 1, "產生的文案": 1}
    deleted = [some.delete()[0] for some in expired(now=timezone.now() + dt.timedelta(days=366)).values()]
    assert deleted == [0, 1, 1, 1, 0]
    assert expired(now=timezone.now() + dt.timedelta(days=366))["AI 使用紀錄"].delete()[0] == 3, "the next time"
    assert (Generation.objects.get(), Call.objects.get()) == (kept, kept.call)


def test_the_last_list_of_a_trend_that_is_read_stays() -> None:
    for key, enabled in (("1", True), ("2", False)):
        trend = TrendCategory.objects.create(source="mybest", key=key, category="甲", enabled=enabled)
        TrendList.objects.create(trend=trend, fetched_at=timezone.now())
    assert (counts(days=89), counts(days=91)) == ({}, {"停用的趨勢清單": 1})


def test_calls_are_folded_into_days_and_usage_stays(user: User, admin: User, monkeypatch: Any) -> None:
    monkeypatch.setattr("momo.core.retention.BATCH", 2)
    begun = timezone.localtime().replace(hour=0, minute=1) - dt.timedelta(days=400)
    for number in range(7):
        made = call(
            user if number % 2 else admin,
            status=("succeeded", "failed", "aborted")[number % 3],
            cost=Decimal("0.000001") * number,
            searches=number,
        )
        # The first minutes of a day in Taipei are another day in UTC.
        Call.objects.filter(pk=made.pk).update(started_at=begun + dt.timedelta(hours=12 * (number % 3)))
    running = call(user, status="running")
    Call.objects.filter(pk=running.pk).update(started_at=begun)
    last = timezone.localdate() - dt.timedelta(days=390)
    span = {"start": last - dt.timedelta(days=20), "end": last}
    before = [usage_stats(user=one, **span) for one in (user, admin)]

    old = expired(now=timezone.now())["AI 使用紀錄"]
    assert old.count() == 7
    assert old.delete() == (7, {"ai.Call": 7})
    assert [usage_stats(user=one, **span) for one in (user, admin)] == before
    assert Call.objects.get() == running
    assert DayUsage.objects.count() == 4
    Call.objects.update(status="aborted")
    assert old.delete()[0] == 1
    assert usage_stats(user=admin, **span)["totals"]["calls"] == 8
    user.delete()
    assert usage_stats(user=admin, **span)["totals"]["calls"] == 8

"""Refreshing lists of trends over real HTTP: what is stored, what a failure leaves, and that one runs at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from ai.models import TrendCategory, TrendList
from ai.services.trends import check_key, refresh_trends
from ai.tasks import refresh_trends_task
from momo.core.errors import Conflict, NotFound, ValidationFailed
from tests.ai.trending import listed, point_at, trend
from tests.fakes.trends import TrendSites, cosme, cosme_new, mybest, mybest_entry, refusal, video

pytestmark = pytest.mark.django_db


@pytest.fixture
def sites(settings: Any, db: None) -> Iterator[TrendSites]:
    TrendCategory.objects.all().delete()  # those that the migration has written
    with TrendSites() as sites:
        point_at(settings, sites)
        yield sites


def names(row: TrendCategory) -> list[str]:
    return [item["name"] for item in TrendList.objects.get(trend=row).items]


def error_of(row: TrendCategory) -> str:
    row.refresh_from_db()
    return row.error


# --- mybest and @cosme ------------------------------------------------------------------------------------------------


def test_a_list_that_fails_keeps_the_last_good_one_and_says_why(sites: TrendSites) -> None:
    good, changed, away = trend(key="1"), trend(key="2"), trend(key="3")
    week_ago = timezone.now() - timedelta(days=7)
    for row in (good, changed, away):
        listed(row, "上週的", fetched_at=week_ago)
    sites.page("/1", mybest([mybest_entry(1, "新的"), mybest_entry(2, "二")]))
    sites.page("/2", "<html><body>new layout</body></html>")

    done = refresh_trends()

    assert {one.trend.pk: bool(one.error) for one in done} == {good.pk: False, changed.pk: True, away.pk: True}
    assert (names(good), error_of(good)) == (["新的", "二"], "")
    assert names(changed) == names(away) == ["上週的"]
    assert TrendList.objects.get(trend=changed).fetched_at == week_ago
    assert "版面可能改了" in error_of(changed)
    assert "404" in error_of(away)
    assert changed.attempted_at is not None
    assert sites.asked("/1")[0].headers["user-agent"].startswith("MOMOPro/")


def test_a_ranking_of_cosme_goes_on_over_its_pages_up_to_the_limit(sites: TrendSites, settings: Any) -> None:
    settings.TREND_ITEMS = 5
    ranking, fresh = trend("cosme", "105"), trend("cosme", "newhot-3")
    pages = [[(f"牌{page}{n}", f"品{page}{n}", "5.1") for n in range(2)] for page in range(4)]
    for number, goods in enumerate(pages, start=1):
        sites.page(f"/tags/105/ranking?period=6&page={number}", cosme(goods))
    sites.page("/newhot?mindex=3", cosme_new(["新品"]))

    refresh_trends(source="cosme")

    assert names(ranking) == ["品00", "品01", "品10", "品11", "品20"]
    assert [item["rank"] for item in TrendList.objects.get(trend=ranking).items] == [1, 2, 3, 4, 5]
    assert len(sites.asked("/tags/105/ranking")) == 3
    assert names(fresh) == ["新品"]


def test_a_ranking_that_repeats_itself_ends(sites: TrendSites) -> None:
    row = trend("cosme", "105")
    sites.page("/tags/105/ranking", cosme([("牌", "品", "5.1")]))

    refresh_trends()

    assert names(row) == ["品"]
    assert len(sites.asked("/tags/105/ranking")) == 2


def test_robots_txt_is_obeyed(sites: TrendSites) -> None:
    row, other = trend("cosme", "105"), trend("cosme", "newhot-0")
    sites.page("/robots.txt", b"User-agent: *\nDisallow: /tags/\n")
    sites.page("/newhot", cosme_new(["新品"]))

    refresh_trends()

    assert "robots.txt" in error_of(row)
    assert sites.asked("/tags/105/ranking") == []
    assert names(other) == ["新品"]


def test_a_site_that_refuses_is_not_asked_on_and_on(sites: TrendSites) -> None:
    rows = [trend(key=str(number)) for number in range(1, 5)]
    for number in range(1, 5):
        sites.page(f"/{number}", b"no", 403)

    refresh_trends()

    assert all("403" in error_of(row) for row in rows)
    assert [len(sites.asked(f"/{number}")) for number in range(1, 5)] == [1, 1, 0, 0]


def test_a_site_that_hangs_is_given_up(sites: TrendSites, settings: Any) -> None:
    settings.TREND_SOURCE_TIMEOUT = 1
    row = trend(key="1")
    sites.page("/1", mybest([mybest_entry(1, "慢")]))
    sites.pages["/1"].delay = 4

    refresh_trends()

    assert "超過 1 秒" in error_of(row)


def test_a_spider_that_dies_is_a_failure_of_its_lists_alone(sites: TrendSites, monkeypatch: Any) -> None:
    row, other = trend(key="1"), trend("youtube", "保養")
    listed(row, "上週的")
    sites.videos["保養"] = [video(1)]
    monkeypatch.setattr("sys.executable", "/bin/false")

    refresh_trends()

    assert "提早結束" in error_of(row)
    assert names(row) == ["上週的"]
    assert names(other) == ["開箱 1 A&B"]


def test_a_key_that_cannot_name_a_list_is_never_part_of_an_address(sites: TrendSites) -> None:
    row = trend(key="../admin")

    refresh_trends()

    assert "數字" in error_of(row)
    assert sites.requests == []
    with pytest.raises(ValidationFailed, match="newhot-0"):
        check_key(source="cosme", key="newhot-13")


def test_a_row_that_names_another_list_meanwhile_keeps_its_own(sites: TrendSites) -> None:
    row = trend("youtube", "保養")
    sites.videos["保養"] = [video(1)]

    refresh_trends(on_progress=lambda _: TrendCategory.objects.filter(pk=row.pk).update(key="彩妝") and None)

    assert not TrendList.objects.filter(trend=row).exists()


# --- YouTube ----------------------------------------------------------------------------------------------------------


def test_the_most_viewed_videos(sites: TrendSites) -> None:
    row = trend("youtube", "保養 推薦", "保養")
    sites.videos["保養 推薦"] = [
        video(1, viewCount="1234567"),
        video(2),
        video(3, viewCount="9") | {"gone": True},
        video(4),
    ]

    refresh_trends()

    stored = TrendList.objects.get(trend=row)
    assert [(item["rank"], item["name"], item["views"]) for item in stored.items] == [
        (1, "開箱 1 A&B", 1234567),
        (2, "開箱 2 A&B", None),
        (3, "開箱 4 A&B", None),
    ]
    assert stored.items[0]["url"] == "https://www.youtube.com/watch?v=-vid_001"
    assert stored.items[0]["published_at"] == "2026-11-20T12:00:00Z"
    search = sites.asked("/youtube/v3/search")[0].params
    assert (search["order"], search["regionCode"], search["type"]) == ("viewCount", "TW", "video")


def test_a_quota_that_is_used_up_is_not_asked_again(sites: TrendSites) -> None:
    first, second = trend("youtube", "保養"), trend("youtube", "彩妝")
    sites.refusals = [refusal(403, "quotaExceeded")]

    refresh_trends()

    assert "quotaExceeded" in error_of(first)
    assert error_of(second) == error_of(first)
    assert len(sites.requests) == 1


@pytest.mark.parametrize(
    ("answers", "error", "asked"),
    [
        ([refusal(503, "backendError")], "", 3),
        ([refusal(503, "backendError")] * 2, "HTTP 503", 2),
        ([refusal(400, "badRequest", "API key not valid. Please pass a valid API key.")], "YOUTUBE_API_KEY", 1),
        ([refusal(403, "accessNotConfigured")], "沒有啟用", 1),
    ],
)
def test_refusals_of_youtube(sites: TrendSites, answers: list[Any], error: str, asked: int) -> None:
    row = trend("youtube", "保養")
    sites.videos["保養"] = [video(1)]
    sites.refusals = list(answers)

    refresh_trends()

    assert error in error_of(row)
    assert bool(error_of(row)) == bool(error)
    assert len(sites.requests) == asked


def test_without_a_key_youtube_is_not_asked_and_the_key_is_in_no_error(sites: TrendSites, settings: Any) -> None:
    row = trend("youtube", "保養")
    settings.YOUTUBE_API_URL = "http://127.0.0.1:9"
    refresh_trends()
    assert "連線失敗" in error_of(row)
    assert settings.YOUTUBE_API_KEY not in row.error

    settings.YOUTUBE_API_KEY = ""
    refresh_trends()
    assert "YOUTUBE_API_KEY" in error_of(row)


# --- One at a time, and how it is started -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_refresh_at_a_time(sites: TrendSites) -> None:
    trend("youtube", "保養")
    parameters = connection.get_connection_params()
    with psycopg.connect(
        host=parameters["host"], port=parameters["port"], dbname=parameters["dbname"],
        user=parameters["user"], password=parameters["password"], autocommit=True,
    ) as other:  # fmt: skip
        other.execute("SELECT pg_advisory_lock(hashtextextended('ai.refresh_trends', 0))")
        with pytest.raises(Conflict):
            refresh_trends()
        refresh_trends_task()  # has nothing to do
        assert sites.requests == []

    assert len(refresh_trends()) == 1
    assert len(refresh_trends()) == 1  # the first has given the lock back


def test_unknown_ones_are_refused(sites: TrendSites) -> None:
    with pytest.raises(ValidationFailed, match="mybest、cosme、youtube"):
        refresh_trends(source="ptt")
    with pytest.raises(NotFound):
        refresh_trends(trend_id=999)
    assert refresh_trends() == []


def test_one_list_alone_also_where_it_is_switched_off(sites: TrendSites) -> None:
    row, other = trend("youtube", "保養", enabled=False), trend("youtube", "彩妝")
    sites.videos = {"保養": [video(1)], "彩妝": [video(2)]}

    refresh_trends(trend_id=row.pk)

    assert names(row) == ["開箱 1 A&B"]
    assert not TrendList.objects.filter(trend=other).exists()


def test_the_command_shows_each_list_and_fails_if_none_was_read(sites: TrendSites) -> None:
    trend("youtube", "保養")
    trend("youtube", "彩妝")
    sites.videos["保養"] = [video(1)]
    out = io.StringIO()

    call_command("refresh_trending", source="youtube", stdout=out)
    assert "YouTube 沒有找到影片" in out.getvalue()

    sites.videos = {}
    with pytest.raises(CommandError, match="沒有一個清單更新成功"):
        call_command("refresh_trending", source="youtube", stdout=out)


def test_it_is_on_schedule() -> None:
    task = PeriodicTask.objects.get(task="ai.refresh_trends")
    assert (task.crontab.hour, task.crontab.minute, task.enabled) == ("6", "30", True)
    assert TrendCategory.objects.count() == 6

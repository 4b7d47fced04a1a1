"""Campaigns: by rule, once a year; marked on their days; compared with the year and the 28 days before them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django_celery_beat.models import PeriodicTask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from momo.core.errors import ValidationFailed
from sales.models import Campaign, CampaignYear, DayNote
from sales.seasons import seasons
from sales.selectors import campaign_report as reports
from sales.selectors.campaign_report import campaign_report
from sales.selectors.campaigns import CAMPAIGN, HOLIDAY, NOTE, WARM_UP, Mark, campaign_days, days_marked
from sales.services.campaigns import delete_campaign, save_campaign, write_campaigns
from sales.tasks import write_default_campaigns
from tests.sales.factories import DAY, Row, publish, sale

# What the calendar says.
KNOWN = {
    2025: {
        "new_year": "2025-01-29",
        "mothers_day": "2025-05-11",
        "ghost_festival": "2025-09-06",
        "mid_autumn": "2025-10-06",
    },
    2026: {
        "new_year": "2026-02-17",
        "mothers_day": "2026-05-10",
        "ghost_festival": "2026-08-27",
        "mid_autumn": "2026-09-25",
    },
}


@pytest.mark.parametrize("year", KNOWN)
def test_rules_know_moving_days(year: int) -> None:
    found = {season.rule: season for season in seasons(year)}

    ends = {rule: one.last for rule, one in found.items()}
    ends["new_year"] += timedelta(days=3)
    assert {rule: f"{ends[rule]}" for rule in KNOWN[year]} == KNOWN[year]
    assert f"{ends['double_11']} {ends['mid_year']} {ends['double_12']}" == f"{year}-11-11 {year}-06-18 {year}-12-12"
    assert set(found) == set(Campaign.Kind.values) - {"other"}
    assert seasons(2200) == []


@pytest.mark.django_db
def test_each_year_is_written_once_whatever_staff_do_with_it() -> None:
    own = save_campaign(kind="double_11", name="我們的雙11", first=date(2027, 11, 5), last=date(2027, 11, 11))

    made = write_campaigns(today=date(2026, 11, 30))

    assert made == Campaign.objects.exclude(pk=own.pk).count() == 26
    assert list(CampaignYear.objects.order_by("year").values_list("year", flat=True)) == [2025, 2026, 2027]
    changed = save_campaign(campaign=Campaign.objects.get(from_rule="double_11:2026"), last=date(2026, 11, 12))
    delete_campaign(campaign=Campaign.objects.get(from_rule="fathers_day:2026"))
    with time_machine.travel("2027-01-01 00:30+08:00"):
        write_default_campaigns()
        write_default_campaigns()

    assert Campaign.objects.count() == 26 + 9
    changed.refresh_from_db()
    assert (changed.last, changed.from_rule) == (date(2026, 11, 12), "double_11:2026")
    assert not Campaign.objects.filter(kind="fathers_day", first__year=2026).exists()
    schedule = PeriodicTask.objects.get(task="sales.write_campaigns")
    assert schedule.enabled
    assert schedule.last_run_at < schedule.date_changed - timedelta(hours=23)


@pytest.mark.django_db
def test_a_campaign_has_its_days_in_order_and_not_too_many() -> None:
    for last, text in ((date(2026, 3, 1), "末日不可早於首日"), (date(2026, 4, 16), "檔期最長 45 天")):
        with pytest.raises(ValidationFailed) as refusal:
            save_campaign(name="品牌日", first=DAY, last=last)
        assert refusal.value.fields == {"last": [text]}
    made = save_campaign(name=" 品牌\n日 ", first=DAY, last=date(2026, 4, 15), brands=[" 水潤", "水潤", ""])
    assert (made.name, made.brands) == ("品牌 日", ["水潤"])


@pytest.mark.django_db
def test_days_are_marked_with_holidays_campaigns_and_notes(django_assert_num_queries: Any) -> None:
    one = save_campaign(name="開學", first=date(2026, 2, 27), last=date(2026, 3, 1), warm_up_days=2)
    save_campaign(name="遠的", first=date(2026, 3, 20), last=date(2026, 3, 21), warm_up_days=3)
    note = DayNote.objects.create(date=date(2026, 2, 27), text="網站當機")

    with django_assert_num_queries(2):
        marked = days_marked(date(2026, 2, 26), date(2026, 3, 16))

    assert marked[date(2026, 2, 26)] == [Mark(WARM_UP, "開學 預熱", one.pk)]
    assert marked[date(2026, 2, 27)][-2:] == [Mark(CAMPAIGN, "開學", one.pk), Mark(NOTE, "網站當機", note.pk)]
    peace = marked[date(2026, 2, 28)]
    assert (peace[0].kind, "和平紀念日" in peace[0].title) == (HOLIDAY, True)
    assert marked[date(2026, 3, 1)] == [Mark(CAMPAIGN, "開學", one.pk)]
    assert max(marked) == date(2026, 3, 1)
    assert campaign_days(date(2026, 3, 1), date(2026, 3, 20)) == {date(2026, 3, 1), date(2026, 3, 20)}


# --- The report ------------------------------------------------------------------------------------------------------

APART = 365 - 4
FIRST, LENGTH, WARM = DAY, 5, 2
ROWS = st.builds(
    sale,
    days=st.integers(-WARM - 30, LENGTH + 1) | st.integers(-APART - 4, -APART + LENGTH + 1),
    amount=st.decimals("-100", "900", places=2),
    code=st.sampled_from(("1", "2", "3")),
    brand=st.sampled_from(("甲", "乙", "")),
    pm=st.sampled_from(("王小明", "")),
    category=st.just("美妝"),
    cost=st.none() | st.decimals("0", "100", places=2),
)
LIMITS = st.sampled_from(({}, {"brands": ["甲"]}, {"products": ["2"]}, {"brands": ["乙"], "products": ["1", "9"]}))


def chosen(rows: list[Row], limits: dict[str, list[str]], first: date, last: date) -> list[Row]:
    return [
        row
        for row in rows
        if first <= row["date"] <= last
        and (
            not limits or row["brand"] in limits.get("brands", []) or row["product_code"] in limits.get("products", [])
        )
    ]


def cents(rows: list[Row]) -> int:
    return sum(int(row["amount"] * 100) for row in rows)


@pytest.mark.django_db
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROWS, min_size=1, max_size=16), limits=LIMITS, today=st.integers(-3, 9))
def test_a_report_says_what_plain_python_says(rows: list[Row], limits: dict[str, list[str]], today: int) -> None:
    now = FIRST + timedelta(days=today)
    with transaction.atomic():
        publish(rows)
        campaign = Campaign.objects.create(
            kind="mothers_day",
            name="今年",
            first=FIRST,
            last=FIRST + timedelta(days=LENGTH - 1),
            warm_up_days=WARM,
            **limits,
        )
        then = FIRST - timedelta(days=APART)
        Campaign.objects.create(kind="mothers_day", name="去年", first=then, last=then + timedelta(days=2))
        found = campaign_report(campaign, now)
        transaction.set_rollback(True)

    known = {row["date"] for row in rows}
    shown = [campaign.begins + timedelta(days=number) for number in range(LENGTH + WARM)]
    until = max((day for day in shown if day in known and day <= now), default=None)
    elapsed = max(0, (until - FIRST).days + 1) if until else 0
    end = FIRST + timedelta(days=elapsed - 1)
    base = campaign.begins - timedelta(days=28), campaign.begins - timedelta(days=1)
    assert (found.until, found.elapsed, tuple(found.base)) == (until, elapsed, base)
    assert found.base_days == len([day for day in known if base[0] <= day <= base[1]])
    back = timedelta(days=APART)
    windows = {"now": (FIRST, end), "then": (FIRST - back, end - back), "base": base}
    parts = {name: chosen(rows, limits, *window) for name, window in windows.items()}
    for name, part in parts.items():
        assert getattr(found.whole, name).amount == cents(part), name
        assert getattr(found.whole, name).lines == len(part)
        for dimension, groups in found.groups.items():
            # Keys that sold only before are left out.
            keys = {row[dimension] or "" for row in parts["now"] + parts["then"]}
            assert {one.key for one in groups} == keys
            for one in groups:
                mine = [row for row in part if (row[dimension] or "") == one.key]
                assert getattr(one, name).amount == cents(mine)
    so_far = 0
    for day in found.days:
        mine = chosen(rows, limits, day.date, day.date)
        counts = until is not None and day.date <= until
        assert (day.now.amount if day.now else None) == (cents(mine) if counts and day.date in known else None)
        assert (day.then.amount if day.then else None) == (
            cents(chosen(rows, limits, day.date - back, day.date - back)) if day.date - back in known else None
        )
        if day.number > 0 and counts:
            so_far += cents(mine)
            assert day.now_sum is not None
            assert day.now_sum.amount == so_far
        else:
            assert day.now_sum is None
    assert [day.number for day in found.days] == list(range(1 - WARM, LENGTH + 1))


@pytest.mark.django_db
def test_a_campaign_without_one_before_is_compared_with_the_days_before_it() -> None:
    publish([sale(0, 300, brand="甲"), sale(-10, 100, brand="甲")])
    one = save_campaign(name="2026 品牌日", first=DAY, last=DAY)
    found = campaign_report(one)
    assert (found.last_year, found.whole.then, found.base_per_day(found.whole.base.amount)) == (None, None, 10_000)
    # Of kind 其他 the name tells, without its year.
    before = save_campaign(name="2025 品牌日", first=DAY - timedelta(days=360), last=DAY - timedelta(days=360))
    save_campaign(name="2025 別的", first=DAY - timedelta(days=365), last=DAY - timedelta(days=365))
    assert campaign_report(one).last_year == before


@pytest.mark.django_db
def test_lines_of_a_limited_campaign_are_read_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    publish([sale(day, Decimal(10), brand="甲") for day in range(3)])
    one = save_campaign(name="品牌日", first=DAY, last=DAY + timedelta(days=2), brands=["甲"])
    monkeypatch.setattr(reports, "MAX_LINES", 2)

    with pytest.raises(ValidationFailed, match="要讀 3 列明細"):
        campaign_report(one)


@pytest.mark.django_db
@pytest.mark.parametrize("limits", [{}, {"brands": ["甲"]}])
def test_a_report_takes_the_same_queries_however_much_is_sold(
    limits: dict[str, list[str]], django_assert_num_queries: Any
) -> None:
    publish([sale(day, 10, brand=brand) for day in range(-20, 5) for brand in ("甲", "乙")])
    one = save_campaign(name="品牌日", first=DAY, last=DAY + timedelta(days=4), **limits)

    with django_assert_num_queries(3 if limits else 4):
        campaign_report(one)

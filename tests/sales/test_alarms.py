"""Alarms against a simulated shop: what was put wrong is notified once, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from momo.core.errors import NotFound
from momo.jobs.models import Job
from notifications.models import OutboxMessage
from sales.models import Alarm, Campaign, CheckedDay
from sales.selectors.alarms import days_to_check, findings, open_alarms
from sales.services.alarms import acknowledge, alarm_variables, check_days, said_of
from sales.services.product_months import sum_product_months
from tests.admin.makers_notifications import subscription
from tests.sales.factories import DAY, Row, publish, sale, undo

pytestmark = pytest.mark.django_db

WEEKS = 9
LAST = WEEKS * 7  # number of the first day after the quiet weeks
# By brand: product, price, cost, and pieces on each weekday.
SHOP = {
    "水潤": ("10000001", 1_000, 600, (20, 22, 21, 20, 30, 45, 40)),
    "沐光": ("10000002", 2_000, 1_500, (10, 10, 12, 11, 14, 20, 22)),
    "小店": ("10000003", 500, 200, (2, 3, 2, 1, 4, 2, 3)),  # below the least amount
}
Change = dict[str, Any]


def rows_of(day: int, changes: dict[str, Change] | None = None) -> list[Row]:
    """A day of the shop, a tenth up and down from week to week; `changes` by brand: pieces and cost."""
    rows = []
    for brand, (code, price, cost, pieces) in SHOP.items():
        change = (changes or {}).get(brand, {})
        usual = pieces[day % 7] * (10 + day // 7 % 3 - 1) // 10
        quantity = int(change.get("pieces", usual))
        if quantity:
            unit = change.get("cost", cost)
            rows.append(
                sale(
                    day,
                    price * quantity,
                    quantity,
                    code,
                    brand=brand,
                    pm="王小明",
                    category="美妝",
                    cost=unit * quantity,
                )
            )
    return rows


def at(day: int, hour: int = 13) -> datetime:
    """An hour of a day in Taipei."""
    moment = datetime.combine(DAY + timedelta(days=day), datetime.min.time(), UTC)
    return moment + timedelta(hours=hour - 8)


def on(day: int) -> date:
    return DAY + timedelta(days=day)


def brought(rows: list[Row], when: datetime) -> Job:
    """An import that ended at `when`."""
    made, _ = publish(rows)
    Job.objects.filter(pk=made.pk).update(finished_at=when)
    sum_product_months()
    return made


def seen() -> set[tuple[str, int, str]]:
    """Kind, number of the day and key of the alarms that are open."""
    return {(alarm.kind, (alarm.date - DAY).days, alarm.key) for alarm in open_alarms()}


@pytest.fixture(autouse=True)
def quiet_weeks() -> None:
    subscription(event="sales_alarm", address="pm@example.com")
    brought([row for day in range(LAST) for row in rows_of(day)], at(LAST, 1))


def test_what_was_put_wrong_is_notified_once_and_nothing_else() -> None:
    wrong: dict[int, dict[str, Change]] = {
        LAST + 1: {"水潤": {"pieces": 14}},
        LAST + 3: {"沐光": {"cost": 1_990}},
        **{LAST + day: {"水潤": {"pieces": 0}} for day in (6, 7, 8)},
    }
    expected: set[tuple[str, int, str]] = set()
    messages = 0
    assert check_days(at(LAST)) == 0
    for day in range(LAST, LAST + 14):
        if day != LAST + 11:
            brought(rows_of(day, wrong.get(day)), at(day + 1, 9))
        assert check_days(at(day + 1, 9)) == 0  # the import has only just ended
        check_days(at(day + 1))
        check_days(at(day + 1, 14))  # again, which finds nothing new
        if day == LAST + 1:
            expected |= {("amount", day, key) for key in ("水潤", "10000001")}
            messages += 1
        if day == LAST + 3:
            expected |= {("margin", day, "沐光"), ("margin", day, "10000002"), ("cost", day, "10000002")}
            messages += 2
        if day in (LAST + 6, LAST + 7, LAST + 8):
            keys = {"水潤", "10000001", "王小明", "美妝"}
            expected |= {("amount", day, key) for key in keys}
            messages += 1
        if day == LAST + 8:
            expected.add(("silent", day, "10000001"))
            messages += 1
        if day == LAST + 11:
            expected.add(("missing", day, ""))
            messages += 1
        assert seen() == expected, day
        assert OutboxMessage.objects.count() == messages
    drop = Alarm.objects.get(date=on(LAST + 1), key="水潤")
    assert (drop.value, drop.expected) == (Decimal(14_000), Decimal(22_000))
    assert said_of(drop) == "業績 $14,000，平常 $22,000（▼36.36%）"
    assert said_of(Alarm.objects.get(kind="silent")).startswith("連續 3 天沒有賣出，平常一天 $")
    assert said_of(Alarm.objects.get(kind="cost")) == "進價 $1,990，平常 $1,500（▲32.67%）"
    assert said_of(Alarm.objects.get(kind="margin", key="沐光")) == "毛利率 0.5%，低於 5%"


def test_a_correction_closes_and_what_comes_back_is_not_notified_again() -> None:
    wrong, right = rows_of(LAST, {"水潤": {"pieces": 12}}), rows_of(LAST)
    brought(wrong, at(LAST + 1, 9))
    check_days(at(LAST + 1))
    assert seen() == {("amount", LAST, "水潤"), ("amount", LAST, "10000001")}
    corrected = brought(right, at(LAST + 1, 14))
    check_days(at(LAST + 1, 15))
    assert seen() == set()
    assert Alarm.objects.filter(closed_at=at(LAST + 1, 15)).count() == 2
    undo(corrected)
    sum_product_months()
    check_days(at(LAST + 1, 16))
    assert len(seen()) == 2
    assert OutboxMessage.objects.count() == 1


def test_a_missing_report_is_awaited_until_noon_and_closed_when_it_comes() -> None:
    brought(rows_of(LAST + 1), at(LAST + 2, 9))
    assert check_days(at(LAST + 1, 11)) == 0
    check_days(at(LAST + 2, 13))
    assert seen() == {("missing", LAST, "")}
    (text,) = [said_of(alarm) for alarm in open_alarms()]
    assert text == "這一天沒有日報，請補匯入"
    brought(rows_of(LAST), at(LAST + 2, 14))
    check_days(at(LAST + 2, 15))
    assert seen() == set()


def test_days_of_campaigns_are_apart() -> None:
    Campaign.objects.create(name="品牌日", first=on(LAST), last=on(LAST))
    brought(rows_of(LAST, {"水潤": {"pieces": 90}}), at(LAST + 1, 9))
    brought(rows_of(LAST + 1), at(LAST + 2, 9))
    check_days(at(LAST + 2))
    assert seen() == set()
    # And such a day is no usual day for later ones: the median without it is what it was.
    Campaign.objects.create(name="上個檔期", first=on(LAST - 34), last=on(LAST - 6))
    assert findings(on(LAST + 1)) == []  # three equal weekdays are left


def test_a_day_is_checked_when_its_products_are_summed_and_once_for_each_version() -> None:
    publish(rows_of(LAST))
    Job.objects.update(finished_at=at(LAST + 1, 1))
    assert on(LAST) not in dict(days_to_check(at(LAST + 1)))
    sum_product_months()
    assert [day for day, _ in days_to_check(at(LAST + 1))][-1] == on(LAST)
    check_days(at(LAST + 1))
    assert days_to_check(at(LAST + 1)) == []
    assert CheckedDay.objects.count() == 14  # what is older is no news


def test_the_number_of_queries_does_not_grow_with_what_is_wrong() -> None:
    def queries(day: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            findings(on(day))
        return len(captured)

    brought(rows_of(LAST), at(LAST + 1, 9))
    brought(rows_of(LAST + 1, {brand: {"pieces": 90, "cost": 9_000} for brand in SHOP}), at(LAST + 2, 9))
    assert queries(LAST) == queries(LAST + 1) == 7


def test_acknowledged_alarms_wait_for_nobody(manager: User) -> None:
    brought(rows_of(LAST, {"水潤": {"pieces": 12}}), at(LAST + 1, 9))
    check_days(at(LAST + 1))
    ids = list(open_alarms().values_list("pk", flat=True))
    with pytest.raises(NotFound):
        acknowledge(ids=[*ids, 0], user=manager)
    assert acknowledge(ids=ids, user=manager) == 2
    assert acknowledge(ids=ids, user=manager) == 0
    assert not open_alarms().exists()
    alarm = Alarm.objects.get(pk=ids[0])
    assert alarm.acknowledged_by == manager
    assert alarm_variables([alarm])["url"].endswith(f"kind__exact=amount&date_from={on(LAST)}&date_to={on(LAST)}")

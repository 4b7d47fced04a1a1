"""Sums of sales by product, made after imports: those of the lines in force, and never a 0 for what is not known."""

from __future__ import annotations

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from momo.jobs.models import Job
from products.models import PriceSpan
from sales.models import ProductMonth, SummedMonth
from sales.selectors.products import Day, product_days
from sales.services.product_months import LOCK, sum_product_months
from tests.admin import makers
from tests.kit.users import person, session_client
from tests.products.test_decisions import apart
from tests.sales.factories import DAY, Row, publish, sale, undo

pytestmark = pytest.mark.django_db
CODES = ("1000001", "1000002")


def test_after_any_imports_and_undos_the_sums_are_those_of_the_lines_in_force() -> None:
    dice = random.Random(3)
    imports: list[tuple[Job, dict[date, list[Row]]]] = []
    first, last = DAY - timedelta(days=3), DAY + timedelta(days=75)
    for step in range(12):
        if imports and dice.random() < 0.3:
            undo(imports.pop(dice.randrange(len(imports)))[0])
        else:
            days = dice.sample(range(70), 3)
            rows = [
                sale(day, dice.randrange(-50, 900), dice.randrange(-1, 9), dice.choice(CODES))
                for day in days
                for _ in range(dice.randrange(1, 4))
            ]
            by_day: dict[date, list[Row]] = defaultdict(list)
            for row in rows:
                by_day[row["date"]].append(row)
            imports.append((publish(rows)[0], by_day))
        in_force: dict[date, list[Row]] = {}
        for _, by_day in imports:
            in_force |= by_day
        if step % 3 == 2:
            sum_product_months()
            for code in CODES:
                check(code, in_force, first, last)
    assert sum_product_months() == 0


def check(code: str, in_force: dict[date, list[Row]], first: date, last: date) -> None:
    found = product_days(code=code, first=first, last=last)
    for day in found.days():
        rows = [row for row in in_force.get(day, ()) if row["product_code"] == code]
        sold = found.on(day)
        if day not in in_force:
            assert (found.state(day), sold) == (Day.NO_FILE, None)
        else:
            assert sold is not None
            assert sold.quantity == sum(row["quantity"] for row in rows)
            assert sold.amount == sum(Decimal(row["amount"]) for row in rows)


def test_a_month_that_changed_is_not_known_until_it_is_summed_again() -> None:
    made, _ = publish([sale(0, 100, 2), sale(40, 100, 3)])
    sum_product_months()
    publish([sale(0, 200, 4), sale(1, 50, 1)])
    days = product_days(code="1000001", first=DAY, last=DAY + timedelta(days=40))
    assert [days.state(DAY + timedelta(days=number)) for number in (0, 1, 2, 40)] == [
        Day.WAITS,
        Day.WAITS,
        Day.NO_FILE,
        Day.KNOWN,
    ]
    assert sum_product_months() == 1
    undo(made)
    assert sum_product_months() == 1  # the month of which nothing is left
    assert SummedMonth.objects.count() == 1
    assert ProductMonth.objects.get().quantities == [4, 1]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_not_sum_twice() -> None:
    publish([sale()])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK)
            assert apart(pool, sum_product_months).result(30) == 0
        assert apart(pool, sum_product_months).result(30) == 1


# --- The page of a product -------------------------------------------------------------------------------------------


@pytest.fixture
def client(db: None) -> Client:
    return session_client(person("amy"))


def priced(*prices: tuple[int, int]) -> Any:
    """A product with (days ago, price), the oldest first."""
    now = timezone.localtime().replace(hour=10, minute=0, second=0, microsecond=0)
    product = makers.product(1, price=prices[-1][1])
    for place, (ago, price) in enumerate(prices):
        ends = None if place + 1 == len(prices) else at(now, prices[place + 1][0]) - timedelta(hours=1)
        PriceSpan.objects.create(product=product, price=price, observed_at=at(now, ago), last_seen_at=ends)
    return product


def at(now: datetime, days_ago: int) -> datetime:
    return now - timedelta(days=days_ago)


def sold(ago: int, quantity: int, code: str = "10000001") -> Row:
    day = timezone.localdate() - timedelta(days=ago)
    return {"date": day, "product_code": code, "quantity": quantity, "amount": quantity * 10}


def test_around_each_change_stand_the_units_of_the_days_that_are_known(client: Client) -> None:
    product = priced((100, 500), (20, 400))
    # Seven days before: 2 a day. After: only three days have a file, one of them without the product.
    publish([sold(ago, 2) for ago in range(21, 28)] + [sold(20, 50), sold(19, 6), sold(18, 6), sold(17, 1, "other")])
    sum_product_months()

    page = client.get(reverse("admin:products_product_change", args=[product.pk]))

    _, panel = page.context["row_panels"][0]
    days, changes = panel["tables"]
    [row] = changes.rows
    assert (row["old"], row["new"], row["change"], row["percent"]) == (500, 400, -100, -20.0)
    assert (row["before"], row["after"], row["amount_before"], row["amount_after"]) == (14, 12, 140, 120)
    assert (row["known"], row["rate"]) == ("7／3", 100.0)
    assert "（最近一天" in days.note
    drawn = {one["y"] for one in days.chart["units"]}
    assert {None, 0, 2, 6, 50} == drawn
    assert [len(client.get(row[f"{name}_url"]).context["cl"].result_list) for name in ("before", "after")] == [7, 2]
    by_day = {one["date"]: one for one in days.rows}
    today = timezone.localdate()
    assert by_day[today - timedelta(days=17)] == {
        "date": today - timedelta(days=17),
        "price": 400,
        "quantity": 0,
        "amount": Decimal(0),
        "state": "",
    }
    assert by_day[today]["quantity"] is None
    assert by_day[today]["state"] == "沒有日報"
    assert "前 7 天銷量" in page.content.decode()
    file = client.get(
        reverse("admin:products_product_change", args=[product.pk]), {"export": "pricechanges", "format": "csv"}
    )
    assert "7／3" in file.content.decode("utf-8-sig")


def test_without_any_report_the_page_says_so(client: Client) -> None:
    product = priced((30, 500), (3, 400))
    page = client.get(reverse("admin:products_product_change", args=[product.pk]))
    assert page.context["row_panels"][0][1]["tables"] == ()
    assert "還沒有銷售日報" in page.content.decode()

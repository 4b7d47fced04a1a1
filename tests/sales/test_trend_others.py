"""The gross profit of what is not among the biggest keys: known, none, or unknown, as that of a single key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sales.selectors.trend import trend
from tests.sales.factories import DAY, Row, publish, sale
from tests.sales.test_selectors import label_of, series_of

pytestmark = pytest.mark.django_db

BIG = {"brand": "大", "cost": 600}


def profits(days: int = 1, **values: Any) -> list[Any]:
    """Gross profit of the others, over `days` from DAY on."""
    answer = trend(start=DAY, end=DAY + timedelta(days=days - 1), dimension="brand", **({"top": 1} | values))
    assert answer["series"][-1]["key"] == "其他"
    return list(answer["series"][-1]["gross_profit"])


def test_a_rest_of_which_nobody_knows_the_gross_profit_has_none() -> None:
    publish([sale(0, 1000, **BIG), sale(0, 10, brand="甲", cost=None), sale(0, 5, brand="乙", cost=None)])
    assert profits() == [None]


def test_a_rest_of_which_some_lines_tell_it_has_that() -> None:
    publish([sale(0, 1000, **BIG), sale(0, 10, brand="甲", cost=4), sale(0, 5, brand="乙", cost=None)])
    assert profits() == [6]


def test_a_rest_that_made_nothing_is_known_to() -> None:
    """A sale and its return, and a line sold at cost: their gross profits add up to zero."""
    publish(
        [
            *(sale(day, 1000, **BIG) for day in range(2)),
            sale(0, 100, brand="甲", cost=60),
            sale(0, -100, -1, brand="乙", cost=-60),
            sale(1, 10, brand="甲", cost=10),
            sale(1, 20, brand="乙", cost=None),
        ]
    )
    assert profits(2) == [0, 0]


def test_a_rest_without_lines_is_zero_like_a_key_without_lines() -> None:
    """Whether or not the gross profit of the whole is known."""
    publish(
        [
            sale(0, 1000, **BIG),
            sale(1, 1000, brand="大", cost=None),
            sale(2, 1000, **BIG),
            sale(2, 10, brand="甲", cost=4),
            sale(3, 1000, **BIG),
            sale(3, 10, brand="甲", cost=None),
        ]
    )
    assert profits(5) == [0, 0, 6, None, 0]


def test_a_rest_that_cancels_out_still_has_lines() -> None:
    for cost in (600, None):
        publish(
            [
                sale(0, 1000, brand="大", cost=cost),
                sale(0, 10, brand="甲", cost=None),
                sale(0, -10, -1, brand="乙", cost=None),
            ]
        )
        assert profits() == [None]


def test_lines_without_a_brand_are_part_of_the_rest() -> None:
    publish([sale(0, 1000, **BIG), sale(0, 10, brand="", cost=None)])
    assert profits() == [None]
    publish([sale(0, 1000, **BIG), sale(0, 10, brand="", cost=10)])
    assert profits() == [0]


def test_a_week_and_a_month_know_what_one_of_their_days_knows() -> None:
    publish(
        [
            *(sale(day, 1000, **BIG) for day in (0, 1, 7, 31)),
            sale(0, 10, brand="甲", cost=None),
            sale(1, 10, brand="乙", cost=10),
            sale(7, 10, brand="甲", cost=None),
        ]
    )
    assert profits(32, interval="day")[:8] == [None, 0, 0, 0, 0, 0, 0, None]
    assert profits(32, interval="week") == [0, None, 0, 0, 0]
    assert profits(32, interval="month") == [0, 0]


ROWS = st.builds(
    sale,
    days=st.integers(0, 9),
    amount=st.sampled_from((10, -10, 20)),
    brand=st.sampled_from(("甲", "乙", "丙", "其他", "")),
    # Small numbers, so that sums are nothing now and then.
    cost=st.sampled_from((None, None, 10, -10, 20, 0)),
)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=25), top=st.integers(1, 3), interval=st.sampled_from(("day", "week")))
def test_whatever_is_sold_the_rest_is_as_if_it_were_one_key(rows: list[Row], top: int, interval: str) -> None:
    with transaction.atomic():
        publish(rows)
        answer = trend(start=DAY, end=DAY + timedelta(days=9), dimension="brand", interval=interval, top=top)
        transaction.set_rollback(True)
    named = {one["key"] for one in answer["series"]} - {"其他"}
    others = [row for row in rows if (row["brand"] or "未分類") not in named]
    labels = list(dict.fromkeys(label_of(DAY + timedelta(days=day), interval) for day in range(10)))
    assert (answer["series"][-1]["key"] == "其他") == bool(others)
    if others:
        assert answer["series"][-1] == {"key": "其他", **series_of(others, labels, interval)}


@contextmanager
def asked_for() -> Iterator[list[str]]:
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [query["sql"] for query in captured]


@pytest.mark.parametrize("cost", [4, None])
def test_keys_are_read_from_the_index_alone_and_the_rest_only_in_doubt(cost: int | None) -> None:
    """In two queries, with or without doubt."""
    others = [sale(day, 10, brand=f"{n}", cost=cost) for day in range(60) for n in range(20)]
    publish([sale(day, 1000, **BIG) for day in range(60)] + others)
    with asked_for() as queries:
        assert profits(60) == [None if cost is None else 120] * 60
    assert len(queries) == 2
    # Of pages written just now the heap would be asked who may see them.
    assert "Index Only Scan using daytotal_once" in explained(queries[1], "indexscan")
    # Which index it is, is the planner's choice by what it knows of the table.
    assert ("(never executed)" in explained(queries[1])) == (cost is not None)


def explained(sql: str, *without: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sales_daytotal")
        for way in ("seqscan", "bitmapscan", *without):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        for way in without:
            cursor.execute(f"SET LOCAL enable_{way} = on")
        return plan


def test_the_first_days_of_a_span_may_lie_in_the_week_or_month_before() -> None:
    publish([sale(2, 1000, **BIG), sale(2, 10, brand="甲", cost=None), sale(0, 10, brand="甲", cost=1)])
    start: date = DAY + timedelta(days=1)
    for interval in ("week", "month"):
        answer = trend(start=start, end=DAY + timedelta(days=6), dimension="brand", interval=interval, top=1)
        assert answer["series"][-1]["gross_profit"] == [None], "what was sold the day before does not count"

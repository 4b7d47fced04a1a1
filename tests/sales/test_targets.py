"""Targets against plain Python: spread to the cent, against the sales so far, changed together or not at all."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from statistics import median
from typing import Any

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from momo.core.errors import Conflict, ValidationFailed
from momo.core.formats import percent_of
from momo.core.scope import Scope
from sales.models import Target
from sales.selectors.monthly import days_of
from sales.selectors.targets import EQUAL, LAST_YEAR, attainment, shape_of, spread
from sales.services.targets import Cell, save_grid, save_target
from tests.sales.factories import Row, publish, sale

MARCH = date(2026, 3, 1)
DAY = date(2026, 3, 2)  # of the factories, a Monday


def rounded(amount: Fraction) -> Decimal:
    cents = floor(abs(amount) * 100 + Fraction(1, 2))
    return Decimal(cents if amount >= 0 else -cents) / 100


@given(
    cents=st.integers(0, 10**14),
    weights=st.lists(st.integers(0, 10**12), min_size=28, max_size=31).filter(any),
)
def test_what_is_spread_over_days_adds_up_to_the_cent(cents: int, weights: list[int]) -> None:
    parts = spread(cents, weights)

    assert sum(parts) == cents
    exact = [Decimal(cents) * weight / sum(weights) for weight in weights]
    assert all(abs(part - share) <= 1 for part, share in zip(parts, exact, strict=True))
    assert min(parts) >= 0


NAMES = st.sampled_from(("甲", "乙", "丙", ""))
SALES = st.builds(
    sale,
    # March 2026, some days of April, and March 2025 with its weekdays.
    days=st.integers(-1, 35) | st.integers(-366, -336),
    amount=st.decimals("-300", "900", places=2),
    pm=NAMES,
    brand=NAMES,
    cost=st.none() | st.decimals("0", "100", places=2),
)
GOALS = st.dictionaries(
    st.tuples(st.sampled_from(("pm", "brand")), st.sampled_from(("甲", "乙", "丁"))),
    st.decimals("0", "9000", places=2),
    max_size=5,
)


def sold(rows: list[Row], first: date, last: date, **keys: str) -> Decimal:
    chosen = [row for row in rows if first <= row["date"] <= last and all(row[name] == keys[name] for name in keys)]
    return sum((row["amount"] for row in chosen), Decimal(0))


def weights_of(rows: list[Row]) -> list[Decimal] | None:
    """Of the days of March 2026 from March 2025; None if a day of the week is missing or brought nothing."""
    days: dict[date, Decimal] = {}
    for row in rows:
        if (row["date"].year, row["date"].month) == (2025, 3):
            days[row["date"]] = days.get(row["date"], Decimal(0)) + row["amount"]
    by_weekday = {n: [amount for day, amount in days.items() if day.weekday() == n] for n in range(7)}
    if not all(found and median(found) > 0 for found in by_weekday.values()):
        return None
    return [Decimal(median(by_weekday[day.weekday()])) for day in days_of(MARCH)]


@pytest.mark.django_db
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(SALES, min_size=1, max_size=14),
    full=st.booleans(),
    whole=st.none() | st.decimals("0", "20000", places=2),
    goals=GOALS,
    today=st.integers(0, 40),
)
def test_targets_say_what_plain_python_says(
    rows: list[Row], full: bool, whole: Decimal | None, goals: dict[tuple[str, str], Decimal], today: int
) -> None:
    if full:  # each day of the week a year ago
        rows = [*rows, *(sale(-364 + day, Decimal(1000 + day), pm="甲", brand="甲", cost=None) for day in range(7))]
    now = MARCH + timedelta(days=today)
    last = min(now, date(2026, 3, 31))
    with transaction.atomic():
        publish(rows)
        for (dimension, key), amount in goals.items():
            Target.objects.create(month=MARCH, dimension=dimension, key=key, amount=amount, gross_profit=amount / 4)
        if whole is not None:
            Target.objects.create(month=MARCH, amount=whole)
        found = {dimension: attainment(MARCH, dimension, today=now) for dimension in ("all", "pm", "brand")}
        mine = attainment(MARCH, "pm", today=now, scope=Scope(frozenset({"甲"})))
        transaction.set_rollback(True)

    seen = [row["date"] for row in rows if MARCH <= row["date"] <= last]
    until = date(2026, 3, 31) if now > date(2026, 3, 31) else max(seen, default=None)
    passed = until.day if until else 0
    weights = weights_of(rows)
    parts = [Fraction(one) for one in weights or [Decimal(1)] * 31]
    share = sum(parts[:passed], Fraction(0)) / sum(parts)
    assert {one.shape for one in found.values()} == {EQUAL if weights is None else LAST_YEAR}
    assert {one.until for one in found.values()} == {until}

    def check(progress: Any, target: Decimal | None, actual: Decimal) -> None:
        assert (progress.target, progress.actual) == (target, actual)
        assert progress.projected == (rounded(Fraction(actual) / share) if share else None)
        if target is None:
            assert (progress.attainment, progress.expected, progress.needed) == (None, None, None)
            return
        assert progress.attainment == (percent_of(actual, target) if target else None)
        assert abs(Fraction(progress.expected) - Fraction(target) * share) <= Fraction(1, 100)
        left = 31 - passed
        if not left:
            assert progress.needed is None
        else:
            assert progress.needed == max(
                Decimal(0), ((target - actual) / left).quantize(Decimal("0.01"), "ROUND_CEILING")
            )

    for one in found.values():
        check(one.whole.amount, whole, sold(rows, MARCH, last))
    days = found["all"].days
    assert sum((day.actual or Decimal(0) for day in days), Decimal(0)) == sold(rows, MARCH, last)
    if whole is not None:
        assert sum((day.target or Decimal(0) for day in days), Decimal(0)) == whole
    for dimension in ("pm", "brand"):
        aims = {key: amount for (of, key), amount in goals.items() if of == dimension}
        keys = {row[dimension] for row in rows if MARCH <= row["date"] <= last} | set(aims)
        assert {row.key for row in found[dimension].rows} == keys
        for row in found[dimension].rows:
            check(row.amount, aims.get(row.key), sold(rows, MARCH, last, **{dimension: row.key}))
        together = sum(aims.values(), Decimal(0)) if aims else None
        check(found[dimension].together.amount, together, sold(rows, MARCH, last))
        difference = None if together is None or whole is None else together - whole
        assert found[dimension].difference == {"amount": difference, "gross_profit": None}
    assert {row.key for row in mine.rows} <= {"甲"}
    assert mine.together.amount.actual == sold(rows, MARCH, last, pm="甲")


@pytest.mark.django_db
def test_one_campaign_a_year_ago_does_not_raise_all_days_like_it() -> None:
    days = [sale((day - DAY).days, 1000) for day in days_of(date(2025, 3, 1))]
    peak = date(2025, 3, 11)
    publish([row | ({"amount": 90_000} if row["date"] == peak else {}) for row in days])

    assert shape_of(MARCH) == (LAST_YEAR, [200_000] * 31)
    assert shape_of(date(2026, 4, 1)) == (EQUAL, [1] * 30)


@pytest.mark.django_db
def test_targets_take_four_queries(django_assert_num_queries: Any) -> None:
    publish([sale(0, 100, pm=f"PM{number}") for number in range(30)])
    Target.objects.bulk_create(Target(month=MARCH, dimension="pm", key=f"PM{n}", amount=n) for n in range(40))

    with django_assert_num_queries(4):
        found = attainment(DAY, "pm", today=DAY)

    assert len(found.rows) == 40


@pytest.mark.django_db
def test_a_target_is_of_a_month_and_of_a_name_that_reports_have() -> None:
    made = save_target(month=date(2026, 3, 17), dimension="pm", key=" 王\n小明 ", amount=Decimal(5))

    assert (made.month, made.key) == (MARCH, "王 小明")
    for fields in (
        {"month": MARCH, "dimension": "pm", "key": "王 小明", "amount": 1},
        {"month": MARCH, "dimension": "pm", "key": "", "amount": 1},
        {"month": MARCH, "dimension": "all", "key": "王小明", "amount": 1},
        {"month": MARCH, "dimension": "brand", "key": "未分類", "amount": 1},
        {"month": MARCH, "dimension": "vendor", "key": "V1", "amount": 1},
        {"month": MARCH, "dimension": "all"},
        {"month": MARCH, "dimension": "all", "amount": -1},
        {"month": date(1999, 12, 1), "dimension": "all", "amount": 1},
    ):
        with pytest.raises(ValidationFailed):
            save_target(**fields)
    assert Target.objects.count() == 1


@pytest.mark.django_db
def test_a_grid_is_stored_together_or_not_at_all() -> None:
    def cell(key: str, before: Any, after: Any, month: int = 3) -> Cell:
        return Cell(key, date(2026, month, 1), *(None if one is None else Decimal(one) for one in (before, after)))

    save = {"dimension": "pm", "measure": "amount"}
    assert save_grid(**save, cells=[cell("甲", None, 100), cell("乙", None, 50), cell("丙", None, None)]) == 2
    assert save_grid(**{**save, "measure": "gross_profit"}, cells=[cell("甲", None, 30)]) == 1
    # Without an amount nothing is left of 乙; 甲 keeps its gross profit.
    assert save_grid(**save, cells=[cell("甲", 100, None), cell("乙", 50, None)]) == 2
    assert list(Target.objects.values_list("key", "amount", "gross_profit")) == [("甲", None, Decimal(30))]

    with pytest.raises(Conflict, match="甲 2026-03 清空（另有 1 格）"):
        save_grid(**save, cells=[cell("甲", 100, 200), cell("乙", 50, 60), cell("丁", None, 5)])
    with pytest.raises(ValidationFailed):
        save_grid(**save, cells=[cell("丁", None, 5), cell("戊", None, 10**13)])

    assert Target.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_grids_at_once_one_is_refused() -> None:
    said: list[object] = []

    def store(amount: int) -> None:
        try:
            cells = [Cell("甲", MARCH, None, Decimal(amount)), Cell("乙", MARCH, None, Decimal(amount))]
            said.append(save_grid(dimension="pm", measure="amount", cells=cells))
        except Conflict:
            said.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=store, args=(amount,)) for amount in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(map(str, said)) == ["2", "refused"]
    assert len(set(Target.objects.values_list("amount", flat=True))) == 1
    assert connection.is_usable()

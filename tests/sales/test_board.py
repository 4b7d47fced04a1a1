"""Boards against plain Python over the same rows: whatever is sold, they say what the API says, and parts add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from momo.core.errors import ValidationFailed
from momo.core.scope import Scope
from sales.figures import Figures, dollars
from sales.models import SummedMonth
from sales.selectors import from_lines
from sales.selectors.board import BY_KEY, day_board, month_board, trend_board
from sales.selectors.changes import DIMENSIONS, Part, contributions, parts_by, product_names, summed
from sales.selectors.daily import daily_sales
from sales.selectors.from_lines import PRODUCT
from sales.selectors.monthly import monthly_summary
from sales.selectors.trend import trend
from sales.services.product_months import sum_product_months
from tests.sales.factories import DAY, Row, publish, sale

pytestmark = pytest.mark.django_db

AMOUNTS = st.decimals("-500", "500", places=2)
ROWS = st.builds(
    sale,
    days=st.integers(-8, 8),
    amount=AMOUNTS,
    quantity=st.integers(-3, 3),
    code=st.sampled_from(("1", "2", "0003")),
    # The same names in several dimensions, and lines without one.
    brand=st.sampled_from(("甲", "乙", "丙", None)),
    pm=st.sampled_from(("甲", "乙", None)),
    category=st.sampled_from(("甲", "美妝", None)),
    cost=st.none() | AMOUNTS,
)
BEFORE, AFTER = (DAY - timedelta(days=8), DAY - timedelta(days=1)), (DAY, DAY + timedelta(days=7))
SCOPES = (None, Scope(frozenset({"甲"})), Scope(frozenset({"乙"}), frozenset({"甲", "丙"})))


def of(rows: Iterable[Row], days: tuple[date, date], scope: Scope | None = None, **keys: str) -> list[Row]:
    """Rows of some days with these values; an empty value is none."""
    return [
        row
        for row in rows
        if days[0] <= row["date"] <= days[1]
        and all((row[name] or "") == key for name, key in keys.items())
        and (scope is None or row["pm"] in scope.pms or row["brand"] in scope.brands)
    ]


def cents(rows: Iterable[Row]) -> int:
    return sum(int(row["amount"] * 100) for row in rows)


def profit(rows: Iterable[Row]) -> int:
    return sum(int((row["amount"] - row["cost"]) * 100) for row in rows if row["cost"] is not None)


def check_contributions(rows: Sequence[Row], scope: Scope | None) -> None:
    for order in list(permutations(DIMENSIONS))[::4]:
        path = [max(row[name] or "" for row in rows) for name in order[:2]]
        levels = contributions(before=BEFORE, after=AFTER, order=order, path=path, scope=scope)
        above = Part((), Figures(), Figures())
        for depth, level in enumerate(levels):
            keys = dict(zip(order, path[:depth], strict=False))
            for part in level.parts:
                names = {**keys, order[depth]: part.keys[0]}
                for figures, days in ((part.before, BEFORE), (part.after, AFTER)):
                    mine = of(rows, days, scope, **names)
                    assert (figures.lines, figures.amount) == (len(mine), cents(mine))
                    assert (figures.gross_profit or 0) == profit(mine)
            if depth:
                # What a key falls into is what it was in the level above.
                assert level.whole.change("amount") == above.change("amount")
            else:
                assert level.whole.change("amount") == cents(of(rows, AFTER, scope)) - cents(of(rows, BEFORE, scope))
            nothing = Part((), Figures(), Figures())
            above = next((part for part in level.parts if part.keys == (path[min(depth, 1)],)), nothing)
    crossed = parts_by(DIMENSIONS, before=BEFORE, after=AFTER, scope=scope)
    assert summed(crossed, ()).change("gross_profit") == levels[0].whole.change("gross_profit")
    assert len({part.keys for part in crossed}) == len(crossed)
    # Parts of months, and whole ones.
    for after in (AFTER, (BEFORE[0] - timedelta(days=40), AFTER[1] + timedelta(days=40))):
        check_products(rows, after, scope)


def check_products(rows: Sequence[Row], after: tuple[date, date], scope: Scope | None) -> None:
    products = parts_by([PRODUCT], before=BEFORE, after=after, scope=scope)
    assert summed(products, ()).change("amount") == cents(of(rows, after, scope)) - cents(of(rows, BEFORE, scope))
    for part in products:
        for figures, days in ((part.before, BEFORE), (part.after, after)):
            mine = of(rows, days, scope, product_code=part.keys[0])
            assert (figures.lines, figures.amount, figures.gross_profit or 0) == (len(mine), cents(mine), profit(mine))


def check_day(rows: Sequence[Row], scope: Scope | None) -> None:
    board = day_board(day=DAY, scope=scope)
    if scope is None:
        said: Any = daily_sales(day=DAY)
        assert board.whole.now.as_dict() == said["summary"]
        for name, before in board.whole.before.items():
            compared = said["comparison"][name]
            compared.pop("date")
            assert board.whole.now.against(before) == compared
        for dimension in BY_KEY:
            shown = [
                {"key": one.key or "未分類", **one.now.as_dict()} for one in board.groups[dimension] if one.now.lines
            ]
            assert shown == [{k: v for k, v in one.items() if k != "share"} for one in said[f"by_{dimension}"]]
    week = DAY - timedelta(days=7)
    assert board.whole.now.amount == cents(of(rows, (DAY, DAY), scope))
    assert board.whole.before["same_weekday_last_week"].amount == cents(of(rows, (week, week), scope))
    for dimension, lines in board.groups.items():
        for line in lines:
            assert line.now.amount == cents(of(rows, (DAY, DAY), scope, **{dimension: line.key}))


def check_month_and_trend(rows: Sequence[Row], scope: Scope | None) -> None:
    first = DAY.replace(day=1)
    board = month_board(month=first, scope=scope)
    for one in board.days:
        mine = of(rows, (one.day, one.day), scope)
        assert (one.figures.amount if one.figures else 0) == cents(mine)
    assert board.whole.amount == cents(of(rows, (first, first + timedelta(days=30)), scope))
    asked: dict[str, Any] = {"start": BEFORE[0], "end": AFTER[1], "interval": "week"}
    found, narrowed = trend_board(**asked, dimension="none", scope=scope)
    assert narrowed == (scope is not None)
    assert sum(found["series"][0]["amount"]) == pytest.approx(dollars(cents(of(rows, (BEFORE[0], AFTER[1]), scope))))
    if scope is None:
        said = monthly_summary(year=first.year, month=first.month)
        assert (board.whole.as_dict(), board.to_date) == (said["totals"], said["month_to_date"])
    else:
        names = sorted(scope.pms)
        by_pm, _ = trend_board(**asked, dimension="pm", scope=scope)
        assert [one["key"] for one in by_pm["series"]] == names
        everything = {one["key"]: one for one in trend(**asked, dimension="pm", top=50)["series"]}
        assert [one for one in by_pm["series"] if one["key"] in everything] == [
            everything[name] for name in names if name in everything
        ]


@hypothesis_settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROWS, min_size=1, max_size=14))
def test_boards_say_what_the_api_says_and_contributions_add_up_to_the_cent(rows: list[Row]) -> None:
    with transaction.atomic():
        # Other versions of the same days do not count.
        publish([row | {"amount": row["amount"] + 1} for row in rows])
        publish(rows)
        # As after an import, when the months are summed, and while one of them is not.
        for prepare in (list, sum_product_months, lambda: SummedMonth.objects.order_by("month")[0].delete()):
            prepare()
            for scope in SCOPES:
                check_contributions(rows, scope)
                check_day(rows, scope)
                check_month_and_trend(rows, scope)
        transaction.set_rollback(True)


def test_lines_are_read_within_a_bound_and_totals_without(monkeypatch: pytest.MonkeyPatch) -> None:
    publish([sale(day, Decimal(10), brand="甲", pm="乙", category="丙") for day in range(3)])
    monkeypatch.setattr(from_lines, "MAX_LINES", 2)
    days = (DAY, DAY + timedelta(days=2))

    with pytest.raises(ValidationFailed) as refusal:
        contributions(before=BEFORE, after=days, order=DIMENSIONS, path=["甲"])
    (level,) = contributions(before=BEFORE, after=days, order=DIMENSIONS)

    assert "3 列明細要逐列加總，最多能加總 2 列" in refusal.value.fields["start_date"][0]
    assert level.whole.change("amount") == 3000
    sum_product_months()
    (_, below) = contributions(before=BEFORE, after=days, order=DIMENSIONS, path=["甲"])
    assert below.whole.change("amount") == 3000


def test_sums_of_lines_are_read_by_the_index_of_their_days() -> None:
    """Of two periods among millions of lines, only those days."""
    publish([sale(day, Decimal(10)) for day in range(3)])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as asked:
        [*from_lines.read_lines([BEFORE, (DAY, DAY)], ["brand"])]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "salesline_day" in plan


def test_a_product_has_the_name_of_its_newest_line() -> None:
    publish([sale(0, 10, code="1", product_name="舊名"), sale(2, 10, code="1", product_name="新名")])
    publish([sale(1, 10, code="2", product_name="別的")])

    parts = parts_by([PRODUCT], before=BEFORE, after=AFTER)

    assert product_names(parts) == {"1": "新名", "2": "別的"}
    assert product_names([]) == {}

"""The start page says of sales what the day and the month say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from momo.core.scope import Scope
from sales.selectors.daily import daily_sales
from sales.selectors.glance import glance
from sales.selectors.monthly import monthly_summary
from tests.admin.makers import brought, sold

DAY = date(2026, 3, 31)  # its previous month is shorter
PMS = ("王小明", "李小華", "")


@pytest.mark.django_db
def test_it_agrees_with_the_day_and_the_month_and_adds_up_over_pms() -> None:
    days = [DAY - timedelta(days=back) for back in (0, 1, 3, 7, 20, 31, 40, 58)] + [date(2025, 3, 5), date(2025, 3, 31)]
    brought(
        *(
            sold(f"{day}", amount=100 * (number + 3) + place, pm=pm, brand=f"品牌{place}")
            for number, day in enumerate(days)
            for place, pm in enumerate(PMS)
        )
    )

    whole = glance()
    day, month = daily_sales(day=DAY), monthly_summary(year=2026, month=3)

    assert whole is not None
    assert (whole.day, whole.figures.as_dict()) == (DAY, day["summary"])
    assert whole.before == day["comparison"]
    assert whole.month == month["month_to_date"]
    of_pm = [glance(scope=Scope(pms=frozenset({pm}))) for pm in PMS]
    assert sum(one.figures.amount for one in of_pm if one) == whole.figures.amount
    assert sum(one.month["current"]["amount"] for one in of_pm if one) == month["month_to_date"]["current"]["amount"]
    both = glance(scope=Scope(pms=frozenset(PMS[:2]), brands=frozenset({"品牌2"})))
    assert both is not None
    assert both.figures.amount == sum(one.figures.amount for one in of_pm[:2] if one)  # by PM, not by both


@pytest.mark.django_db
def test_days_without_rows_of_a_pm_count_as_none() -> None:
    brought(sold(f"{DAY}", pm="李小華"), sold(f"{DAY - timedelta(days=2)}", pm="王小明", amount=500))

    own = glance(scope=Scope(pms=frozenset({"王小明"})))

    assert own is not None
    assert (own.day, own.figures.amount, own.month["days"]) == (DAY, 0, 31)
    assert own.month["current"]["amount"] == 500


@pytest.mark.django_db
def test_before_any_data_there_is_nothing() -> None:
    assert glance() is None

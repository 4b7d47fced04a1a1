"""The page of usage: sums as the API answers them, grouped, with a chart and what is left of budgets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from ai.models import Budget, Call
from tests.ai.makers import call
from tests.kit.users import person, session_client


@pytest.fixture
def address() -> str:
    return reverse("admin:ai_call_usage")


def test_sums_by_each_group(admin: User, user: User, address: str) -> None:
    call(user)
    call(user, provider="ollama", model="llama3:70b", cost=0, status="failed")
    call(person("bob"), cost=Decimal("1.5"), searches=2)
    browser = session_client(admin)
    found = {by: browser.get(address, {"by": by}).context for by in ("day", "provider", "model", "user", "nonsense")}

    assert {row["name"]: row["cost"] for row in found["user"]["rows"]} == {"bob": "1.5 USD", "amy": "0.25 USD"}
    assert [row["name"] for row in found["model"]["rows"]] == ["gemini-3.8-flash", "llama3:70b"]
    assert [row["calls"] for row in found["provider"]["rows"]] == [2, 1]
    today = timezone.localdate()
    assert [row["name"] for row in found["day"]["rows"]] == [str(today)]
    assert found["nonsense"]["by"] == "day"
    chart = found["day"]["chart"]
    assert (len(chart["labels"]), chart["series"][0]["label"], chart["series"][0]["data"][-1]) == (
        today.day,
        "USD",
        1.75,
    )
    tokens = browser.get(address, {"metric": "tokens", "by": "provider"}).context["chart"]
    assert [series["data"] for series in tokens["series"]] == [[200, 100], [170, 85]]
    own = session_client(user).get(address, {"by": "user"}).context
    assert [row["name"] for row in own["rows"]] == ["amy"]


def test_days_are_picked_and_wrong_ones_are_said(user: User, address: str) -> None:
    old = call(user)
    Call.objects.filter(pk=old.pk).update(started_at=timezone.now() - dt.timedelta(days=40))
    browser, then = session_client(user), timezone.localdate() - dt.timedelta(days=40)
    assert browser.get(address).context["rows"] == []
    assert len(browser.get(address, {"start_date": then, "end_date": then}).context["rows"]) == 1
    for wrong in (
        {"start_date": "x"},
        {"start_date": "2026-02-02", "end_date": "2026-01-01"},
        {"end_date": "9999-12-31"},
    ):
        assert 'role="alert"' in browser.get(address, wrong).content.decode()


def test_what_is_left_of_budgets(user: User, admin: User, address: str, django_assert_num_queries: Any) -> None:
    bob = person("bob")
    month = timezone.localdate().replace(day=1)
    for given in (
        {"amount": 10},
        {"amount": 2, "month": month},
        {"amount": 5, "user": user},
        {"amount": 0, "user": bob},
    ):
        Budget.objects.create(**given)
    call(user), call(bob, cost=Decimal("0.5"))

    def left(browser: User) -> dict[str, str]:
        page = session_client(browser).get(address)
        return {row["whose"]: f"{row['left']} {row['percent']}" for row in page.context["budgets"]}

    mine = {"全部使用者": "1.25 37.5%", str(user): "4.75 5%"}
    assert left(user) == mine
    assert left(admin) == {**mine, str(bob): "0 －"}
    browser = session_client(admin)
    browser.get(address)
    for number in (0, 3):
        for _ in range(number):
            call(bob)
        with django_assert_num_queries(8):
            browser.get(address)

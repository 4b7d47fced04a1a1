"""What was generated, and what it has used: of oneself, for admins of everybody."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from ai.models import Call
from tests.ai.makers import generation as made
from tests.kit.users import person, token_client


@pytest.fixture
def other(db: None) -> User:
    return person("bob")


def listed(client: Client, query: str = "") -> list[int]:
    return [row["id"] for row in client.get(f"/api/ai/history?{query}").json()["data"]["items"]]


def test_the_history_is_ones_own_and_admins_see_all(api: Client, user: User, admin: User, other: User) -> None:
    mine, theirs = made(user), made(other)
    everything = token_client(admin)
    assert listed(api) == [mine.pk]
    assert listed(everything) == [theirs.pk, mine.pk]
    path = f"/api/ai/history/{theirs.pk}"
    assert api.get(path).status_code == api.delete(path).status_code == api.put(f"{path}/favorite").status_code == 404
    assert everything.get(path).json()["data"]["username"] == "bob"


def test_filters_and_pages(api: Client, user: User) -> None:
    plain, starred, found = made(user), made(user, favorite=True), made(user, "查到的", kind="search")
    named = made(user, product_name="保濕面膜")
    assert listed(api, "favorite=true") == [starred.pk]
    assert listed(api, "kind=search") == [found.pk]
    assert listed(api, "q=面膜") == [named.pk]
    asked = made(user, "答案", kind="search", request={"query": "防曬趨勢"})
    assert listed(api, "q=防曬") == [asked.pk]
    asked.delete()
    assert listed(api, "per_page=2&page=2") == [starred.pk, plain.pk]


def test_a_list_takes_a_fixed_number_of_queries(api: Client, user: User, django_assert_num_queries: Any) -> None:
    listed(api)  # the token's first use is recorded
    for number in (1, 5):
        for _ in range(number):
            made(user)
        with django_assert_num_queries(3):
            assert listed(api)


def test_favorites_toggle(api: Client, user: User) -> None:
    path = f"/api/ai/history/{made(user).pk}/favorite"
    assert [api.put(path).json()["data"]["favorite"] for _ in range(3)] == [True, False, True]


def test_what_is_deleted_is_gone_and_its_cost_stays(api: Client, user: User) -> None:
    row = made(user)
    assert api.delete(f"/api/ai/history/{row.pk}").status_code == 200
    assert listed(api) == []
    assert api.get(f"/api/ai/history/{row.pk}").status_code == 404
    assert api.get("/api/ai/usage/stats").json()["data"]["totals"]["calls"] == 1


def test_usage_by_day_provider_model_and_user(api: Client, user: User, admin: User, other: User) -> None:
    for who in (user, user, other):
        made(who)
    Call.objects.filter(user=other).update(provider="ollama", model="llama3:70b", cost=0, status="failed")
    old = made(user).call
    Call.objects.filter(pk=old.pk).update(started_at=timezone.now() - dt.timedelta(days=400))
    data = token_client(admin).get("/api/ai/usage/stats").json()["data"]
    assert {row["provider"]: (row["calls"], row["errors"]) for row in data["by_provider"]} == {
        "gemini": (2, 0),
        "ollama": (1, 1),
    }
    assert [(row["model"], row["output_tokens"]) for row in data["by_model"]] == [
        ("gemini-3.8-flash", 170),
        ("llama3:70b", 85),
    ]
    assert {row["username"]: row["costs"][0]["amount"] for row in data["by_user"]} == {"amy": 0.5, "bob": 0}
    assert [row["date"] for row in data["by_day"]] == [timezone.localdate().isoformat()]
    assert data["totals"]["seconds"] == 4.5
    own = api.get("/api/ai/usage/stats").json()["data"]
    assert [row["username"] for row in own["by_user"]] == ["amy"]

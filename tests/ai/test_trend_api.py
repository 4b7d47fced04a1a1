"""GET /api/ai/trending."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ai.models import TrendCategory
from tests.ai.trending import ITEM, listed, trend


@pytest.fixture
def rows(db: None) -> dict[str, TrendCategory]:
    TrendCategory.objects.all().delete()
    rows = {
        "fresh": trend(),
        "old": trend("cosme", "105", error="網站拒絕存取（403）", attempted_at=timezone.now()),
        "never": trend("youtube", "香水", "香水"),
        "off": trend("youtube", "手機", "手機", enabled=False),
    }
    listed(rows["fresh"], "甲", "乙")
    listed(rows["old"], "丙", fetched_at=timezone.now() - timedelta(days=3), by_hand=True)
    return rows


def answered(api: Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/api/ai/trending?{query}").json()["data"]["lists"]
    return found


def test_each_list_has_its_age_and_its_last_error(rows: dict[str, TrendCategory], api: Client) -> None:
    old, fresh, never = answered(api)

    assert fresh["items"] == [ITEM | {"name": "甲"}, ITEM | {"rank": 2, "name": "乙"}]
    assert (fresh["stale"], fresh["error"], fresh["by_hand"]) == (False, "", False)
    assert 0 <= fresh["age"] < 600
    assert fresh["fetched_at"].endswith("+08:00")
    assert (old["stale"], old["error"], old["by_hand"]) == (True, "網站拒絕存取（403）", True)
    assert old["age"] // 3600 == 72
    assert old["items"][0]["name"] == "丙"
    assert (never["stale"], never["age"], never["fetched_at"], never["items"]) == (True, None, None, [])


def test_by_source_and_category(rows: dict[str, TrendCategory], api: Client) -> None:
    assert [row["source"] for row in answered(api, "category=化妝水")] == ["cosme", "mybest"]
    assert [row["id"] for row in answered(api, "source=mybest&category=化妝水")] == [rows["fresh"].pk]
    assert answered(api, "source=mybest&category=香水") == []
    assert answered(api, "category=手機") == []


@pytest.mark.parametrize(
    ("query", "field", "known"), [("source=ptt", "source", "mybest"), ("category=汽車", "category", "香水")]
)
def test_unknown_ones_are_refused(rows: Any, api: Client, query: str, field: str, known: str) -> None:
    answer = api.get(f"/api/ai/trending?{query}")

    assert answer.status_code == 400
    assert known in answer.json()["fields"][field][0]


def test_the_number_of_queries_is_fixed(rows: Any, api: Client, django_assert_num_queries: Any) -> None:
    answered(api)
    for number in range(5):
        listed(trend(key=f"9{number}"), "戊")

    with django_assert_num_queries(2):  # the token, and the lists
        assert len(answered(api)) == 8

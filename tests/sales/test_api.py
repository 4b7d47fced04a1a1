"""What the sales endpoints take, and how they answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Role
from tests.kit.users import person, session_client, token_client
from tests.sales.factories import publish, sale

pytestmark = pytest.mark.django_db
PATHS = ("daily_sales", "monthly_summary", "sales/trend", "export/daily_sales")


@pytest.fixture
def asker(db: None) -> Client:
    publish(
        [
            sale(0, 100, 2, brand="水潤", pm="王小明", category="美妝", cost="60.5", product_name="精華液"),
            sale(0, 50, 1, "0012", brand="沐光", pm=None, category="美妝", cost=None),
            sale(1, "0.1", 1, brand="水潤", pm="王小明", category="美妝", cost=0),
        ]
    )
    return session_client(person())


def refused(client: Client, path: str, **query: Any) -> dict[str, list[str]]:
    answer = client.get(f"/api/{path}", query)
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (400, False, "VALIDATION_ERROR")
    fields: dict[str, list[str]] = body["fields"]
    return fields


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", Role.values)
def test_every_role_reads(asker: Client, path: str, role: str) -> None:
    assert token_client(person("bob", role)).get(f"/api/{path}").status_code == 200
    assert Client().get(f"/api/{path}").status_code == 401
    assert asker.post(f"/api/{path}").status_code == 405


def test_a_day(asker: Client) -> None:
    body = asker.get("/api/daily_sales", {"date": "2026-03-02", "per_page": "1"}).json()
    assert (body["success"], body["message"]) == (True, "操作成功")
    data = body["data"]
    assert data["date"] == "2026-03-02"
    assert data["summary"] == {
        "quantity": 3,
        "amount": 150,
        "cost": 60.5,
        "gross_profit": 39.5,
        "margin": 39.5,  # of the 100 whose cost is known
        "lines": 2,
    }
    assert {name: data[name] for name in ("total", "page", "per_page", "total_pages")} == {
        "total": 2,
        "page": 1,
        "per_page": 1,
        "total_pages": 2,
    }
    (item,) = data["items"]
    assert {name: value for name, value in item.items() if name != "id"} == {
        "product_id": "1000001",
        "product_name": "精華液",
        "brand": "水潤",
        "category": "美妝",
        "pm": "王小明",
        "vendor_code": "",
        "vendor_name": "",
        "quantity": 2,
        "amount": 100,
        "cost": 60.5,
        "gross_profit": 39.5,
        "margin": 39.5,
    }
    assert [(one["key"], one["amount"], one["share"]) for one in data["by_pm"]] == [
        ("王小明", 100, 66.67),
        ("未分類", 50, 33.33),
    ]
    comparison = data["comparison"]["previous_day"]
    assert comparison["date"] == "2026-03-01"
    assert (comparison["lines"], comparison["change"]["amount"], comparison["change_percent"]["amount"]) == (
        0,
        150,
        None,
    )


def test_an_empty_value_is_none(asker: Client) -> None:
    assert asker.get("/api/daily_sales?date=&pm=&brand=&page=").json()["data"]["date"] == "2026-03-03"
    assert asker.get("/api/sales/trend?dimension=&interval=&top=").json()["data"]["dimension"] == "none"


def test_a_day_without_data(asker: Client) -> None:
    data = asker.get("/api/daily_sales", {"date": "2020-01-01"}).json()["data"]
    assert (data["date"], data["summary"]["amount"], data["items"], data["total_pages"]) == ("2020-01-01", 0, [], 0)


def test_a_month(asker: Client) -> None:
    data = asker.get("/api/monthly_summary", {"year": "2026", "month": "3"}).json()["data"]
    assert (data["year"], data["month"], data["totals"]["amount"], len(data["days"])) == (2026, 3, 150.1, 31)
    assert data["month_to_date"]["current"]["end_date"] == "2026-03-03"


def test_a_trend(asker: Client) -> None:
    query = {"start_date": "2026-03-01", "end_date": "2026-03-03", "dimension": "brand", "top": "1"}
    data = asker.get("/api/sales/trend", query).json()["data"]
    assert data == {
        "start_date": "2026-03-01",
        "end_date": "2026-03-03",
        "dimension": "brand",
        "interval": "day",
        "dates": ["2026-03-01", "2026-03-02", "2026-03-03"],
        "series": [
            {"key": "水潤", "amount": [0, 100, 0.1], "quantity": [0, 2, 1], "gross_profit": [0, 39.5, 0.1]},
            {"key": "其他", "amount": [0, 50, 0], "quantity": [0, 1, 0], "gross_profit": [0, None, 0]},
        ],
    }


@pytest.mark.parametrize(
    ("path", "query", "field", "message"),
    [
        ("daily_sales", {"date": "2026/03/02"}, "date", "請輸入有效的日期，格式為 YYYY-MM-DD"),
        ("daily_sales", {"date": "2026-02-30"}, "date", "請輸入有效的日期，格式為 YYYY-MM-DD"),
        ("daily_sales", {"date": "1969-12-31"}, "date", "日期超出可用範圍"),
        ("daily_sales", {"date": "2200-01-01"}, "date", "日期超出可用範圍"),
        ("daily_sales", {"pm": "誰"}, "pm", "銷售資料中沒有這個PM：誰"),
        ("daily_sales", {"brand": "什麼"}, "brand", "銷售資料中沒有這個品牌：什麼"),
        ("daily_sales", {"page": "0"}, "page", "請輸入 1 以上的整數"),
        ("daily_sales", {"per_page": "201"}, "per_page", "最多 200 筆"),
        ("monthly_summary", {"year": "2026"}, "month", "year 與 month 請一起提供"),
        ("monthly_summary", {"month": "3"}, "year", "year 與 month 請一起提供"),
        ("sales/trend", {"dimension": "vendor"}, "dimension", "請輸入 brand、pm、category 或 none"),
        ("sales/trend", {"interval": "year"}, "interval", "請輸入 day、week 或 month"),
        ("sales/trend", {"start_date": "x"}, "start_date", "請輸入有效的日期，格式為 YYYY-MM-DD"),
        (
            "sales/trend",
            {"start_date": "2026-03-02", "end_date": "2026-03-01"},
            "start_date",
            "起始日不可晚於結束日",
        ),
        (
            "sales/trend",
            {"start_date": "2020-01-01", "end_date": "2026-01-01"},
            "start_date",
            "期間最長 3 年，請縮短範圍",
        ),
        ("export/daily_sales", {"format": "pdf"}, "format", "請輸入 excel 或 csv"),
        ("export/daily_sales", {"date": "昨天"}, "date", "請輸入有效的日期，格式為 YYYY-MM-DD"),
    ],
)
def test_what_is_refused(asker: Client, path: str, query: dict[str, str], field: str, message: str) -> None:
    assert refused(asker, path, **query) == {field: [message]}


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("monthly_summary", {"year": "2026", "month": "13"}, "month"),
        ("monthly_summary", {"year": "2026", "month": "0"}, "month"),
        ("monthly_summary", {"year": "1970", "month": "1"}, "year"),
        ("monthly_summary", {"year": "二〇二六", "month": "1"}, "year"),
        ("sales/trend", {"top": "0"}, "top"),
        ("sales/trend", {"top": "51"}, "top"),
        ("sales/trend", {"top": "all"}, "top"),
        ("daily_sales", {"brand": "長" * 121}, "brand"),
        ("daily_sales", {"pm": "\0"}, "pm"),
    ],
)
def test_bounds_are_told_in_chinese(asker: Client, path: str, query: dict[str, str], field: str) -> None:
    answer = asker.get(f"/api/{path}", query)
    assert answer.status_code == 400
    fields = answer.json().get("fields")
    if fields is not None:  # NUL is refused before any view
        assert list(fields) == [field]
        assert all(not text.isascii() for texts in fields.values() for text in texts)


def test_the_ends_of_time(asker: Client) -> None:
    for day in ("1970-01-01", "2199-12-31"):
        assert asker.get("/api/daily_sales", {"date": day}).status_code == 200
        query = {"start_date": day, "end_date": day}
        for interval in ("day", "week", "month"):
            assert asker.get("/api/sales/trend", query | {"interval": interval}).status_code == 200
        assert asker.get("/api/sales/trend", {"end_date": day, "dimension": "pm"}).status_code == 200
    for year, month in ((1971, 1), (2199, 12)):
        assert asker.get("/api/monthly_summary", {"year": year, "month": month}).status_code == 200


def test_today_is_taipeis() -> None:
    asker = session_client(person())
    with time_machine.travel("2026-03-01T16:30:00Z", tick=False):
        assert asker.get("/api/daily_sales").json()["data"]["date"] == str(date(2026, 3, 2))

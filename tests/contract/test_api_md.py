"""The calls that the contract documents, as its clients make them: over HTTP, with a cookie and with a token."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
import redis
import requests
from django.conf import settings as django_settings
from django.utils import timezone

from accounts.models import Role
from accounts.services import create_token
from tests.contract.caller import Caller
from tests.contract.conftest import drive_settings
from tests.contract.matrix import NEW
from tests.contract.sales_story import XLSX, changes, drive, imports, sales
from tests.contract.world import SETTINGS, stock
from tests.kit.users import PASSWORD, person

ITEM = {
    "id",
    "product_id",
    "name",
    "brand",
    "category",
    "price",
    "previous_price",
    "change",
    "change_percent",
    "status",
    "url",
    "image_url",
    "price_changed_at",
    "first_seen_at",
    "last_seen_at",
    "lowest_price_30d",
}
SORT_BY = (
    "product_id",
    "name",
    "brand",
    "price",
    "change",
    "change_percent",
    "price_changed_at",
    "first_seen_at",
    "last_seen_at",
)


@pytest.fixture(params=["cookie", "token"])
def caller(request: pytest.FixtureRequest, live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Caller]:
    """An admin, inside by either way; what is sent to the broker is thrown away."""
    with drive_settings(tmp_path) as lead:
        for name, value in {**SETTINGS, **lead}.items():
            setattr(settings, name, value)
        yield from inside(request.param, live_server.url)


def inside(way: str, base: str) -> Iterator[Caller]:
    stock()
    admin = person("ada", Role.ADMIN)
    made = Caller(base)
    if way == "cookie":
        answer = made.ask("POST", "/login", 302, data={"username": "ada", "password": PASSWORD, "next": "/admin/"})
        assert answer.headers["Location"] == "/admin/"
        assert made.session.cookies["sessionid"]
    else:
        made.session.headers["Authorization"] = f"Bearer {create_token(user=admin, name='n8n').text}"
    yield made
    made.session.close()
    redis.Redis.from_url(django_settings.CELERY_BROKER_URL).flushdb()


def test_documented_calls(caller: Caller) -> None:
    """One story, since each needs a server and a catalogue of its own."""
    products(caller)
    history(caller)
    workbooks(caller)
    crawling(caller)
    first = imports(caller)
    sales(caller)
    drive(caller)
    changes(caller, first)
    people(caller)
    passwords(caller)


def products(caller: Caller) -> None:
    body = caller.ask("GET", "/api/products").json()
    assert list(body) == ["items", "total", "page", "per_page", "total_pages"]
    assert {name: body[name] for name in ("total", "page", "per_page", "total_pages")} == {
        "total": 2,
        "page": 1,
        "per_page": 50,
        "total_pages": 1,
    }
    assert all(set(item) >= ITEM for item in body["items"])
    one = next(item for item in body["items"] if item["product_id"] == "12345678")
    assert (one["price"], one["previous_price"], one["change"], one["change_percent"]) == (990, 1100, -110, -10)
    assert (one["status"], one["lowest_price_30d"]) == ("active", 990)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+08:00", one["price_changed_at"])

    def found(query: str) -> list[str]:
        return [item["product_id"] for item in caller.ask("GET", f"/api/products?{query}").json()["items"]]

    assert found("filter=all&order=asc&sort_by=product_id") == ["12345678", "87654321"]
    assert found("filter=increase") == []
    assert found("filter=decrease") == ["12345678"]
    assert found("filter=decrease&hours=1") == []
    assert found("filter=delisted") == ["87654321"]
    assert found(f"q={quote('品牌')}&page=1&per_page=50&category=1100100000&sort_by=price&order=desc") == [
        "12345678",
        "87654321",
    ]
    assert found("q=8765") == ["87654321"]
    for name in SORT_BY:
        assert len(found(f"sort_by={name}")) == 2
    assert found("page=2") == []
    for query in ("filter=other", "sort_by=id", "page=0", "page=x", "per_page=201", "category=none"):
        caller.refused("GET", f"/api/products?{query}", 400, "VALIDATION_ERROR")


def history(caller: Caller) -> None:
    points = caller.ask("GET", "/api/history/12345678").json()
    assert [point["p"] for point in points] == [990, 1100, 1000]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", point["t"]) for point in points)
    assert [point["t"] for point in points] == sorted((point["t"] for point in points), reverse=True)
    day = points[0]["t"][:10]
    assert caller.ask("GET", f"/api/history/12345678?start_date={day}&end_date={day}").json()
    assert caller.ask("GET", "/api/history/12345678?start_date=2020-01-01&end_date=2020-01-02").json() == []
    caller.refused("GET", "/api/history/00000000", 404, "NOT_FOUND")


def workbooks(caller: Caller) -> None:
    for kind, rows in (("all", 2), ("changes", 1), ("delisted", 1)):
        answer = caller.ask("GET", f"/api/export/excel/{kind}")
        assert answer.headers["Content-Type"] == XLSX
        assert answer.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
        assert f"{timezone.localdate():%Y%m%d}.xlsx" in answer.headers["Content-Disposition"]
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        assert sheet is not None
        assert (sheet.max_row, sheet.freeze_panes) == (rows + 1, "A2")
        assert sheet.auto_filter.ref
        assert sheet["A1"].font.bold
        assert isinstance(sheet["F2"].value, int | float) or kind == "delisted"
    caller.refused("GET", "/api/export/excel/other", 404, "NOT_FOUND")


def crawling(caller: Caller) -> None:
    status = caller.data("GET", "/api/system/crawler/status")
    assert (status["running"], status["workers_alive"]) == (None, 0)
    assert {"counts", "verdict", "duration"} <= set(status["last"])
    assert "next_run_at" in status
    started = caller.data("POST", "/api/run_task", 202)
    assert started["already_running"] is False
    assert started["task_id"]
    again = caller.data("POST", "/api/run_task", 202, json={"categories": ["1100100000"]})
    assert (again["run_id"], again["already_running"]) == (started["run_id"], True)
    assert caller.data("GET", "/api/system/crawler/status")["running"]["run_id"] == started["run_id"]
    status = caller.ask("GET", "/api/system/status").json()
    assert all(0 <= status[f"{name}_percent"] <= 100 for name in ("cpu", "memory", "disk"))
    assert re.fullmatch(r"\d+ (day|hour|minute)s?|less than a minute", status["uptime"])
    assert caller.ask("GET", "/health").text == "OK"
    assert "METRICS_NETWORKS" in caller.ask("GET", "/metrics", 403).text


def people(caller: Caller) -> None:
    given = {
        "username": "amy",
        "email": "amy@example.com",
        "password": PASSWORD,
        "role": "user",
        "display_name": "艾咪",
    }
    made = caller.data("POST", "/api/users", 201, json=given)
    assert {name: made[name] for name in given if name != "password"} == {
        name: value for name, value in given.items() if name != "password"
    }
    path = f"/api/users/{made['id']}"
    listed = caller.data("GET", "/api/users?q=amy&role=user&is_active=true")
    assert [row["id"] for row in listed["items"]] == [made["id"]]
    assert caller.data("PUT", path, json={"role": "manager"}) == {**made, "role": "manager"}
    assert caller.data("PATCH", path, json={"display_name": "小艾"})["role"] == "manager"
    assert caller.data("POST", f"{path}/reset_password", json={"new_password": NEW})["new_password"] is None
    generated = caller.data("POST", f"{path}/reset_password")["new_password"]
    other = Caller(caller.base)
    inside = other.ask("POST", "/login", 302, data={"username": "amy", "password": generated})
    assert inside.headers["Location"].startswith("/change_password")
    assert other.refused("GET", "/api/products", 403, "PERMISSION_DENIED")
    wrong = {"data": {"username": "amy", "password": "x"}, "headers": {"Accept": "application/json"}}
    other.refused("POST", "/login", 401, "AUTH_FAILED", **wrong)
    day = f"{timezone.localdate():%Y-%m-%d}"
    tries = caller.data("GET", f"/api/users/login_history?username=amy&success=false&start_date={day}&end_date={day}")[
        "items"
    ]
    assert len(tries) == 1
    assert {"time", "address", "user_agent", "outcome", "reason"} <= set(tries[0])
    assert caller.data("DELETE", path) is None
    caller.refused("GET", path, 404, "NOT_FOUND")


def passwords(caller: Caller) -> None:
    caller.refused(
        "POST",
        "/api/user/change_password",
        400,
        "VALIDATION_ERROR",
        json={"current_password": "wrong", "new_password": NEW},
    )
    body = {"current_password": PASSWORD, "new_password": NEW}
    caller.data("POST", "/api/user/change_password", json=body)
    caller.data("GET", "/api/users")
    left = caller.ask("GET", "/logout", 302)
    assert left.headers["Location"] == "/login"
    if "Authorization" in caller.session.headers:
        caller.data("GET", "/api/users")
    else:
        caller.refused("GET", "/api/users", 401, "AUTH_REQUIRED")
        caller.ask("POST", "/login", 302, data={"username": "ada", "password": NEW})
    caller.ask("POST", "/logout", 302)


def test_a_trailing_slash_is_no_matter(caller: Caller) -> None:
    user = person("amy")
    for path, status in {
        "/api/products": 200,
        "/api/history/12345678": 200,
        "/api/users": 200,
        f"/api/users/{user.pk}": 200,
        "/api/users/login_history": 200,
        "/api/system/crawler/status": 200,
        "/api/daily_sales": 200,
        "/api/sales/trend": 200,
        "/api/import/jobs": 200,
        "/api/import/jobs/999999": 404,
        "/api/users/999999": 404,
        "/api/nowhere": 404,
    }.items():
        plain, slashed = caller.ask("GET", path, status), caller.ask("GET", f"{path}/?page=1", status)
        assert _steady(slashed) == _steady(plain), path
    with_slash = caller.ask("GET", "/api/export/excel/all/").headers["Content-Disposition"]
    assert with_slash == caller.ask("GET", "/api/export/excel/all").headers["Content-Disposition"]
    assert caller.data("PUT", f"/api/users/{user.pk}/", json={"display_name": "艾咪"})["display_name"] == "艾咪"
    assert caller.data("POST", "/api/run_task/", 202)["already_running"] is False
    form = {"files": {"file": ("a.csv", b"x")}, "data": {"job_type": "daily_sales"}}
    assert caller.data("POST", "/api/import/upload/", 202, **form)["job_id"]
    assert caller.data("DELETE", f"/api/users/{user.pk}/") is None


def _steady(answer: requests.Response) -> Any:
    """Without what moves with the clock."""
    body = answer.json()
    if isinstance(body, dict) and isinstance(body.get("data"), dict):
        body["data"].pop("next_run_at", None)
    return body

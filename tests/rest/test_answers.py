"""Successes: the envelope, bare bodies, files, methods without a body, pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import LoginAttempt, User
from tests.rest.test_failures import check


def test_envelope_and_how_values_are_written(api: Client) -> None:
    response = api.get("/api/t/echo")
    assert response["Content-Type"] == "application/json"
    assert response.content.decode() == (
        '{"success":true,"data":{"moment":"2026-01-29T14:00:00+08:00","day":"2026-01-29","whole":3280,"part":12.5,'
        '"id":"00000000-0000-0000-0000-000000000007","text":"乳霜"},"message":"做好了"}'
    )


def test_message_and_status_of_an_answer(api: Client) -> None:
    response = api.post("/api/t/echo", {"name": "a", "price": 1}, content_type="application/json")
    assert response.status_code == 201
    assert response.json() == {"success": True, "data": {"name": "a", "price": 1}, "message": "已新增"}


def test_default_message(api: Client) -> None:
    assert api.get("/api/t/slow").json() == {"success": True, "data": None, "message": "操作成功"}


def test_bare_by_method(api: Client) -> None:
    assert api.get("/api/t/bare").json() == [1, 2]
    assert api.post("/api/t/bare").json() == {"success": True, "data": [1, 2], "message": "操作成功"}


def test_files_pass(api: Client) -> None:
    response = api.get("/api/t/file")
    assert b"".join(response.streaming_content) == b"abc"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/api/t/echo", "/api/t/bare"])
def test_trailing_slash_answers_as_without(api: Client, path: str) -> None:
    assert api.get(path + "/").content == api.get(path).content
    posted = api.post(path + "/", {"name": "a", "price": 1}, content_type="application/json")
    assert posted.status_code in (200, 201)


def test_head_is_get_without_a_body(api: Client) -> None:
    response = api.head("/api/t/echo")
    assert (response.status_code, response.content) == (200, b"")


def test_options_says_what_is_allowed(nobody: Client) -> None:
    response = nobody.options("/api/t/echo")
    assert response.status_code == 204
    assert response["Allow"] == "GET, POST, PUT, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/xml", "nonsense"])
def test_any_accept_gets_json(api: Client, accept: str) -> None:
    assert api.get("/api/t/echo", headers={"Accept": accept})["Content-Type"] == "application/json"


def test_format_is_an_ordinary_parameter(api: Client) -> None:
    assert api.get("/api/t/echo?format=excel").status_code == 200


@pytest.fixture
def attempts(user: User) -> list[LoginAttempt]:
    rows = [
        LoginAttempt(
            username=f"n{number % 3}",
            user=user if number % 2 else None,
            address="10.0.0.1",
            success=number % 2 == 0,
            reason=LoginAttempt.Reason.OK if number % 2 == 0 else LoginAttempt.Reason.WRONG_PASSWORD,
        )
        for number in range(7)
    ]
    return LoginAttempt.objects.bulk_create(rows)


def test_pages(api: Client, attempts: list[LoginAttempt]) -> None:
    first = api.get("/api/t/list?per_page=3").json()
    assert {name: first[name] for name in ("total", "page", "per_page", "total_pages")} == {
        "total": 7,
        "page": 1,
        "per_page": 3,
        "total_pages": 3,
    }
    seen = [row["id"] for page in (1, 2, 3) for row in api.get(f"/api/t/list?per_page=3&page={page}").json()["items"]]
    assert sorted(seen) == sorted(row.pk for row in attempts)
    assert api.get("/api/t/list").json()["per_page"] == 50


@pytest.mark.parametrize("page", ["4", "999999999999"])
def test_page_past_the_end_is_empty(api: Client, attempts: list[LoginAttempt], page: str) -> None:
    body = api.get(f"/api/t/list?per_page=3&page={page}").json()
    assert (body["items"], body["total"], body["total_pages"]) == ([], 7, 3)


def test_no_rows_are_no_pages(api: Client) -> None:
    body = api.get("/api/t/list").json()
    assert (body["items"], body["total"], body["total_pages"]) == ([], 0, 0)


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=1.5", "page=1e3", "page=٣", "page=" + "9" * 40])
def test_page_that_is_none(api: Client, query: str) -> None:
    assert "page" in check(api.get(f"/api/t/list?{query}"), 400, "VALIDATION_ERROR")["fields"]


@pytest.mark.parametrize("query", ["per_page=0", "per_page=201", "per_page=all"])
def test_per_page_that_is_none(api: Client, query: str) -> None:
    assert "per_page" in check(api.get(f"/api/t/list?{query}"), 400, "VALIDATION_ERROR")["fields"]


def test_view_counts_itself(api: Client, attempts: list[LoginAttempt], django_assert_num_queries: Any) -> None:
    api.get("/api/t/counted")
    with django_assert_num_queries(2):  # the token, the rows; no COUNT
        assert api.get("/api/t/counted").json()["total"] == 1000


def test_order_is_total_and_empty_values_come_last(api: Client, attempts: list[LoginAttempt]) -> None:
    def ids(query: str) -> list[int]:
        return [row["id"] for row in api.get(f"/api/t/list?{query}").json()["items"]]

    ascending = ids("sort_by=user&order=asc")
    with_user = [row.pk for row in attempts if row.user_id]
    without = [row.pk for row in attempts if not row.user_id]
    assert ascending == with_user + without
    assert ids("sort_by=user&order=desc") == with_user[::-1] + without[::-1]
    by_name = sorted(attempts, key=lambda row: (row.username, row.pk))
    assert ids("") == [row.pk for row in by_name]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort_by=password", "sort_by"),
        ("order=up", "order"),
        ("success=maybe", "success"),
        ("reason=nothing", "reason"),
        ("number=x", "number"),
        ("start_date=2026-13-01", "start_date"),
        ("start_date=0001-01-01", "start_date"),
        ("end_date=9999-12-31", "end_date"),
        ("start_date=2026-02-02&end_date=2026-02-01", "start_date"),
    ],
)
def test_unknown_values_are_refused(api: Client, query: str, field: str) -> None:
    assert field in check(api.get(f"/api/t/list?{query}"), 400, "VALIDATION_ERROR")["fields"]


def test_unknown_names_are_left_alone(api: Client, attempts: list[LoginAttempt]) -> None:
    assert api.get("/api/t/list?utm_source=mail").json()["total"] == 7


def test_filters(api: Client, attempts: list[LoginAttempt]) -> None:
    assert api.get("/api/t/list?success=true").json()["total"] == 4
    assert api.get("/api/t/list?success=0").json()["total"] == 3
    assert api.get("/api/t/list?success=").json()["total"] == 7


def test_days_are_local_and_included(api: Client, attempts: list[LoginAttempt]) -> None:
    import datetime as dt

    LoginAttempt.objects.update(time=dt.datetime(2026, 1, 28, 16, 30, tzinfo=dt.UTC))  # 00:30 on the 29th in Taipei
    assert api.get("/api/t/list?start_date=2026-01-29&end_date=2026-01-29").json()["total"] == 7
    assert api.get("/api/t/list?end_date=2026-01-28").json()["total"] == 0
    assert api.get("/api/t/list?start_date=2026-01-30").json()["total"] == 0

"""Every failure below /api is the failure envelope, whatever the cause."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from momo.rest.errors import flatten
from tests.kit.users import PASSWORD, session_client, token_client


@pytest.fixture
def uploader(manager: User) -> Client:
    return token_client(manager)


# kind → (status, code, words that the message must hold)
EXPECTED: dict[str, tuple[int, str, str]] = {
    "validation": (400, "VALIDATION_ERROR", "price：太小（另有 1 項）"),
    "django-validation": (400, "VALIDATION_ERROR", "name：必填"),
    "django-validation-plain": (400, "VALIDATION_ERROR", "不行"),
    "ours-validation": (400, "VALIDATION_ERROR", "a：一（另有 1 項）"),
    "suspicious": (400, "VALIDATION_ERROR", "格式"),
    "auth-failed": (401, "AUTH_FAILED", "帳號或密碼錯誤"),
    "denied": (403, "PERMISSION_DENIED", "權限"),
    "drf-denied": (403, "PERMISSION_DENIED", "權限"),
    "not-found": (404, "NOT_FOUND", "找不到"),
    "ours-not-found": (404, "NOT_FOUND", "找不到"),
    "conflict": (409, "CONFLICT", "已經復原過了"),
    "protected": (409, "CONFLICT", "無法刪除"),
    "unique": (409, "CONFLICT", "已經存在"),
    "too-large": (413, "PAYLOAD_TOO_LARGE", "太大"),
    "rate": (429, "RATE_LIMITED", "8 秒"),
    "crash": (500, "SERVER_ERROR", "X-Request-ID"),
    "integrity": (500, "SERVER_ERROR", "X-Request-ID"),
    "unwritable": (500, "SERVER_ERROR", "X-Request-ID"),
    "upstream": (502, "UPSTREAM_ERROR", "Ollama 沒有正常回應，請確認 OLLAMA_URL"),
    "setting": (503, "UNAVAILABLE", "GEMINI_API_KEY"),
    "database": (503, "UNAVAILABLE", "資料庫"),
    "database-closed": (503, "UNAVAILABLE", "資料庫"),
    "database-pool": (503, "UNAVAILABLE", "資料庫"),
    "timeout": (503, "UNAVAILABLE", "資料庫目前無法使用，正忙於其他工作"),
    "redis": (503, "UNAVAILABLE", "訊息佇列"),
    "kombu": (503, "UNAVAILABLE", "訊息佇列"),
}


def check(response: Any, status: int, code: str) -> dict[str, Any]:
    """The failure envelope, and nothing that belongs to us."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body["success"] is False
    assert body["code"] == code
    assert set(body) <= {"success", "error", "code", "fields"}
    assert re.search(r"[\u4e00-\u9fff]", body["error"])
    assert b"secret" not in response.content
    assert response["X-Request-ID"]
    return body


@pytest.mark.parametrize("kind", EXPECTED)
def test_failure_of_a_view(kind: str, api: Client, settings: Any) -> None:
    for debug in (False, True):
        settings.DEBUG = debug
        status, code, words = EXPECTED[kind]
        assert words in check(api.get(f"/api/t/fail/{kind}"), status, code)["error"]


def test_every_kind_is_expected() -> None:
    from tests.rest.urls import FAILURES

    assert set(FAILURES) == set(EXPECTED)


def test_fields_name_rows_and_columns(api: Client) -> None:
    body = api.get("/api/t/fail/validation").json()
    assert body["fields"] == {"price": ["太小"], "rows.1.name": ["必填"]}


def test_flatten_merges_and_names_the_rest() -> None:
    assert flatten(["a", "b"]) == {"non_field_errors": ["a", "b"]}
    assert flatten("a") == {"non_field_errors": ["a"]}
    assert flatten({"x": {"y": ["a"]}}) == {"x.y": ["a"]}
    assert flatten([]) == {}
    assert flatten({"non_field_errors": ["a"]}) == {"non_field_errors": ["a"]}
    assert flatten({"x": {"non_field_errors": ["a"], "y": ["b"]}}) == {"x": ["a"], "x.y": ["b"]}
    assert flatten({"x": [{}, {"non_field_errors": ["a"]}]}) == {"x.1": ["a"]}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api", 404, "NOT_FOUND"),
        ("/api/", 404, "NOT_FOUND"),
        ("/api/nowhere", 404, "NOT_FOUND"),
        ("/api/nowhere/", 404, "NOT_FOUND"),
        ("/api/t/echo%00", 404, "NOT_FOUND"),
        ("/api/t/echo?q=%00", 400, "VALIDATION_ERROR"),
        ("/api/t/plain-crash", 500, "SERVER_ERROR"),
        ("/api/t/plain-database", 503, "UNAVAILABLE"),
    ],
)
def test_failure_outside_of_views(path: str, status: int, code: str, debug: bool, settings: Any) -> None:
    settings.DEBUG = debug
    check(Client(raise_request_exception=False).get(path), status, code)


def test_wrong_method(api: Client, nobody: Client) -> None:
    response = api.patch("/api/t/echo")
    check(response, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in response["Allow"]
    check(nobody.delete("/api/t/fail/crash"), 405, "METHOD_NOT_ALLOWED")


def test_wrong_host(settings: Any, api: Client) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    check(api.get("/api/t/echo", headers={"Host": "evil.example"}), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b'{"price": NaN}', b'{"price": 1e999}', b"[" * 200_000, b"", b"\xef\xbb\xbf["]
)
def test_broken_json(api: Client, body: bytes) -> None:
    check(api.post("/api/t/echo", body, content_type="application/json"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", ["[]", "1", "null", '"x"', '{"name": "\\ud800", "price": 1}'])
def test_json_that_is_no_object(api: Client, body: str) -> None:
    assert "fields" in check(api.post("/api/t/echo", body, content_type="application/json"), 400, "VALIDATION_ERROR")


def test_wrong_content_type(api: Client) -> None:
    check(api.post("/api/t/echo", "a=1", content_type="text/plain"), 400, "VALIDATION_ERROR")


def test_body_beyond_the_limit(api: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = b'{"name":"' + b"x" * 2000 + b'"}'
    check(api.post("/api/t/echo", body, content_type="application/json"), 413, "PAYLOAD_TOO_LARGE")


FORM = (
    b'--end\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1\r\n2\r\n'
    b'--end\r\nContent-Disposition: form-data; name="kind"\r\n\r\nsales\r\n--end--'
)
FORM_TYPE = "multipart/form-data; boundary=end"


@pytest.mark.parametrize("after", [b"", b"\r\n", b"\r\nepilogue\r\n"])
def test_a_whole_form(uploader: Client, after: bytes) -> None:
    response = uploader.post("/api/t/upload", FORM + after, content_type=FORM_TYPE)
    assert response.json()["data"] == {"size": 4}


def test_a_form_that_was_cut_off_is_none(uploader: Client) -> None:
    for length in range(1, len(FORM)):
        check(uploader.post("/api/t/upload", FORM[:length], content_type=FORM_TYPE), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=é", "multipart/mixed"])
def test_a_form_without_a_boundary(uploader: Client, content_type: str) -> None:
    check(uploader.post("/api/t/upload", FORM, content_type=content_type), 400, "VALIDATION_ERROR")


def test_a_form_larger_than_memory_takes(uploader: Client, settings: Any) -> None:
    """Its file goes to disk piece by piece."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    content = b"x" * 300_000
    form = FORM.replace(b"1\r\n2", content)
    assert uploader.post("/api/t/upload", form, content_type=FORM_TYPE).json()["data"] == {"size": len(content)}
    check(uploader.post("/api/t/upload", form[:200_000], content_type=FORM_TYPE), 400, "VALIDATION_ERROR")


def test_messages_of_fields_are_chinese(api: Client) -> None:
    response = api.post(
        "/api/t/echo",
        {"name": "toolong", "price": "x", "when": "yesterday", "sure": "maybe"},
        content_type="application/json",
    )
    fields = check(response, 400, "VALIDATION_ERROR")["fields"]
    assert set(fields) == {"name", "price", "when", "sure"}
    for messages in fields.values():
        assert re.search(r"[\u4e00-\u9fff]", messages[0]), messages


def test_crash_is_logged_with_its_request_id(api: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="momo.rest"):
        response = api.get("/api/t/fail/crash", headers={"X-Request-ID": "from-n8n.7"})
    assert response["X-Request-ID"] == "from-n8n.7"
    record = next(record for record in caplog.records if record.name == "momo.rest")
    assert "GET /api/t/fail/crash" in record.getMessage()
    assert record.exc_info


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "<script>", "-a"])
def test_insane_request_id_is_replaced(api: Client, given: str) -> None:
    response = api.get("/api/t/echo", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])


def test_retry_after_and_authenticate_headers(api: Client, nobody: Client) -> None:
    assert api.get("/api/t/fail/rate")["Retry-After"] == "8"
    assert api.get("/api/t/fail/database")["Retry-After"] == "5"
    assert nobody.get("/api/t/echo")["WWW-Authenticate"].startswith("Bearer")


def _with_database_away(ask: Any) -> Any:
    """Runs `ask` in a thread whose connection leads to a closed port."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    def act() -> Any:
        connection.settings_dict = {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": "1"}
        try:
            return ask()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def test_database_away(api: Client, user: Any) -> None:
    browser = session_client(user)
    for client in (api, browser):
        body = check(_with_database_away(lambda client=client: client.get("/api/t/echo")), 503, "UNAVAILABLE")
        assert "資料庫" in body["error"]
    login = {"username": "amy", "password": PASSWORD}
    program = Client(raise_request_exception=False, headers={"Accept": "application/json"})
    check(_with_database_away(lambda: program.post("/login", login)), 503, "UNAVAILABLE")

"""Error pages are in Chinese and show nothing of the server."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.kit.users import session_client
from tests.rest.test_failures import _with_database_away

KINDS: dict[str, tuple[Any, int, str]] = {
    "nowhere": (lambda browser: browser.get("/nowhere"), 404, "找不到頁面"),
    "not allowed": (lambda browser: browser.get("/admin/accounts/user/"), 403, "權限不足"),
    "form of another site": (lambda browser: browser.post("/change_password", {}), 403, "請再試一次"),
    "host": (lambda browser: browser.get("/login", headers={"Host": "evil.example"}), 400, "請求不正確"),
    "database": (lambda browser: _with_database_away(lambda: browser.get("/change_password")), 500, "系統發生錯誤"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_page(kind: str, user: User) -> None:
    act, status, title = KINDS[kind]
    response = act(session_client(user, enforce_csrf_checks=True))
    page = response.content.decode()
    assert response.status_code == status
    assert f"<h1>{title}</h1>" in page
    assert 'lang="zh-Hant"' in page
    assert "psycopg" not in page
    assert response["X-Request-ID"]

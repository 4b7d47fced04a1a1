"""Error pages are in Chinese and show nothing of the server."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

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


MAKE_RUN = """
import django
django.setup()
from django.conf import settings
from django.test import Client
answer = Client().get("/nowhere")
print(answer.status_code, "<h1>找不到頁面</h1>" in answer.content.decode(), settings.SESSION_COOKIE_SECURE)
"""


def test_make_run_shows_them_too_and_logs_in_over_http() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "MOMO_ENV")}
    environment |= {"MOMO_ENV": "local", "DJANGO_SETTINGS_MODULE": "momo.settings", "PYTHONIOENCODING": "utf-8"}

    ended = subprocess.run(
        [sys.executable, "-c", MAKE_RUN],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ended.stdout.split() == ["404", "True", "False"]

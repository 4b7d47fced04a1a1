"""Valkey and PostgreSQL die under a web server that has connections to them, and come back."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from momo.local.processes import free_port
from momo.local.services import LocalServices
from tests.kit.databases import fill_with_migrated
from tests.kit.forks import Forked, fork
from tests.kit.users import PASSWORD

JSON = {"Accept": "application/json"}
TIMEOUT = 20
PATIENCE = 30.0  # seconds until a wait has failed
# An admin, and a token on stdout.
PREPARE = """
import django
django.setup()
from django.core.management import call_command
call_command("ensure_admin")
call_command("create_api_token", "admin")
"""


def kill(pid: int | None) -> None:
    assert pid is not None
    process = psutil.Process(pid)
    process.send_signal(signal.SIGKILL)
    psutil.wait_procs([process], timeout=PATIENCE)


@dataclass
class Site:
    """A web server as in production, with servers of its own behind it."""

    services: LocalServices
    base: str
    token: dict[str, str]
    log: Path
    web: Forked

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return requests.get(self.base + path, headers=headers, timeout=TIMEOUT)

    def log_in(self, name: str, password: str) -> requests.Response:
        form = {"username": name, "password": password}
        return requests.post(self.base + "/login", form, headers=JSON, timeout=TIMEOUT, allow_redirects=False)

    def await_answer(self, path: str, headers: dict[str, str], status: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.get(path, headers).status_code != status:
            assert time.monotonic() < deadline, f"no {status} of {path}"
            time.sleep(0.1)


@contextmanager
def serving(env: dict[str, str], port: int, log: Path) -> Iterator[Forked]:
    command = ["-m", "gunicorn", "momo.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    web = fork([*command, "--worker-class", "gthread", "--threads", "4"], environment=env, log=log)
    try:
        yield web
    finally:
        web.terminate()
        web.wait(PATIENCE)


@pytest.fixture
def site(tmp_path: Path, django_db_setup: None) -> Iterator[Site]:
    services = LocalServices(tmp_path / "local")
    try:
        addresses, _ = services.acquire()
        fill_with_migrated(addresses.database_url, folder=tmp_path)
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "momo.settings",
            "DATABASE_URL": addresses.database_url,
            "DATABASE_POOL_SIZE": "4",
            "REDIS_URL": addresses.redis_url,
            "REDIS_FIRST_DATABASE": "0",
            "MOMO_ADMIN_PASSWORD": PASSWORD,
        }
        printed = tmp_path / "prepared"
        assert fork(["-c", PREPARE], environment=env, log=printed).wait(PATIENCE) == 0, printed.read_text()
        token = printed.read_text().splitlines()[-1]
        port, log = free_port(), tmp_path / "web.log"
        with serving(env, port, log) as web:
            site = Site(services, f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"}, log, web)
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    site.get("/login")
                    break
                except requests.ConnectionError:
                    assert time.monotonic() < deadline, log.read_text()
                    time.sleep(0.1)
            yield site
    finally:
        services.delete()


def failed(response: requests.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["success"], body["code"]) == (status, False, code)
    assert response.headers["X-Request-ID"]
    for inside in ("psycopg", "redis", "Traceback", "127.0.0.1", "connection"):
        assert inside not in response.text
    return body


def test_servers_die_and_come_back(site: Site) -> None:
    """One story, since it needs servers of its own."""
    inside = site.log_in("admin", PASSWORD)
    cookie = {"Cookie": f"sessionid={inside.cookies['sessionid']}"}
    both = (site.token, cookie)
    assert [site.log_in("ghost", "x").status_code for _ in range(6)] == [401] * 5 + [429]
    assert [site.get("/api/users", way).status_code for way in both] == [200, 200]

    assert ailing(site) == {"workers"}
    valkey_is_killed(site, both)
    postgres_is_killed(site, both)
    web_process_is_killed(site)


def ailing(site: Site) -> set[str]:
    """What /health?full=1 names; no worker runs here. The process itself is alive whatever else is not."""
    assert site.get("/health").text == "OK"
    begun = time.monotonic()
    answer = site.get("/health?full=1")
    assert time.monotonic() - begun < 10
    found = {name for name, check in answer.json()["checks"].items() if check["status"] != "ok"}
    assert answer.status_code == (503 if found else 200)
    return found


def web_process_is_killed(site: Site) -> None:
    """Another one takes its place, and no counter goes back."""
    before = counters(site)
    assert len(before) > 20
    [process] = psutil.Process(site.web.pid).children()
    kill(process.pid)
    site.await_answer("/login", {}, 200)
    after = counters(site)
    assert {name: value for name, value in before.items() if after.get(name, 0) < value} == {}
    asked = 'django_http_responses_total_by_status_view_method_total{method="GET",status="200",view="login"}'
    assert after[asked] > before[asked]
    queries = [name for name in after if name.startswith("django_db_query_duration_seconds_count")]
    assert [after[name] > 10 for name in queries] == [True]


def counters(site: Site) -> dict[str, float]:
    text = site.get("/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)", text, flags=re.MULTILINE))
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    names = {name for name, kind in kinds.items() if kind in {"counter", "histogram"}}
    ends = ("", "_bucket", "_sum", "_count", "_total")
    return {
        name: float(value)
        for name, value in lines
        if any(name.partition("{")[0].removesuffix(end) in names for end in ends)
    }


def valkey_is_killed(site: Site, both: tuple[dict[str, str], ...]) -> None:
    """Requests go on, the log says so, and the lock holds: for whom it held, and for whom it begins to hold."""
    kill(site.services.valkey_pid())
    for way in both:
        for path in ("/api/users", "/api/products", "/admin/" if "Cookie" in way else "/api/schema"):
            begun = time.monotonic()
            assert site.get(path, way).status_code == 200
            assert time.monotonic() - begun < TIMEOUT / 2
    assert ailing(site) == {"broker", "workers"}
    assert "Requests are not counted, Redis does not answer" in site.log.read_text()
    assert "分鐘後再試" in failed(site.log_in("ghost", "x"), 429, "RATE_LIMITED")["error"]
    assert [site.log_in("other", "x").status_code for _ in range(6)] == [401] * 5 + [429]
    assert site.log_in("admin", PASSWORD).status_code == 302
    site.services.acquire()
    assert site.get("/api/users", both[0]).status_code == 200


def postgres_is_killed(site: Site, both: tuple[dict[str, str], ...]) -> None:
    """Every way in says what is away, and the same process serves again once it is back."""
    kill(site.services.postgres.pid())
    for path, way in zip(("/api/users", "/api/products"), both, strict=True):
        response = site.get(path, way)
        assert "資料庫" in failed(response, 503, "UNAVAILABLE")["error"]
        assert response.headers["Retry-After"] == "5"
    failed(site.log_in("admin", PASSWORD), 503, "UNAVAILABLE")
    assert ailing(site) == {"database", "workers"}
    assert 'momo_up{server="database"} 0.0' in site.get("/metrics").text
    page = site.get("/admin/", both[1])
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "資料庫目前無法使用，請稍後再試" in page.text
    assert site.get("/login").status_code == 200
    assert site.get("/api/nowhere", both[0]).status_code == 404
    site.services.acquire()
    for way in both:
        site.await_answer("/api/users", way, 200)
    assert site.log_in("ghost", "x").status_code == 429, "the lock outlives both"

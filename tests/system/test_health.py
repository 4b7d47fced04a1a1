"""/health, over real servers: some that answer, some that are closed, some that accept and never answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings as project
from django.db import connection, connections
from django.test import Client

from momo.local.processes import free_port
from momo.system import health

QUEUES = ("crawl", "bot", "default", "imports", "messages")


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def asked(query: str = "") -> tuple[int, Any]:
    response = Client(headers={"Host": "10.1.2.3:8000"}).get(f"/health{query}")
    return response.status_code, response.json() if query else response.content


def test_alive_needs_nothing(settings: Any) -> None:
    """Neither a database, which this test may not use, nor an allowed host, https, or a session that exists."""
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["mo.wooo.work"]
    client = Client(headers={"Host": "10.1.2.3:8000", "Cookie": "sessionid=x"})
    response = client.get("/health")
    assert (response.status_code, response.content, response["Cache-Control"]) == (200, b"OK", "no-store")
    assert (client.head("/health").status_code, client.post("/health").status_code) == (200, 405)


@pytest.mark.django_db
def test_full_names_each_server(beat: Callable[..., None]) -> None:
    status, body = asked("?full=1")
    assert (status, body["status"]) == (503, "fail")
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "database": "ok",
        "broker": "ok",
        "workers": "fail",
    }
    beat("one@a", *QUEUES[1:])
    assert "crawl" in asked("?full=1")[1]["checks"]["workers"]["message"]
    beat("two@a", "crawl")
    status, body = asked("?full=1")
    assert (status, body["status"]) == (200, "ok")
    assert all(set(check) == {"status", "seconds"} for check in body["checks"].values())


@pytest.mark.parametrize("silence", [True, False], ids=["silent", "closed"])
def test_servers_that_do_not_answer(
    silence: bool, silent: int, settings: Any, monkeypatch: pytest.MonkeyPatch, django_db_setup: None
) -> None:
    port = silent if silence else free_port()
    monkeypatch.setitem(connections.settings["default"], "PORT", port)
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{port}/0"
    begun = time.monotonic()
    status, body = asked("?full=1")
    assert time.monotonic() - begun < health.LIMIT + 1
    assert status == 503
    assert {name: check["status"] for name, check in body["checks"].items()} == dict.fromkeys(
        ("database", "broker", "workers"), "fail"
    )
    assert body["checks"]["workers"]["message"] == "不明：Redis 沒有回應"
    assert asked() == (200, b"OK")


def test_a_server_that_stops_answering_holds_nobody(django_db_setup: None) -> None:
    probe = health._Probe(lambda probe: str(health._rows(probe, "SELECT pg_sleep(60)")))
    probe.start()
    found = probe.result()
    assert (found.ok, found.message) == (False, "2 秒內沒有回應")
    probe.join(5)
    assert not probe.is_alive(), "its connection was cut"


@pytest.mark.django_db
def test_ready_once_all_migrations_are_applied() -> None:
    assert asked("?ready=1")[0] == 200
    name = connection.settings_dict["NAME"]
    address = f"{project.DATABASES['default']['HOST']}"
    server = psycopg.connect(
        dbname=name,
        host=address,
        port=connection.settings_dict["PORT"],
        user=connection.settings_dict["USER"],
        password=connection.settings_dict["PASSWORD"],
        autocommit=True,
    )
    newest = "WHERE app = 'products' AND name = '0015_words'"
    with server:
        server.execute(f"UPDATE django_migrations SET app = 'gone' {newest}")
        try:
            status, body = asked("?ready=1")
        finally:
            server.execute("UPDATE django_migrations SET app = 'products' WHERE app = 'gone'")
    assert status == 503
    assert body["checks"]["database"]["status"] == "ok"
    assert body["checks"]["migrations"]["message"] == "還沒有執行 migrate：products.0015_words"

"""Checks of database and workers, over real servers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from celery.signals import worker_shutdown
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client, override_settings

from momo.celery import idle_queues, queues, workers_alive
from momo.local.processes import free_port
from tests.system.conftest import Worker

SERVER = os.environ["DATABASE_URL"].rpartition("/")[0]


@pytest.fixture
def ascii_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """An empty database in SQL_ASCII, as an alias of Django's."""
    name = f"ascii_{os.getpid()}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} ENCODING SQL_ASCII LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
        connections.databases["ascii"] = connections.databases["default"] | {"NAME": name}
        try:
            with django_db_blocker.unblock():
                yield "ascii"
        finally:
            connections["ascii"].close()
            del connections["ascii"]
            del connections.databases["ascii"]
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_that_cannot_hold_our_texts_is_refused_before_anything_is_written(ascii_database: str) -> None:
    with pytest.raises(CommandError, match=r"SQL_ASCII.*UTF8") as refused:
        call_command("migrate", database=ascii_database, skip_checks=False, verbosity=0)
    assert "system.E001" in str(refused.value)
    assert connections[ascii_database].introspection.table_names() == []
    assert [one for one in run_checks(databases=["default"]) if str(one.id).startswith("system.E")] == []


def found() -> list[str]:
    """What the system check says of the workers."""
    return [one.msg for one in run_checks(tags=["workers"])]


def test_queues_that_no_worker_consumes_are_named(beat: Callable[..., None]) -> None:
    assert queues() == ["bot", "crawl", "default", "imports", "messages"]
    assert found() == [], "where no worker runs, none is expected"
    beat("one@a", "bot", "default", "messages")
    assert found() == ["這些佇列沒有 worker 處理，工作會一直等待：crawl、imports"]
    beat("two@a", "crawl", "imports")
    assert (idle_queues(), found()) == ([], [])
    assert workers_alive() == ["one@a", "two@a"]
    beat("one@a", "bot", "default", "messages")
    assert idle_queues() == [], "no heartbeat takes away another one"
    worker_shutdown.send(sender=Worker("one@a"))
    assert idle_queues() == ["bot", "default", "messages"]


def test_the_start_page_says_so(beat: Callable[..., None], admin_client: Client) -> None:
    assert "背景程式沒有在執行" in admin_client.get("/admin/").content.decode()
    beat("one@a", "bot", "crawl", "default", "messages")
    page = admin_client.get("/admin/").content.decode()
    assert "有些工作沒有背景程式處理" in page
    assert "啟動才開始：匯入。" in page
    beat("two@a", "imports")
    assert "背景程式" not in admin_client.get("/admin/").content.decode()


def test_a_broker_that_is_away_says_nothing_about_workers() -> None:
    place = settings.CACHES["default"] | {"LOCATION": f"redis://127.0.0.1:{free_port()}/1"}
    with override_settings(CACHES={"default": place}):
        begun = time.monotonic()
        assert (idle_queues(), found()) == ([], [])
        assert time.monotonic() - begun < 3

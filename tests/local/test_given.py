"""A database that somebody names gets demo data only when it is empty or has the demo's data already."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from momo.local import bootstrap
from momo.local.given import foreign_data
from momo.local.processes import ServiceError, free_port
from momo.local.run import Serving
from momo.local.services import DEMO_SIZE
from momo.local.shop import Catalogue

SERVER = os.environ["DATABASE_URL"].rpartition("/")[0]
NAME = f"given_{os.getpid()}"


@pytest.fixture
def database() -> Iterator[psycopg.Connection]:
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {NAME}")
        try:
            with psycopg.connect(f"{SERVER}/{NAME}", autocommit=True) as made:
                yield made
        finally:
            server.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_what_it_holds_decides(database: psycopg.Connection) -> None:
    url = f"{SERVER}/{NAME}"
    assert foreign_data(url) == ""
    database.execute("CREATE TABLE wordpress (id int)")
    assert "其他程式" in foreign_data(url)

    database.execute("DROP TABLE wordpress")
    database.execute("CREATE TABLE django_migrations (id int); CREATE TABLE products_category (code text, name text)")
    database.execute("CREATE TABLE sales_dayowner (id int)")
    assert foreign_data(url) == "", "migrated, and nothing in it"

    database.execute("INSERT INTO products_category VALUES ('1100100000', '我的分類')")
    assert "不是示範資料" in foreign_data(url)
    demo = Catalogue(size=DEMO_SIZE).categories[0]
    database.execute("INSERT INTO products_category VALUES (%s, %s)", (demo.code, demo.name))
    assert foreign_data(url) == "", "the demo, to which somebody added a category"

    database.execute("DELETE FROM products_category; INSERT INTO sales_dayowner VALUES (1)")
    assert "不是示範資料" in foreign_data(url)


def test_one_that_does_not_answer_is_named() -> None:
    with pytest.raises(ServiceError, match="DATABASE_URL") as caught:
        foreign_data(f"postgresql://momo:geheim@127.0.0.1:{free_port()}/momo")
    assert "geheim" not in str(caught.value)


def test_an_empty_environment_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"MOMO_ENV": "", "LOG_LEVEL": "", "DATABASE_POOL_SIZE": ""})
    monkeypatch.setattr(bootstrap, "read_env_file", lambda: None)
    bootstrap.set_defaults()
    commands = Serving("127.0.0.1", 5000).commands()
    assert os.environ["MOMO_ENV"] == "local"
    assert commands["worker"][commands["worker"].index("--loglevel") + 1] == "WARNING"
    assert "DATABASE_POOL_SIZE=8" in commands["web"]


def test_what_the_file_of_the_environment_says_wins_over_a_local_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose `.env` says production is no demo for `manage.py crawl` either."""
    monkeypatch.setattr("os.environ", {})
    monkeypatch.setattr(bootstrap, "read_env_file", lambda: os.environ.update(MOMO_ENV="production"))
    bootstrap.set_defaults()
    assert os.environ["MOMO_ENV"] == "production"
    assert bootstrap.use_local_services(crawls=True) is False
    assert bootstrap.demo_wanted() is False, "nor for `make run`, which would load demo data and crawl the real shop"

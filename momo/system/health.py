"""Whether database, broker and workers answer, each asked for LIMIT seconds at most.

A server that accepts a connection and then never answers blocks whoever asks it, since PostgreSQL's client has no limit
for the time after the connection. So each check runs in a thread of its own, and its connection is cut at the limit.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from redis.exceptions import RedisError

from momo.celery import WORKER_SECONDS, idle_queues, workers_alive
from momo.system.queues import broker

LIMIT = 2.0  # seconds
NO_DATABASE, NO_BROKER = "PostgreSQL 沒有回應", "Redis 沒有回應"


@dataclass(frozen=True)
class Check:
    """What a check found; `message` says what is wrong."""

    ok: bool
    seconds: float
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON shows it."""
        found = {"status": "ok" if self.ok else "fail", "seconds": round(self.seconds, 3)}
        return found | ({"message": self.message} if self.message else {})


class _Probe(threading.Thread):
    """One check in a thread; `ask` returns what is wrong, "" for nothing."""

    def __init__(self, ask: Callable[[_Probe], str]) -> None:
        super().__init__(daemon=True)
        self.ask, self.begun = ask, time.monotonic()
        self.found: Check | None = None
        self._lock, self._over = threading.Lock(), False
        self._line: socket.socket | None = None

    def run(self) -> None:
        message = self.ask(self)
        self.found = Check(not message, time.monotonic() - self.begun, message)

    @contextlib.contextmanager
    def waiting_for(self, connection: psycopg.Connection) -> Iterator[None]:
        """Inside the block the connection may be cut, which ends a wait in it with psycopg.OperationalError."""
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            with self._lock:
                if self._over:
                    raise psycopg.OperationalError
                self._line = line
            try:
                yield
            finally:
                with self._lock:
                    self._line = None

    def result(self) -> Check:
        """What was found within the limit."""
        self.join(max(0.0, self.begun + LIMIT - time.monotonic()))
        if self.found is not None:
            return self.found
        with self._lock:
            self._over = True
            if self._line is not None:
                with contextlib.suppress(OSError):
                    self._line.shutdown(socket.SHUT_RDWR)
        return Check(False, time.monotonic() - self.begun, f"{LIMIT:g} 秒內沒有回應")


def full() -> dict[str, Check]:
    """Database, broker and workers, asked at once."""
    return _asked(database=_ask_database, broker=_ask_broker, workers=_ask_workers)


def ready() -> dict[str, Check]:
    """Whether this process may get requests: the database answers and has every migration of this version."""
    return _asked(database=_ask_database, migrations=_ask_migrations)


def servers() -> dict[str, Check]:
    """Database and broker."""
    return _asked(database=_ask_database, broker=_ask_broker)


def _asked(**asks: Callable[[_Probe], str]) -> dict[str, Check]:
    probes = {name: _Probe(ask) for name, ask in asks.items()}
    for probe in probes.values():
        probe.start()
    return {name: probe.result() for name, probe in probes.items()}


# --- Database ---------------------------------------------------------------------------------------------------------


def _ask_database(probe: _Probe) -> str:
    return NO_DATABASE if _rows(probe, "SELECT 1") is None else ""


def _ask_migrations(probe: _Probe) -> str:
    applied = _rows(probe, "SELECT app, name FROM django_migrations")
    if applied is None:
        return NO_DATABASE
    missing = sorted(f"{app}.{name}" for app, name in needed_migrations() - set(applied))
    return f"還沒有執行 migrate：{'、'.join(missing[:5])}{' 等' if len(missing) > 5 else ''}" if missing else ""


@cache
def needed_migrations() -> frozenset[tuple[str, str]]:
    """App and name of every migration of this version. A database that is ahead has others too, which do no harm."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _rows(probe: _Probe, statement: str) -> list[Any] | None:
    """The rows of one statement, none of a table that is missing; None without an answer.

    Over a connection of its own: those of Django may all be waiting for the server.
    """
    own = {"connect_timeout": int(LIMIT), "application_name": "momo health", "autocommit": True}
    own |= {"prepare_threshold": None, "cursor_factory": psycopg.Cursor}
    try:
        with (
            psycopg.connect(**connections["default"].get_connection_params() | own) as connection,
            probe.waiting_for(connection),
        ):
            return connection.execute(statement).fetchall()
    except psycopg.errors.UndefinedTable:
        return []
    except psycopg.Error:
        return None


# --- Redis and workers ------------------------------------------------------------------------------------------------


def _ask_broker(probe: _Probe) -> str:
    try:
        broker().ping()
    except RedisError:
        return NO_BROKER
    return ""


def _ask_workers(probe: _Probe) -> str:
    """Workers store their heartbeats in Redis; while it does not answer nobody knows of them."""
    if _ask_broker(probe):
        return f"不明：{NO_BROKER}"
    if not workers_alive():
        return f"{WORKER_SECONDS} 秒內沒有背景程式回報"
    idle = idle_queues()
    return f"這些佇列沒有背景程式處理：{'、'.join(idle)}" if idle else ""

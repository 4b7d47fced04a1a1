"""System checks of the servers: a database that can hold our texts, workers for every queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections

from momo.celery import idle_queues, queues, workers_alive

ENCODING = "UTF8"
OLDEST = 15  # PostgreSQL


def check_database(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """system.E001: the encoding is not UTF8; E002: PostgreSQL is too old.

    Django runs it before `migrate`, and with `check --database default`. A database that does not answer is no finding.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT current_database()::text, getdatabaseencoding()::text")
                name, encoding = cursor.fetchone()
                version = cursor.connection.info.server_version // 10_000
        except DatabaseError:
            continue
        if encoding != ENCODING:
            found.append(_wrong_encoding(name, encoding))
        if version < OLDEST:
            found.append(Error(f"PostgreSQL {version} 太舊，需要 {OLDEST} 以上的版本", id="system.E002"))
    return found


def _wrong_encoding(name: str, encoding: str) -> Error:
    return Error(
        f"資料庫 {name} 的編碼是 {encoding}，存不了中文；需要 {ENCODING}（DATABASE_URL）",
        hint=f"建一個新的資料庫：CREATE DATABASE momo ENCODING '{ENCODING}' LOCALE 'C' TEMPLATE template0",
        id="system.E001",
    )


def check_queues(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """system.W001: workers run, and leave queues without a consumer, whose tasks wait for ever.

    Where no worker runs at all, nothing is said: most commands run on machines and at times without any.
    """
    idle = idle_queues()
    if not idle or not workers_alive():
        return []
    hint = f"啟動 worker 時列出所有佇列：celery -A momo worker --queues {','.join(queues())}"
    return [Warning(f"這些佇列沒有 worker 處理，工作會一直等待：{'、'.join(idle)}", hint=hint, id="system.W001")]

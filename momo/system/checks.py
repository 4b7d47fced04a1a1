"""System checks of the servers: they answer, the database can hold our texts, every queue has a worker."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections
from redis import Redis, RedisError

from momo.celery import idle_queues, queues, workers_alive
from notifications.channels.mail_server import read_email_url

ENCODING = "UTF8"
OLDEST = 15  # PostgreSQL
SECONDS = 3  # that a server has to answer


def check_database(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """system.E001: the encoding is not UTF8; E002: PostgreSQL is too old; E003: it does not answer.

    Django runs it before `migrate`, and with `check --database default`.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT current_database()::text, getdatabaseencoding()::text")
                name, encoding = cursor.fetchone()
                version = cursor.connection.info.server_version // 10_000
        except DatabaseError as error:
            found.append(_unreachable_database(error))
            continue
        if encoding != ENCODING:
            found.append(_wrong_encoding(name, encoding))
        if version < OLDEST:
            found.append(Error(f"PostgreSQL {version} 太舊，需要 {OLDEST} 以上的版本", id="system.E002"))
    return found


def _unreachable_database(error: DatabaseError) -> Error:
    return Error(
        f"資料庫連不上（DATABASE_URL）：{str(error).strip()}",
        hint="確認 PostgreSQL 有在執行，位址、帳號與密碼正確，防火牆讓這台機器連線",
        id="system.E003",
    )


def check_reachable(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """system.W002: Redis does not answer; W003: the mail server does not. With `check --database default` too."""
    if not databases:
        return []
    found: list[CheckMessage] = []
    try:
        with Redis.from_url(
            settings.CELERY_BROKER_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        ) as broker:
            broker.ping()
    except RedisError as error:
        hint = "確認 Redis 或 Valkey 有在執行，位址與密碼正確；在這之前工作不會開始"
        found.append(Warning(f"Redis 連不上（REDIS_URL）：{error}", hint=hint, id="system.W002"))
    if settings.EMAIL_URL:
        server = read_email_url(settings.EMAIL_URL, timeout=SECONDS)
        try:
            socket.create_connection((server.host, server.port), timeout=SECONDS).close()
        except OSError as error:
            hint = "確認主機與連接埠正確，防火牆讓這台機器連線；在這之前郵件會留在待寄"
            found.append(Warning(f"郵件伺服器連不上（EMAIL_URL）：{error}", hint=hint, id="system.W003"))
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

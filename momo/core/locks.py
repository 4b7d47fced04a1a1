"""Locks of PostgreSQL for work that is longer than a transaction of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def lock_held(name: str) -> Iterator[bool]:
    """Hold the lock of this name while the block lasts; False, without waiting, if another process holds it.

    A transaction on a connection of its own holds it. So PostgreSQL frees it if this process dies, and it works behind
    a pooler that hands out connections by transaction, where the lock of a session would stay with whatever connection
    took it. The transaction does nothing else: under READ COMMITTED it keeps no snapshot, and no VACUUM waits for it.
    """
    own = connection.copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            (held,) = cursor.fetchone()
        yield held
    finally:
        own.close()

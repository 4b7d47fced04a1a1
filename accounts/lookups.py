"""The two reads that nearly every request makes, token and session, in plain SQL.

Made by the ORM each took 0.7 ms, twice as long as all other steps of authentication; its round trip takes 0.2 ms. Times
are compared in the database and deferred on the user: each takes longer to parse than all text columns together. The
statements are prepared, since planning takes longer than finding one row.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from django.utils import timezone

from accounts.models import ApiToken, LoginSession, User
from momo.core.prepared import prepared_cursor

TOKEN_FIELDS = ("id", "user_id", "name", "prefix")


@dataclass(frozen=True)
class FoundToken:
    """A token with its `user` loaded, and the state of its times when it was read."""

    token: ApiToken
    revoked: bool
    expired: bool
    use_is_stale: bool  # its last use was stored longer than `step` ago


@functools.cache
def _user_fields() -> tuple[list[str], str]:
    fields = [field for field in User._meta.concrete_fields if not isinstance(field, models.DateTimeField)]
    return [field.attname for field in fields], ", ".join(f'u."{field.column}"' for field in fields)


def _row(query: str, params: Sequence[Any]) -> tuple[Any, ...] | None:
    with prepared_cursor() as cursor:
        cursor.execute(query, params)
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


def _user(values: Sequence[Any]) -> User:
    return User.from_db(DEFAULT_DB_ALIAS, _user_fields()[0], values)


@functools.cache
def _token_query() -> str:
    return (
        "SELECT t.revoked_at IS NOT NULL, t.expires_at <= %s::timestamptz, "  # noqa: S608 - our own names
        "t.last_used_at IS NULL OR t.last_used_at <= %s::timestamptz, "
        f"{', '.join('t.' + name for name in TOKEN_FIELDS)}, {_user_fields()[1]} "
        f'FROM "{ApiToken._meta.db_table}" t JOIN "{User._meta.db_table}" u ON u.id = t.user_id WHERE t.digest = %s'
    )


def find_token(digest: str, *, step: dt.timedelta) -> FoundToken | None:
    """The token with this SHA-256; `step` is the shortest time between two writes of its last use."""
    now = timezone.now()
    row = _row(_token_query(), [str(now), str(now - step), digest])
    if row is None:
        return None
    revoked, expired, use_is_stale, *values = row
    token = ApiToken.from_db(DEFAULT_DB_ALIAS, TOKEN_FIELDS, values[: len(TOKEN_FIELDS)])
    token.user = _user(values[len(TOKEN_FIELDS) :])
    return FoundToken(token, revoked, bool(expired), use_is_stale)


@functools.cache
def _session_query() -> str:
    return (
        f"SELECT s.session_data, {_user_fields()[1]} "  # noqa: S608 - our own names
        f'FROM "{LoginSession._meta.db_table}" s LEFT JOIN "{User._meta.db_table}" u ON u.id = s.user_id '
        "WHERE s.session_key = %s AND s.expire_date > %s::timestamptz"
    )


def session_with_user(key: str) -> tuple[str, User | None] | None:
    """Encoded data of a session that has not expired, and its user; None if there is no such session."""
    row = _row(_session_query(), [key, str(timezone.now())])
    if row is None:
        return None
    return row[0], None if row[1] is None else _user(row[1:])

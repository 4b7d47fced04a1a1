"""Statements that PostgreSQL plans once a connection instead of at each execution."""

from __future__ import annotations

from typing import Any, cast

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """A cursor that sends parameters beside the statement, which psycopg prepares at its sixth execution.

    For statements whose best plan is the same for all parameters. Django's own cursors write parameters into the text,
    so that no two texts are equal; otherwise it is one of them: it checks the connection, counts and logs. Behind a
    pooler (DATABASE_PREPARE=0) nothing is prepared.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return wrap(cast(Any, psycopg.Cursor(connection.connection)))  # the stubs want a cursor that is wrapped already

"""Gives a test database the rows back that it had after migrations.

Django truncates every table and sends `post_migrate`, which writes permissions and templates anew: a second of
processor time after each test with `transaction=True`, and what only migrations write (schedules, styles, phrases) is
gone for every later test. Here only tables that have rows are emptied, and filled from copies of the schema `kept`.
"""

from __future__ import annotations

from django.db import connection, transaction
from psycopg import sql

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY 1"
# Of a copy: its table may have been migrated back and forth, which moves columns.
COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
STAYS = "django_migrations"


def _column(query: str, *given: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        return [name for (name,) in cursor.fetchall()]


def _with_rows() -> list[str]:
    each = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    found = [each.format(name, sql.Identifier("public", name)) for name in _column(TABLES, "public") if name != STAYS]
    return _column(sql.SQL(" UNION ALL ").join(found).as_string())


def keep_rows() -> None:
    """Copy every table that has rows into the schema `kept`."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
        for name in _with_rows():
            copy = sql.SQL("CREATE TABLE {} AS TABLE {}")
            cursor.execute(copy.format(sql.Identifier("kept", name), sql.Identifier("public", name)))


def restore_rows() -> None:
    """Make the rows of every table those that `keep_rows` has copied."""
    kept = _column(TABLES, "kept")
    with transaction.atomic(), connection.cursor() as cursor:
        # No trigger looks for rows that refer to others.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in sorted({*_with_rows(), *kept}):
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("public", name)))
        for name in kept:
            columns = sql.SQL(", ").join(map(sql.Identifier, _column(COLUMNS, f"kept.{name}")))
            back = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
            cursor.execute(back.format(sql.Identifier("public", name), columns, columns, sql.Identifier("kept", name)))
